"""Internal notes of clinicians."""

from __future__ import annotations

from sqlalchemy import select

from booking.consultation.models import ConversationNote
from marketplace.core.database.db import reading
from tests.booking.consultation.rooms import Practice
from tests.marketplace.web.desk.consulting.conftest import Doctor
from tests.marketplace.web.desk.consulting.test_talk import BOARD, looks, said, taken
from tests.marketplace.web.visitors import main


def stored() -> list[bytes | None]:
    with reading() as session:
        return list(session.scalars(select(ConversationNote.body_sealed).order_by(ConversationNote.id)))


def test_a_note_is_sealed_and_for_clinicians_alone(practice: Practice, doctor: Doctor) -> None:
    he, she = doctor(), doctor("she")
    found = taken(practice, he)
    for _ in range(2):  # sent twice, noted once
        assert he.post(f"{BOARD}/{found}/note", f"{BOARD}/{found}", note="疑似过敏").status_code == 303
    (sealed,) = stored()
    assert sealed is not None and "疑似过敏".encode() not in sealed
    assert "疑似过敏" in main(he.get(f"{BOARD}/{found}"))
    assert "疑似过敏" not in main(she.get(f"{BOARD}/{found}"))
    assert said(practice, found) == [("customer", "嗓子疼")]


def test_only_who_has_the_patient_in_hand_notes_something(practice: Practice, doctor: Doctor) -> None:
    he, she = doctor(), doctor("she")
    found = taken(practice, he)
    assert she.send(f"{BOARD}/{found}/note", {**she.hidden(BOARD), "note": "x"}).status_code == 404
    wrong = he.post(f"{BOARD}/{found}/note", f"{BOARD}/{found}", note="好" * 2_001)
    assert wrong.status_code == 422 and "f-note-error" in wrong.text and stored() == []
    assert looks("consultation.shown_to_provider") == 1


def test_a_note_goes_with_the_patient_who_is_handed_over(practice: Practice, doctor: Doctor) -> None:
    he, she = doctor(), doctor("she")
    found = taken(practice, he)
    he.post(f"{BOARD}/{found}/hand-over", f"{BOARD}/{found}", to="", note="请皮肤科看")
    she.post(f"{BOARD}/{found}/accept", BOARD)
    assert "请皮肤科看" in main(she.get(f"{BOARD}/{found}"))
