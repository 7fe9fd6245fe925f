"""How long what was told on an escort is stored, who gets a copy of it, and what becomes of it in the end."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from booking.escort.after.record import file_records
from booking.escort.deeds import deeds_of
from booking.escorting.mine import my_escort, my_escorts
from booking.personal.erase import erase
from booking.personal.export import write_copy
from booking.personal.retention import forget_escorts
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from tests.booking.escorting.stage import CODE, Stage, deed, make_stage
from tests.escorts import PHONE
from tests.people import NOON, consents, signed_in
from tests.pictures import make_picture
from tests.world import EIGHT


@pytest.fixture
def stage(db: object) -> Stage:
    """An escort that is over, with a note, a paper and a signature."""
    made = make_stage()
    paper = deed("paper", 2, words="心电图")
    made.take(deed("note", 1, words="早饭已吃"), paper, **{paper["key"]: make_picture()})
    over = deed("signed", 3, strokes=[[0, 0, 10, 10]]), deed("handed_over", 4, words="药已交")
    made.taken(*over, deed("met", 5, code=CODE), now=EIGHT)
    assert made.state() == "fulfilled"
    return made


def left(connection: Connection) -> tuple[int, int]:
    """How many deeds and pictures still say something."""
    found = connection.execute(
        text(
            "SELECT (SELECT count(*) FROM escort_deed WHERE sealed IS NOT NULL),"
            " (SELECT count(*) FROM escort_picture WHERE sealed <> '' OR thumbnail_sealed <> '' OR size > 0)"
        )
    ).one()
    return tuple(found)  # type: ignore[return-value]


def copied(stage: Stage) -> tuple[list[Any], list[str]]:
    """The steps in the customer's copy of her data, and its pictures."""
    to = io.BytesIO()
    write_copy(stage.made.world.principal.public_id, to, now=NOON)
    copy = zipfile.ZipFile(to)
    steps = json.loads(copy.read("escort_steps.json"))
    return steps, [name for name in copy.namelist() if name.startswith("pictures/")]


def test_a_copy_holds_what_was_told(stage: Stage) -> None:
    consents(stage.made.world.beneficiary.public_id)
    steps, pictures = copied(stage)
    assert [(it["kind"], it["contents"]["words"]) for it in steps[:2]] == [("note", "早饭已吃"), ("paper", "心电图")]
    assert steps[2]["contents"]["strokes"] == [[0, 0, 10, 10]]
    assert len(pictures) == 1


def test_what_was_told_of_who_agreed_to_nothing_or_was_erased_is_in_no_copy(stage: Stage) -> None:
    with transaction() as session:
        session.execute(text("UPDATE beneficiary SET relation = 'father'"))
    assert copied(stage) == ([], [])


def test_it_is_blanked_when_it_is_older_than_it_may_be(stage: Stage, owner_connection: Connection) -> None:
    over = NOON.replace(year=NOON.year + 30) + timedelta(days=30)
    assert left(owner_connection) == (4, 1)
    assert forget_escorts(now=NOON.replace(year=NOON.year + 29)) == {}
    assert forget_escorts(now=over) == {"expired": 1}
    assert forget_escorts(now=over) == {}
    assert left(owner_connection) == (0, 0)
    with reading() as session:
        lines = session.scalars(select(AuditLine.actor).where(AuditLine.action == "escort.expired")).all()
        found = deeds_of(session, stage.booking_id)
    assert lines == ["retention"]
    assert [it.kind for it in found] == ["note", "paper", "signed", "handed_over", "met"], "that it was done stays"


def test_it_goes_at_once_with_who_is_erased(stage: Stage, owner_connection: Connection) -> None:
    """No law wants it kept: it is no record of a hospital's."""
    later = EIGHT + timedelta(days=1)
    erase(signed_in(PHONE, later), now=later)
    assert left(owner_connection) == (0, 0)
    with reading() as session:
        assert [it.erased for it in deeds_of(session, stage.booking_id)] == [False] * 5, "nothing is left to read"


def test_of_who_was_erased_nothing_new_arrives_and_the_worker_reads_nothing(stage: Stage) -> None:
    """What must stay with her record, stays sealed."""
    later = EIGHT + timedelta(days=1)
    assert file_records(now=later) == {"filed": 1}
    assert any(it.words for it in my_escort(stage.member, stage.assignment, now=later).deeds)
    erase(signed_in(PHONE, later), now=later)
    assert my_escorts(stage.member, now=later).over == []
    with pytest.raises(NotFound):
        my_escort(stage.member, stage.assignment, now=later)
    with pytest.raises(NotFound):
        stage.take(deed("note", 9, words="复诊"), now=later)
    with reading() as session:
        assert any(it.words for it in deeds_of(session, stage.booking_id)), "it is there, and hers no more"
