"""Who is at her desk, and what a lead sees of those who are not."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from booking.consultation.assigning.absence import bring_back
from booking.consultation.assigning.leaving import go_off
from booking.consultation.read import SHOWN
from booking.consultation.say import Said, clinician_says
from marketplace.core import clock
from providers.staff import shifts
from tests.booking.consultation.rooms import Practice
from tests.desk import at_desk, make_member, member
from tests.marketplace.web.desk.consulting.conftest import Doctor
from tests.marketplace.web.desk.consulting.test_talk import BOARD, looks, row, said, taken
from tests.marketplace.web.visitors import main
from tests.people import NOON


def seen_at(login: str) -> datetime | None:
    found = shifts.shift_of(member(login))
    assert found is not None
    return found.seen_at


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize("page", ["", "/live", "/{one}", "/{one}/live", "/{one}/close"])
def test_each_page_that_she_looks_at_says_that_she_is_there(practice: Practice, doctor: Doctor, page: str) -> None:
    he = doctor()
    found = taken(practice, he)
    clinician_says(member("he"), found, Said("message-1", "您好"), now=NOON)
    with clock.frozen(after(20)):
        assert he.get(f"{BOARD}{page.format(one=found)}").status_code == 200
    assert seen_at("he") == after(20)


def test_beginning_a_shift_and_what_she_does_count_too_and_nobody_elses_looking(
    app: object, practice: Practice, doctor: Doctor
) -> None:
    he, she = doctor(on_shift=False), doctor("she")
    he.post("/desk/shift", "/desk/shift", do="begin", capacity="3")
    assert seen_at("he") == NOON and seen_at("she") is None
    boss = at_desk(app, make_member(practice.world.provider.code, "manager", "boss"))  # type: ignore[arg-type]
    with clock.frozen(after(20)):
        boss.get(BOARD)
        found = taken(practice, she)
    assert seen_at("he") == NOON and seen_at("she") == after(20) and row(found).clinician_id == member("she").id


def test_a_closed_laptop_gives_the_patient_back_and_says_whose_it_was(practice: Practice, doctor: Doctor) -> None:
    he, she = doctor(), doctor("she")
    found = taken(practice, he)
    he.get(f"{BOARD}/{found}")
    with clock.frozen(after(31)):
        assert bring_back(now=after(31)) == {"brought_back": 1}
        page = main(she.get(BOARD))
        assert "Dr he was not seen any more" in page and "Accept" in page
        assert "沈**" not in main(he.get(BOARD)), "back at her desk she has nobody in hand"


def test_the_lead_sees_who_is_not_there_reads_along_with_a_line_of_the_audit_and_takes_over(
    practice: Practice, doctor: Doctor
) -> None:
    he, she = doctor(), doctor("she", lead=True)
    found = taken(practice, he)
    clinician_says(member("he"), found, Said("message-1", "您好"), now=NOON)
    practice.ask(found, "还是疼", now=after(1))
    he.get(f"{BOARD}/{found}")
    with clock.frozen(after(301)):
        board = main(she.get(BOARD))
        assert "With colleagues" in board and "Doctor not there" in board and "waits for 5 min" in board
        assert "Dr he" in board and "沈" not in board and "Not seen since" in board
        before = looks(SHOWN)
        talk = she.get(f"{BOARD}/{found}")
        assert "还是疼" in main(talk) and "Take over from 何医生" in main(talk) and looks(SHOWN) == before + 1
        assert 'id="say-form"' not in talk.text
        she.post(f"{BOARD}/{found}/assign", f"{BOARD}/{found}", to=member("she").public_id)
        assert row(found).clinician_id == member("she").id
        assert 'id="say-form"' in she.get(f"{BOARD}/{found}").text
    assert [who for who, _words in said(practice, found)] == ["customer", "clinician", "customer"]


def test_nobody_is_assigned_to_who_is_away(practice: Practice, doctor: Doctor) -> None:
    he, she = doctor(), doctor("she", lead=True)
    go_off(practice.clinician, now=NOON)
    he.get(BOARD)
    found = taken(practice, she)
    she.post(f"{BOARD}/{found}/hand-over", f"{BOARD}/{found}", to="")
    assert "Dr he" in options(she.get(f"{BOARD}/{found}").text)
    with clock.frozen(after(31)):
        assert "Dr he" not in options(she.get(f"{BOARD}/{found}").text)


def options(page: str) -> str:
    """The select of colleagues to whom a lead may assign."""
    return page.partition('id="f-assign"')[2].partition("</select>")[0]


def test_a_colleague_who_does_not_lead_sees_no_list_of_others(practice: Practice, doctor: Doctor) -> None:
    he, she = doctor(), doctor("she")
    found = taken(practice, he)
    page = she.get(BOARD).text
    assert "With colleagues" not in page and found not in page
    assert "Take over" not in she.get(f"{BOARD}/{found}").text


def test_a_lead_and_a_manager_see_all_queues(app: object, practice: Practice, doctor: Doctor) -> None:
    he, she = doctor(), doctor("she", lead=True)
    boss = at_desk(app, make_member(practice.world.provider.code, "manager", "boss"))  # type: ignore[arg-type]
    for visitor, sees in ((he, False), (she, True), (boss, True)):
        assert ("Free places" in main(visitor.get(BOARD))) is sees
