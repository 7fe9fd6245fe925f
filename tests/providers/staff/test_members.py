"""Members of a provider: who makes the first, and what a manager does to the others."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pyotp
import pytest
from click.testing import CliRunner
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound, Unauthenticated
from marketplace.providers_commands import providers
from providers.staff.administration import (
    change_role,
    end_service,
    give_password,
    member_of,
    members_of,
    reset_second_factor,
    return_to_service,
)
from providers.staff.members import add_member, myself
from tests.concurrency.controls import all_at_once
from tests.desk import PASSWORD, account, make_member, member
from tests.people import NOON, make_insurer
from tests.world import make_offer
from vip.operators import device_changes
from vip.operators.account_changes import change_password
from vip.operators.operators import LoginTaken, WrongPassword, create_admin, sign_in_operator
from vip.operators.sign_in_steps import NextStep
from vip.operators.team import LastAdmin, OwnAccount
from vip.principal import Member
from vip.signin.authentication import authenticate_member
from vip.signin.signin import sessions, sign_out_everywhere

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


@pytest.fixture
def code() -> str:
    """A provider."""
    make_insurer()
    provider, _offer, _slots = make_offer()
    return provider.code


@pytest.fixture
def fang(code: str) -> Member:
    return member(make_member(code, login="fang"))


@pytest.fixture
def wu(code: str, fang: Member) -> Member:
    """Another one, a clinician."""
    return member(make_member(code, "clinician", login="wu", name="吴迪"))


def lines(action: str) -> list[tuple[str, str, str]]:
    with reading() as session:
        found = session.scalars(select(AuditLine).where(AuditLine.action == action).order_by(AuditLine.id))
        return [(line.actor_kind, line.actor, line.subject) for line in found]


def test_a_member_is_somebody_of_her_provider_and_the_audit_names_her_so(fang: Member) -> None:
    assert (fang.kind, fang.acts_as, fang.role, fang.insurer_id) == ("member", "provider", "manager", None)
    me = myself(fang)
    assert (me.login, me.name, me.role, me.zone) == ("fang", "方敏", "manager", fang.time_zone)
    assert lines("operator.signed_in") == [("provider", fang.public_id, fang.public_id)]
    assert len(sessions(fang, NOON)) == 1 and sign_out_everywhere(fang, NOON) == 1
    assert lines("operator.signed_out_everywhere") == [("provider", fang.public_id, fang.public_id)]


def test_a_member_is_made_by_command(code: str) -> None:
    runner = CliRunner(env={"MEMBER_PASSWORD": PASSWORD})
    made = runner.invoke(providers, ["add-member", code, "--login", "Fang", "--name", "方敏"])
    assert made.exit_code == 0 and member("fang").public_id == made.output.strip()
    assert member("fang").role == "manager"
    refused = runner.invoke(providers, ["add-member", "nowhere", "--login", "x", "--name", "x"])
    assert refused.exit_code != 0 and "provider: There is nothing here" in refused.output


@pytest.mark.parametrize(
    ("provider", "login", "password", "name", "role", "error"),
    [
        ("nowhere", "x", PASSWORD, "X", "manager", NotFound),
        ("", "", PASSWORD, "X", "manager", Invalid),
        ("", "x", "short", "X", "manager", Invalid),
        ("", "x", PASSWORD, "", "manager", Invalid),
        ("", "x", PASSWORD, "X", "admin", Invalid),
    ],
)
def test_what_is_missing_is_refused(
    code: str, provider: str, login: str, password: str, name: str, role: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        add_member(provider or code, login, password, name, role, now=NOON)  # type: ignore[arg-type]


def test_logins_are_those_of_operators_and_members_together(code: str, fang: Member) -> None:
    create_admin("lin", PASSWORD, "林默", now=NOON)
    for login in ("FANG", "lin"):
        with pytest.raises(LoginTaken):
            add_member(code, login, PASSWORD, "X", "manager", now=NOON)


@pytest.mark.parametrize(
    "change",
    [
        "role = 'admin'",
        "role = 'owner'",
        "insurer_id = (SELECT min(id) FROM insurer)",
        "provider_id = NULL",
        "provider_id = NULL, insurer_id = (SELECT min(id) FROM insurer)",
    ],
)
def test_the_database_has_no_account_of_two_employers_or_with_anothers_role(fang: Member, change: str) -> None:
    create_admin("lin", PASSWORD, "林默", now=NOON)
    with pytest.raises(IntegrityError, match="ck_operator_"), transaction() as session:
        session.execute(text(f"UPDATE operator SET {change} WHERE id = :id"), {"id": fang.id})


def test_the_database_gives_no_operator_a_members_role() -> None:
    make_insurer()
    create_admin("lin", PASSWORD, "林默", now=NOON)
    with pytest.raises(IntegrityError, match="ck_operator_role"), transaction() as session:
        session.execute(text("UPDATE operator SET role = 'manager'"))


def test_the_list_holds_the_providers_own_people(code: str, fang: Member, wu: Member) -> None:
    other, _offer, _slots = make_offer()
    make_member(other.code, login="stranger")
    end_service(fang, wu.public_id, now=NOON)
    make_member(code, "front_desk", login="zhao", name="赵")
    rows = [(row.login, row.role, row.myself, row.ended_at) for row in members_of(fang)]
    assert rows == [
        ("fang", "manager", True, None),
        ("zhao", "front_desk", False, None),
        ("wu", "clinician", False, NOON),
    ]
    assert member_of(fang, wu.public_id).signed_in_at == NOON


def test_the_end_of_service_ends_sessions_at_once_and_the_return_revives_none(fang: Member, wu: Member) -> None:
    found = sign_in_operator("wu", PASSWORD, NOON, employer="provider")
    assert not isinstance(found, NextStep) and end_service(fang, wu.public_id, now=NOON) == 2
    for again in (
        lambda: authenticate_member(found.token, now=NOON),
        lambda: change_password(wu, PASSWORD, "another river, a boat", now=NOON),
    ):
        with pytest.raises(Unauthenticated):
            again()
    with pytest.raises(WrongPassword):
        sign_in_operator("wu", PASSWORD, NOON, employer="provider")
    assert end_service(fang, wu.public_id, now=NOON) == 0
    return_to_service(fang, wu.public_id, now=NOON)
    with pytest.raises(Unauthenticated):
        authenticate_member(found.token, now=NOON)
    assert member("wu").public_id == wu.public_id
    assert lines("operator.service_ended") == [("provider", fang.public_id, wu.public_id)]
    assert lines("operator.service_resumed") == [("provider", fang.public_id, wu.public_id)]


def test_another_role_counts_from_the_next_request(fang: Member, wu: Member) -> None:
    found = sign_in_operator("wu", PASSWORD, NOON, employer="provider")
    assert not isinstance(found, NextStep)
    change_role(fang, wu.public_id, "manager", now=NOON)
    change_role(fang, wu.public_id, "manager", now=NOON)
    assert authenticate_member(found.token, now=NOON).role == "manager"
    with pytest.raises(Invalid):
        change_role(fang, wu.public_id, "admin", now=NOON)  # type: ignore[arg-type]
    assert lines("operator.role_changed") == [("provider", fang.public_id, wu.public_id)]


def test_a_new_password_is_for_one_sign_in_and_ends_the_sessions(fang: Member, wu: Member) -> None:
    given = give_password(fang, wu.public_id, now=NOON)
    assert sessions(wu, NOON) == []
    with pytest.raises(WrongPassword):
        sign_in_operator("wu", PASSWORD, NOON, employer="provider")
    step = sign_in_operator("wu", given, NOON, employer="provider")
    assert isinstance(step, NextStep) and step.step == "password"
    assert given not in repr(account("wu")) and lines("operator.password_set") == [
        ("provider", fang.public_id, wu.public_id)
    ]


def test_a_lost_device_is_reset_and_the_sessions_end(fang: Member, wu: Member) -> None:
    offer = device_changes.offer(wu, now=NOON)
    device_changes.change_device(wu, "", offer.sealed, pyotp.TOTP(offer.secret).at(NOON), now=NOON)
    assert member_of(fang, wu.public_id).device_since == NOON
    assert reset_second_factor(fang, wu.public_id, now=NOON) == 1
    assert reset_second_factor(fang, wu.public_id, now=NOON) == 0
    assert member_of(fang, wu.public_id).device_since is None and sessions(wu, NOON) == []
    assert lines("operator.second_factor_reset") == [("provider", fang.public_id, wu.public_id)]


EVERY: list[Callable[[Member, str], object]] = [
    partial(lambda who, whom: end_service(who, whom, now=NOON)),
    partial(lambda who, whom: change_role(who, whom, "front_desk", now=NOON)),
    partial(lambda who, whom: give_password(who, whom, now=NOON)),
    partial(lambda who, whom: reset_second_factor(who, whom, now=NOON)),
]


@pytest.mark.parametrize("act", EVERY)
def test_nobody_does_it_to_her_own_account(fang: Member, act: Callable[[Member, str], object]) -> None:
    with pytest.raises(OwnAccount):
        act(fang, fang.public_id)
    assert account("fang").disabled_at is None and account("fang").role == "manager"


@pytest.mark.parametrize("act", [*EVERY, lambda who, whom: return_to_service(who, whom, now=NOON), member_of])
def test_without_the_duty_and_at_another_provider_nobody_is_there(
    wu: Member, fang: Member, act: Callable[[Member, str], object]
) -> None:
    other, _offer, _slots = make_offer()
    stranger = member(make_member(other.code, login="stranger"))
    create_admin("lin", PASSWORD, "林默", now=NOON)
    for who, whom in (
        (wu, fang.public_id),
        (stranger, wu.public_id),
        (fang, account("lin").public_id),
        (fang, "mbr_00000000000000000000"),
    ):
        with pytest.raises(NotFound):
            act(who, whom)


@pytest.mark.parametrize("end", [True, False], ids=["end", "demote"])
def test_of_two_managers_who_end_each_other_one_is_left(code: str, fang: Member, end: bool) -> None:
    other = member(make_member(code, login="mei"))

    def act(who: Member, whom: Member) -> None:
        if end:
            end_service(who, whom.public_id, now=NOON)
        else:
            change_role(who, whom.public_id, "clinician", now=NOON)

    found = all_at_once([partial(act, fang, other), partial(act, other, fang)])
    left = [row for row in members_of(fang) if row.role == "manager" and row.ended_at is None]
    assert len(left) == 1 and [type(one) for one in found].count(LastAdmin) == 1
