"""Doctors of providers with systems of their own: taken from the roster, verified by an operator."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from marketplace.catalog.models import Provider
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from providers.reported import RemoteClinician
from providers.staff.models import OutsideClinician
from providers.staff.outside import (
    OutsideView,
    outside_clinicians_for,
    shown_outside,
    take_outside_back,
    take_roster,
    verify_outside,
)
from tests.people import NOON, make_insurer
from tests.tries import lin
from tests.world import make_offer
from vip.models import Operator
from vip.principal import Principal

pytestmark = pytest.mark.usefixtures("db")

LICENCE = "110310000012345"
HE = RemoteClinician("d-1", "何静", "主治医师", "Attending physician", LICENCE)
ZHOU = RemoteClinician("d-2", "周敏", "医师", "Physician", "110310000099999")


@pytest.fixture
def provider() -> Provider:
    make_insurer()
    return make_offer()[0]


@pytest.fixture
def operator(provider: Provider) -> Principal:
    """An administrator of the insurer."""
    public_id = lin()
    with reading() as session:
        row = session.scalars(select(Operator).where(Operator.public_id == public_id)).one()
        return Principal("operator", row.id, public_id, row.insurer_id or 0, 0, "Asia/Shanghai", "admin")


def only(operator: Principal, provider: Provider) -> OutsideView:
    (found,) = outside_clinicians_for(operator, provider.code)
    return found


def audited() -> list[tuple[str, str]]:
    with reading() as session:
        found = session.scalars(select(AuditLine).where(AuditLine.action.like("clinician.%")).order_by(AuditLine.id))
        return [(line.action, line.actor) for line in found]


def test_whom_the_roster_names_waits_for_an_operator(provider: Provider, operator: Principal) -> None:
    assert take_roster(provider.id, [ZHOU, HE], now=NOON) == {"new": 2, "changed": 0, "unchanged": 0}
    found = outside_clinicians_for(operator, provider.code)
    assert [(each.code, each.verified_at) for each in found] == [("d-1", None), ("d-2", None)]

    for _ in range(2):
        verify_outside(operator, provider.code, found[0].id, LICENCE, now=NOON)

    assert outside_clinicians_for(operator, provider.code)[0].verified_at == NOON
    assert audited() == [("clinician.verified", operator.public_id)]
    assert shown_outside({found[0].id})[found[0].id].name == "何静"


@pytest.mark.parametrize(
    "said",
    [
        replace(HE, name="何静怡"),
        replace(HE, title_zh="主任医师"),
        replace(HE, title_en="Chief physician"),
        replace(HE, licence="110310000054321"),
    ],
)
def test_a_roster_that_names_her_otherwise_ends_her_verification(
    provider: Provider, operator: Principal, said: RemoteClinician
) -> None:
    take_roster(provider.id, [HE], now=NOON)
    verify_outside(operator, provider.code, only(operator, provider).id, LICENCE, now=NOON)
    assert take_roster(provider.id, [HE], now=NOON)["unchanged"] == 1
    assert only(operator, provider).verified_at == NOON

    assert take_roster(provider.id, [said], now=NOON)["changed"] == 1

    assert only(operator, provider).verified_at is None
    assert audited()[-1] == ("clinician.verification_ended", "roster")


def test_who_is_on_the_roster_no_more_stays_as_she_is(provider: Provider, operator: Principal) -> None:
    take_roster(provider.id, [HE], now=NOON)
    verify_outside(operator, provider.code, only(operator, provider).id, LICENCE, now=NOON)
    take_roster(provider.id, [], now=NOON)
    assert only(operator, provider).verified_at == NOON


def test_what_was_compared_is_what_is_verified(provider: Provider, operator: Principal) -> None:
    take_roster(provider.id, [HE], now=NOON)
    doctor = only(operator, provider).id
    take_roster(provider.id, [replace(HE, licence="110310000054321")], now=NOON)
    with pytest.raises(Invalid) as refused:
        verify_outside(operator, provider.code, doctor, LICENCE, now=NOON)
    assert (refused.value.at, refused.value.facts["reason"]) == ("licence", "licence_changed")


def test_an_operator_takes_it_back(provider: Provider, operator: Principal) -> None:
    take_roster(provider.id, [HE], now=NOON)
    doctor = only(operator, provider).id
    verify_outside(operator, provider.code, doctor, LICENCE, now=NOON)
    for _ in range(2):
        take_outside_back(operator, provider.code, doctor, now=NOON)
    assert only(operator, provider).verified_at is None
    assert [action for action, _ in audited()] == ["clinician.verified", "clinician.verification_taken_back"]


def test_she_is_found_under_her_own_provider_alone(provider: Provider, operator: Principal) -> None:
    other = make_offer()[0]
    take_roster(provider.id, [HE], now=NOON)
    take_roster(other.id, [HE], now=NOON)
    doctor = only(operator, provider).id
    assert only(operator, other).id != doctor
    for act in (
        lambda: verify_outside(operator, other.code, doctor, LICENCE, now=NOON),
        lambda: take_outside_back(operator, other.code, doctor, now=NOON),
        lambda: verify_outside(operator, "nobody", doctor, LICENCE, now=NOON),
    ):
        with pytest.raises(NotFound):
            act()


def test_an_agent_verifies_nobody(provider: Provider, operator: Principal) -> None:
    take_roster(provider.id, [HE], now=NOON)
    doctor = only(operator, provider).id
    agent = replace(operator, role="agent")
    for act in (
        lambda: outside_clinicians_for(agent, provider.code),
        lambda: verify_outside(agent, provider.code, doctor, LICENCE, now=NOON),
        lambda: take_outside_back(agent, provider.code, doctor, now=NOON),
    ):
        with pytest.raises(NotFound):
            act()


def test_the_database_wants_a_licence_of_fifteen_digits(provider: Provider) -> None:
    with pytest.raises(Exception, match="ck_outside_clinician_licence"), transaction() as session:
        session.add(
            OutsideClinician(
                public_id="ocl_x",
                provider_id=provider.id,
                code="d-9",
                name="n",
                title_zh="t",
                title_en="t",
                licence="12",
                listed_at=NOON,
                created_at=NOON,
                updated_at=NOON,
            )
        )
