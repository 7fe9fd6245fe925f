"""Clinicians of a provider: described by its manager, verified by an operator."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError

from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, violated
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.text import Text
from providers.staff import shifts
from providers.staff.clinicians import (
    Profile,
    clinicians_for,
    clinicians_of,
    describe,
    profile_of,
    take_verification_back,
    verify,
)
from providers.staff.shifts import ClinicianNotVerified
from tests.desk import make_member, member
from tests.people import NOON, make_insurer
from tests.tries import lin
from tests.world import make_offer
from vip.models import Operator
from vip.principal import Member, Principal

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]

LICENCE = "110310000012345"
SAID = Profile("何静", Text("主治医师", "Attending physician"), LICENCE, ("general",), ("zh", "en"))


@pytest.fixture
def code() -> str:
    """A provider."""
    make_insurer()
    provider, _offer, _slots = make_offer()
    return provider.code


@pytest.fixture
def manager(code: str) -> Member:
    return member(make_member(code, login="fang"))


@pytest.fixture
def doctor(code: str) -> Member:
    return member(make_member(code, "clinician", login="he", name="何静"))


@pytest.fixture
def operator() -> Principal:
    """An administrator of the insurer."""
    public_id = lin()
    with reading() as session:
        row = session.scalars(select(Operator).where(Operator.public_id == public_id)).one()
        assert row.insurer_id is not None
        return Principal("operator", row.id, public_id, row.insurer_id, 0, "Asia/Shanghai", "admin")


def lines() -> list[tuple[str, str]]:
    with reading() as session:
        found = session.scalars(select(AuditLine).where(AuditLine.action.like("clinician.%")).order_by(AuditLine.id))
        return [(line.action, line.actor) for line in found]


def test_who_is_described_waits_for_an_operator_who_verifies_her(
    code: str, manager: Member, doctor: Member, operator: Principal
) -> None:
    (before,) = clinicians_of(manager)
    assert (before.member, before.profile, before.verified_at) == (doctor.public_id, None, None)
    describe(manager, doctor.public_id, SAID, now=NOON)
    assert profile_of(doctor).profile == SAID
    with pytest.raises(ClinicianNotVerified):
        shifts.begin(doctor, now=NOON)
    for _ in range(2):
        verify(operator, code, doctor.public_id, LICENCE, now=NOON)
    (found,) = clinicians_for(operator, code)
    assert (found.profile, found.verified_at, found.in_service) == (SAID, NOON, True)
    shifts.begin(doctor, now=NOON, capacity=4)
    at_work = shifts.shift_of(doctor)
    assert at_work is not None
    assert (at_work.capacity, at_work.state, at_work.lead) == (4, "on", False)
    for _ in range(2):
        take_verification_back(operator, code, doctor.public_id, now=NOON)
    assert clinicians_for(operator, code)[0].verified_at is None
    assert lines() == [
        ("clinician.described", manager.public_id),
        ("clinician.verified", operator.public_id),
        ("clinician.verification_taken_back", operator.public_id),
    ]


@pytest.mark.parametrize(
    ("change", "stays"),
    [
        ({"languages": ("zh",)}, True),
        ({"lead": True}, True),
        ({"shown_name": "何静静"}, False),
        ({"title": Text("主任医师", "Chief physician")}, False),
        ({"licence": "110310000054321"}, False),
        ({"departments": ("general", "dermatology")}, False),
    ],
)
def test_a_change_of_what_was_compared_ends_the_verification(
    code: str, manager: Member, doctor: Member, operator: Principal, change: dict[str, object], stays: bool
) -> None:
    describe(manager, doctor.public_id, SAID, now=NOON)
    verify(operator, code, doctor.public_id, LICENCE, now=NOON)
    describe(manager, doctor.public_id, replace(SAID, **change), now=NOON)  # type: ignore[arg-type]
    assert (clinicians_of(manager)[0].verified_at is not None) == stays


def test_another_licence_than_the_one_that_was_looked_up_is_not_verified(
    code: str, manager: Member, doctor: Member, operator: Principal
) -> None:
    describe(manager, doctor.public_id, SAID, now=NOON)
    with pytest.raises(Invalid):
        verify(operator, code, doctor.public_id, "110310000054321", now=NOON)
    assert clinicians_of(manager)[0].verified_at is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"shown_name": " "}, "shown_name"),
        ({"shown_name": "x" * 61}, "shown_name"),
        ({"title": Text("主治医师", "")}, "title_en"),
        ({"title": Text("\x00", "Physician")}, "title_zh"),
        ({"licence": "11031000001234"}, "licence"),
        ({"licence": "１１０３１０００００１２３４５"}, "licence"),
        ({"departments": ()}, "departments"),
        ({"departments": ("Skin!",)}, "departments"),
        ({"languages": ("fr",)}, "languages"),
        ({"languages": ()}, "languages"),
    ],
)
def test_what_is_said_of_her_has_a_form(manager: Member, doctor: Member, change: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        describe(manager, doctor.public_id, replace(SAID, **change), now=NOON)  # type: ignore[arg-type]
    assert refused.value.at == field
    assert clinicians_of(manager)[0].profile is None


@pytest.mark.parametrize("capacity", [0, 21])
def test_as_many_at_once_as_is_reasonable(
    code: str, manager: Member, doctor: Member, operator: Principal, capacity: int
) -> None:
    describe(manager, doctor.public_id, SAID, now=NOON)
    verify(operator, code, doctor.public_id, LICENCE, now=NOON)
    with pytest.raises(Invalid):
        shifts.begin(doctor, now=NOON, capacity=capacity)


def test_nobody_else_describes_or_verifies(code: str, manager: Member, doctor: Member, operator: Principal) -> None:
    describe(manager, doctor.public_id, SAID, now=NOON)
    other = make_offer()[0]
    stranger = member(make_member(other.code, login="stranger"))
    agent = replace(operator, role="agent")
    for act in (
        lambda: describe(stranger, doctor.public_id, SAID, now=NOON),
        lambda: describe(doctor, doctor.public_id, SAID, now=NOON),
        lambda: describe(manager, manager.public_id, SAID, now=NOON),
        lambda: verify(agent, code, doctor.public_id, LICENCE, now=NOON),
        lambda: verify(operator, other.code, doctor.public_id, LICENCE, now=NOON),
        lambda: take_verification_back(agent, code, doctor.public_id, now=NOON),
        lambda: clinicians_for(agent, code),
        lambda: clinicians_for(operator, "nobody"),
        lambda: clinicians_of(doctor),
        lambda: profile_of(manager),
    ):
        with pytest.raises(NotFound):
            act()
    assert clinicians_of(manager)[0].verified_at is None


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("licence = '12'", "ck_clinician_licence"),
        ("verified_at = now()", "ck_clinician_verified"),
        ("departments = '{}'", "ck_clinician_departments"),
        ("languages = ARRAY['fr']", "ck_clinician_languages"),
    ],
)
def test_the_database_refuses_what_has_no_form(
    manager: Member, doctor: Member, owner_connection: Connection, change: str, constraint: str
) -> None:
    describe(manager, doctor.public_id, SAID, now=NOON)
    with pytest.raises(DBAPIError) as refused:
        owner_connection.execute(text(f"UPDATE clinician SET {change}"))
    assert violated(refused.value) == constraint
