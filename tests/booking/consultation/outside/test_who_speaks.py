"""Only verified doctors of the provider itself speak to a patient; what the others say waits."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from marketplace.core.database.db import reading, transaction
from providers.reported import RemoteClinician
from tests.booking.consultation.outside.rooms import (
    HE,
    add_doctor,
    at,
    make_outside,
    open_cases,
    pledge_state,
    said_in,
)

pytestmark = pytest.mark.usefixtures("db")


def test_a_doctor_who_is_not_verified_waits_and_flows_once_she_is() -> None:
    it = make_outside(verified=False)
    add_doctor(it.world, verified=False)
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    it.there.lines = [it.line(opened, 1), it.line(opened, 2, "多久了？")]

    assert it.tell(it.line(opened, 1), now=at(1)) == "not_verified"
    it.read(now=at(1))
    assert len(said_in(opened.conversation)) == 1
    assert pledge_state() == "pending"
    assert open_cases() == ["clinician_not_verified"]

    with transaction() as session:
        session.execute(
            text("UPDATE outside_clinician SET verified_at = now(), verified_by = (SELECT min(id) FROM operator)")
        )
    it.read(now=at(6))

    assert [each[1] for each in said_in(opened.conversation)] == ["customer", "clinician", "clinician"]
    assert pledge_state() == "met"
    assert open_cases() == []


def test_whom_the_roster_did_not_name_yet_is_asked_for_at_once() -> None:
    it = make_outside()
    opened = it.begin()
    it.ask(opened.conversation, "嗓子疼")
    new = RemoteClinician("d-2", "周医生", "医师", "Physician", "110310000099999")
    it.there.roster = [HE, new]
    it.there.lines = [it.line(opened, 1, clinician="d-2")]

    assert it.tell(it.line(opened, 1, clinician="d-2"), now=at(1)) == "unknown_clinician"
    assert it.read(now=at(1)) == {"not_verified": 1}

    with reading() as session:
        names = session.scalars(text("SELECT name FROM outside_clinician ORDER BY code")).all()
    assert names == ["何医生", "周医生"]
    assert open_cases() == ["clinician_not_verified"]


def test_the_database_takes_no_words_of_a_doctor_who_is_not_verified_or_of_another_provider() -> None:
    it, other = make_outside(), make_outside(phone="13800000029")
    opened = it.begin()
    it.tell(it.line(opened, 1))
    insert = text(
        "INSERT INTO conversation_message"
        " (public_id, conversation_id, seq, client_message_id, author, outside_clinician_id, kind, at)"
        " SELECT 'msg_x', c.id, 99, 'their:99', 'clinician', k.id, 'text', now()"
        " FROM conversation c, outside_clinician k WHERE c.public_id = :talk AND k.provider_id = :provider"
    )

    with pytest.raises(Exception, match="clinician_not_verified"), transaction() as session:
        session.execute(insert, {"talk": opened.conversation, "provider": other.world.provider.id})
    with transaction() as session:
        session.execute(text("UPDATE outside_clinician SET verified_at = NULL, verified_by = NULL"))
    with pytest.raises(Exception, match="clinician_not_verified"), transaction() as session:
        session.execute(insert, {"talk": opened.conversation, "provider": it.world.provider.id})
