"""How long a consultation is stored, and what becomes of it when somebody is erased."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from booking.consultation.close import close
from booking.consultation.pictures import Sent, customer_shows
from booking.consultation.summary import Summary
from booking.personal.erase import BOOKS, erase, finish_erasures
from booking.personal.export import write_copy
from booking.personal.retention import forget_consultations
from booking.ratings.rate import rate
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from tests.booking.consultation.rooms import Practice, make_practice
from tests.people import NOON, consents
from tests.pictures import make_picture
from vip.models import Beneficiary

AFTER_PROCESS = datetime(2029, 3, 31, 4, tzinfo=UTC)
AFTER_MEDICAL = datetime(2041, 3, 31, 4, tzinfo=UTC)


@pytest.fixture
def practice(db: object) -> Practice:
    """A consultation that was closed without a report, as there is no consent for one, and rated."""
    practice = make_practice()
    opened = practice.open()
    practice.ask(opened.conversation, "嗓子疼")
    customer_shows(practice.world.principal, opened.conversation, Sent("message-2", make_picture()), now=NOON)
    practice.answer(opened.conversation, "多久了？")
    with transaction() as session:
        session.execute(text("UPDATE beneficiary SET relation = 'father'"))
    close(practice.clinician, opened.conversation, Summary("小结"), now=NOON)
    rate(practice.world.principal, opened.booking, 5, "很耐心", NOON)
    return practice


def left(connection: Connection) -> tuple[int, int, int]:
    """How many messages, pictures and ratings still hold something."""
    found = connection.execute(
        text(
            "SELECT (SELECT count(*) FROM conversation_message WHERE body_sealed IS NOT NULL),"
            " (SELECT count(*) FROM conversation_picture WHERE sealed <> '' OR thumbnail_sealed <> '' OR size > 0),"
            " (SELECT count(*) FROM rating WHERE words_sealed IS NOT NULL)"
        )
    ).one()
    return tuple(found)  # type: ignore[return-value]


def copied(practice: Practice) -> zipfile.ZipFile:
    to = io.BytesIO()
    write_copy(practice.world.principal.public_id, to, now=NOON)
    return zipfile.ZipFile(to)


def file(copy: zipfile.ZipFile, name: str) -> Any:
    return json.loads(copy.read(f"{name}.json"))


def test_what_was_said_stays_as_a_medical_record_and_the_rating_as_process_data(
    practice: Practice, owner_connection: Connection
) -> None:
    stays = erase(practice.world.principal, now=NOON)
    assert {it.what for it in stays} == {"process", "medical", BOOKS}
    with reading() as session:
        person = session.scalars(select(Beneficiary)).one()
    assert person.record_sealed is not None, "whose record it is, is said under the medical key"
    assert left(owner_connection) == (4, 1, 1)

    finish_erasures(now=AFTER_PROCESS)
    assert left(owner_connection) == (4, 1, 0)
    finish_erasures(now=AFTER_MEDICAL)
    assert left(owner_connection) == (0, 0, 0)
    assert owner_connection.execute(text("SELECT count(*) FROM person_key WHERE wrapped_key IS NOT NULL")).scalar() == 0


def test_a_copy_holds_the_words_and_pictures_of_both_sides(practice: Practice) -> None:
    consents(practice.world.beneficiary.public_id)
    copy = copied(practice)
    said = file(copy, "consultation_messages")
    assert [it["text"] for it in said if it["kind"] == "text"] == ["嗓子疼", "多久了？"]
    assert [name for name in copy.namelist() if name.startswith("pictures/")]
    assert [it["words"] for it in file(copy, "ratings")] == ["很耐心"]


def test_what_is_about_somebody_who_was_erased_is_in_no_copy(practice: Practice) -> None:
    with transaction() as session:
        session.execute(text("UPDATE beneficiary SET erased_at = now(), removed_at = now()"))
    copy = copied(practice)
    assert file(copy, "consultation_messages") == file(copy, "consultations") == []
    assert [name for name in copy.namelist() if name.startswith("pictures/")] == []


def test_a_consultation_is_blanked_when_it_is_older_than_it_may_be(
    practice: Practice, owner_connection: Connection
) -> None:
    over = NOON.replace(year=NOON.year + 30) + timedelta(days=30)
    assert forget_consultations(now=NOON.replace(year=NOON.year + 29)) == {}
    assert forget_consultations(now=over) == {"expired": 1}
    assert forget_consultations(now=over) == {}
    assert left(owner_connection) == (0, 0, 1)
    with reading() as session:
        lines = session.scalars(select(AuditLine.actor).where(AuditLine.action == "consultation.expired")).all()
    assert lines == ["retention"]
