"""A delivered file that names another person than the booking's is shown to nobody; what is not said says nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select, update

from booking.discrepancies import Discrepancy
from booking.reports.box import reports
from booking.reports.fetch import announce
from booking.reports.files import FileRefused
from booking.reports.intake import fhir
from booking.reports.intake.findings import FHIR, Named, Refused
from booking.reports.persons.same import ANOTHER_PERSON, Ours, is_another, require_same_person
from marketplace.core.database.db import reading, transaction
from tests.booking.reports.persons.test_names import NOTHING, OTHERS, SAME
from tests.people import NOON
from tests.reports import LATER, content, fetch, listed
from tests.world import World, booking_row, make_world
from vip.customers import id_numbers
from vip.models import Beneficiary

BORN = "1988-04-12"
HERS, ANOTHERS = (f"{first}{id_numbers.check_character(first)}" for first in ("33010219880412002", "33010219880412004"))
NAME = "沈静宜"
Resource = dict[str, Any]


def patient(**parts: Any) -> Resource:
    return {"resourceType": "Patient", "id": "p", **parts}


def named(text: str) -> Resource:
    return {"name": [{"text": text}]}


def file(*others: Resource, subject: Any = None, **parts: Any) -> bytes:
    report = {"resourceType": "DiagnosticReport", "id": "r", "status": "final", "conclusion": "未见异常", **parts}
    if subject is not None:
        report["subject"] = subject
    entries = [{"fullUrl": f"https://lis.example/{one['resourceType']}/{one['id']}", "resource": one}
               for one in (report, *others)]  # fmt: skip
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


HER = {"reference": "Patient/p"}


# --- whom a file names -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "document",
    [
        file(patient(**named("李四")), subject=HER),
        file(patient(**named("李四")), subject={"reference": "https://lis.example/Patient/p/_history/3"}),
        file(patient(**named("李四"))),
        file(subject={"display": "李四"}),
        file(subject={"reference": "Patient/elsewhere", "display": "李四"}),
        file(subject={"reference": "#p"}, contained=[patient(**named("李四"))]),
        file(patient(name=[{"family": "李", "given": ["四"]}]), subject=HER),
    ],
)
def test_whom_a_file_names_is_read_wherever_it_is_said(document: bytes) -> None:
    (found,) = fhir.examine(document).named
    assert [name.replace(" ", "") for name in found.names] == ["李四"]


@pytest.mark.parametrize("panel", ["result", "hasMember"])
def test_whom_a_result_names_counts_as_whom_the_report_names(panel: str) -> None:
    one = {"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "钠"}, "valueString": "1",
           "subject": {"reference": "#p"}, "contained": [patient(**named("李四"))]}  # fmt: skip
    parts = {"result": [{"reference": "Observation/o"}]}
    if panel == "hasMember":
        parts = {"result": [{"reference": "Observation/all"}]}
        whole = {"resourceType": "Observation", "id": "all", "status": "final"}
        whole["hasMember"] = [{"reference": "Observation/o"}]
        document = file(one, whole, **parts)
    else:
        document = file(one, **parts)
    assert [each.names for each in fhir.examine(document).named] == [("李四",)]


@pytest.mark.parametrize(
    "document",
    [
        file(),
        file(patient(), subject=HER),
        file(subject=HER),
        file(patient(**named("李四"), id="mother"), subject={"reference": "Patient/p"}),
        file(subject={"reference": "Group/g", "display": "一车间"}),
        file(subject={"type": "Location", "display": "三楼"}),
        file(patient(name=[{"use": "anonymous", "text": "A-17"}]), subject=HER),
        file(patient(name=17, birthDate=1988, identifier={"value": "x"}), subject=HER),
        file(patient(name=[{"text": ["李四"], "given": "四"}], birthDate={}), subject=HER),
    ],
)
def test_what_names_nobody_or_cannot_be_read_names_nobody(document: bytes) -> None:
    assert fhir.examine(document).named == ()


def test_a_file_that_names_a_crowd_is_refused() -> None:
    results = [
        {"resourceType": "Observation", "id": f"o{number}", "status": "final", "code": {"text": "钠"},
         "valueString": "1", "subject": {"display": f"某人{number}"}}
        for number in range(fhir.MOST_NAMED + 1)
    ]  # fmt: skip
    document = file(*results, result=[{"reference": f"Observation/{one['id']}"} for one in results])
    with pytest.raises(Refused, match="fhir_two_persons"):
        fhir.examine(document)


# --- the rule --------------------------------------------------------------------------------------------------------


@pytest.fixture
def ours(db: object) -> Ours:
    return Ours(NAME, BORN, id_numbers.indexes(HERS)[0])


@pytest.mark.parametrize(
    ("told", "another"),
    [
        (Named(), False),
        (Named(("沈靜宜",), BORN, (HERS,)), False),
        (Named(("李四",), BORN, (HERS,)), False),
        (Named((NAME,), "1988-12-04", (HERS,)), False),
        (Named((NAME,), BORN, (ANOTHERS,)), True),
        (Named((), "", (ANOTHERS,)), True),
        (Named((), "", (ANOTHERS, HERS)), False),
        (Named((NAME,), BORN, ("M-0017", f"{HERS[:6]}********{HERS[14:]}")), False),
        (Named((NAME,), BORN, (HERS[:17] + "A",)), False),
        (Named((NAME,), BORN, (f" {HERS[:6]} {HERS[6:]}\u202c",)), False),
        (Named((NAME,), BORN), False),
        (Named((NAME,), ""), False),
        (Named((NAME,), "1988-04-13"), True),
        (Named((NAME,), "1988"), False),
        (Named((NAME,), "1988-04"), False),
        (Named((NAME,), "1989"), True),
        (Named((NAME,), "1988-05"), True),
        (Named((NAME,), "1900-01-01"), False),
        (Named((NAME,), "0001-01-01"), False),
        (Named((NAME,), "12.04.1988"), False),
        (Named((NAME,), "1988-04-11T16:00:00Z"), False),
        (Named(("李四",), BORN), True),
        (Named(("李四",), ""), True),
        (Named(("Shen Jingyi",), BORN), False),
        (Named((), BORN), False),
    ],
)
def test_who_is_told_is_another_person_only_where_both_say_so(ours: Ours, told: Named, another: bool) -> None:
    assert is_another(told, ours) is another


def test_a_number_that_we_do_not_have_contradicts_nothing(ours: Ours) -> None:
    assert not is_another(Named((NAME,), BORN, (ANOTHERS,)), Ours(NAME, BORN, None))


def test_no_spelling_keeps_a_report_back_where_birth_date_and_number_agree(ours: Ours) -> None:
    for name, _of in (*SAME, *OTHERS, *NOTHING):
        assert not is_another(Named((name,), BORN, (HERS,)), ours), name


# --- from file to box ------------------------------------------------------------------------------------------------


@pytest.fixture
def world(db: object) -> World:
    return make_world()


def bring(world: World, document: bytes, version: int = 1, booking: str | None = None) -> dict[str, int]:
    remote = listed(world, booking or world.submit(), version)
    with transaction() as session:
        announce(session, world.provider.id, remote, now=LATER)
    return fetch(world, content(remote, items=(), conclusion="", document=document, document_type=FHIR))


def cases() -> list[tuple[str, Any]]:
    with reading() as session:
        rows = session.scalars(select(Discrepancy).where(Discrepancy.closed_at.is_(None)))
        return [(row.kind, row.facts.get("reason")) for row in rows]


def shown(world: World) -> int:
    return len(reports(world.principal, cursor=None, limit=9, now=LATER).items)


def test_a_file_of_another_person_is_refused_and_before_a_person(world: World) -> None:
    assert bring(world, file(patient(**named("李四"), birthDate="1979-01-01"), subject=HER)) == {"refused": 1}
    assert cases() == [("report_refused", ANOTHER_PERSON)]
    assert shown(world) == 0


def test_the_case_says_nothing_of_either_person(world: World) -> None:
    bring(world, file(patient(**named("李四"), birthDate="1979-01-01"), subject=HER))
    with reading() as session:
        facts = str(session.scalars(select(Discrepancy.facts)).one())
    assert not any(word in facts for word in ("李四", "1979", NAME, "1988"))


def test_the_right_file_is_taken_and_ends_the_case(world: World) -> None:
    booking = world.submit()
    bring(world, file(patient(**named("李四")), subject=HER), booking=booking)
    right = file(patient(**named("沈　靜宜"), birthDate=BORN), subject=HER)
    assert bring(world, right, 2, booking) == {"stored": 1}
    assert (cases(), shown(world)) == ([], 1)


def test_what_results_beside_the_file_say_does_not_hide_whom_it_names(world: World) -> None:
    remote = listed(world, world.submit())
    with transaction() as session:
        announce(session, world.provider.id, remote, now=LATER)
    wrong = file(patient(**named("李四")), subject=HER)
    assert fetch(world, content(remote, document=wrong, document_type=FHIR)) == {"refused": 1}


def test_a_person_who_was_erased_is_compared_with_nobody(world: World) -> None:
    booking = booking_row(world.submit())
    other = [Named(("李四",))]
    with reading() as session, pytest.raises(FileRefused, match=ANOTHER_PERSON):
        require_same_person(session, booking.id, other)
    with transaction() as session:
        session.execute(update(Beneficiary).values(erased_at=NOON, removed_at=NOON))
        require_same_person(session, booking.id, other)
