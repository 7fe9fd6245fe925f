"""The roster: made up in any number, changed while the server runs."""

from __future__ import annotations

import pytest

from tests.eventually import eventually
from tests.providers.consultations.asking import Asking, opened
from tests.sandboxes import Sandbox


def test_forty_doctors_have_names_titles_and_licences_of_their_own(doctors: Sandbox) -> None:
    asking = Asking(doctors, "deliberate")
    asking.control.set_doctors(40)
    roster = asking.call("GET", "/clinicians").json()["clinicians"]
    assert len(roster) == 40
    for name in ("code", "name", "licence"):
        assert len({each[name] for each in roster}) == 40, name
    assert all(each["licence"].isdigit() and len(each["licence"]) == 15 for each in roster)
    assert all(each["title_zh"] and each["title_en"] for each in roster)


def test_a_smaller_roster_is_the_beginning_of_a_larger_one(doctors: Sandbox) -> None:
    control = doctors.control("deliberate")
    assert control.set_doctors(40)[:3] == control.set_doctors(3)


def test_who_leaves_is_off_the_roster_and_takes_nobody_new(doctors: Sandbox) -> None:
    asking = Asking(doctors, "single")
    control = asking.control
    control.change_doctor("D001", active=False)
    control.change_doctor("D002", name="新来", title_zh="主治医师", title_en="Attending physician", licence="1" * 15)
    assert [each["code"] for each in asking.call("GET", "/clinicians").json()["clinicians"]] == ["D002"]
    assert asking.open().status_code == 201
    asking.write("在吗")
    assert asking.said(1)[0]["clinician"] == "D002"
    control.set_doctors(1)


def test_a_patient_of_one_who_was_struck_off_is_taken_by_another(doctors: Sandbox) -> None:
    asking = opened(doctors, "silent")
    asking.write("在吗")
    first = eventually(lambda: asking.kept()["doctor"])
    rest = [each for each in asking.control.doctors() if each["code"] != first]
    asking.control.set_doctors(rest)
    asking.control.settings(consultations={"answer_after": [0, 0.1]})
    assert asking.said(1)[0]["clinician"] != first
    asking.control.settings(consultations={"answer_after": None})
    asking.control.set_doctors(8)


@pytest.mark.parametrize(
    "wish",
    [
        {"doctors": 0},
        {"doctors": "many"},
        {"doctors": [{"code": "A"}]},
        {"doctors": [{"code": "A", "name": "甲", "title_zh": "医师", "title_en": "Physician", "licence": 1}]},
    ],
)
def test_a_roster_that_cannot_be_is_refused(doctors: Sandbox, wish: dict[str, object]) -> None:
    before = doctors.control("silent").doctors()
    with pytest.raises(AssertionError, match="422"):
        doctors.control("silent").set_doctors(wish["doctors"])  # type: ignore[arg-type]
    assert doctors.control("silent").doctors() == before


@pytest.mark.parametrize(
    "wish",
    [
        {"answer_after": [3, 1]},
        {"answer_after": 5},
        {"turns": 0},
        {"at_once": 1.5},
        {"pictures": 2},
        {"doctors": 3},
        {"speed": 1},
    ],
)
def test_a_way_of_working_that_cannot_be_is_refused(doctors: Sandbox, wish: dict[str, object]) -> None:
    with pytest.raises(AssertionError, match="422"):
        doctors.control("silent").settings(consultations=wish)
