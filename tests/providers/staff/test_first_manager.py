"""The first manager of a provider: made by an administrator, and nobody after her."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from marketplace.core.errors import NotFound
from providers.staff.administration import end_service, members_of
from providers.staff.first_manager import HasManager, make_first, provider_without, providers_staffed
from tests.concurrency.controls import all_at_once
from tests.desk import make_member, member
from tests.people import NOON, make_insurer
from tests.world import make_offer
from vip.operators.administration import NewOperator
from vip.operators.operators import create_admin, sign_in_operator
from vip.operators.sign_in_steps import NextStep, OperatorSignedIn
from vip.principal import Principal
from vip.signin.authentication import authenticate
from vip.signin.signin import RECENT, SignInAgain

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


@pytest.fixture
def code() -> str:
    provider, _offer, _slots = make_offer()
    return provider.code


@pytest.fixture
def lin(code: str) -> Principal:
    """An administrator."""
    make_insurer()
    create_admin("lin", "a long password", "林默", now=NOON)
    found = sign_in_operator("lin", "a long password", NOON)
    assert isinstance(found, OperatorSignedIn)
    return authenticate(found.token, now=NOON)


def test_an_administrator_makes_her_with_a_password_for_one_sign_in(lin: Principal, code: str) -> None:
    assert [(it.code, it.members, it.has_manager) for it in providers_staffed(lin)] == [(code, 0, False)]
    assert provider_without(lin, code).code == code
    made = make_first(lin, code, "Fang", "方敏", now=NOON)
    found = sign_in_operator("fang", made.password, NOON, employer="provider")
    assert isinstance(found, NextStep) and found.step == "password" and made.password not in repr(made)
    assert [(it.code, it.members, it.has_manager) for it in providers_staffed(lin)] == [(code, 1, True)]


def test_where_there_is_a_manager_no_administrator_makes_another(lin: Principal, code: str) -> None:
    make_member(code, login="fang")
    for again in (lambda: make_first(lin, code, "wu", "吴迪", now=NOON), lambda: provider_without(lin, code)):
        with pytest.raises(HasManager):
            again()


def test_other_members_and_managers_whose_service_is_over_are_no_manager(lin: Principal, code: str) -> None:
    fang, mei = member(make_member(code, login="fang")), member(make_member(code, login="mei"))
    make_member(code, "clinician", login="wu")
    end_service(fang, mei.public_id, now=NOON)
    assert [(it.members, it.has_manager) for it in providers_staffed(lin)] == [(2, True)]


def test_of_two_administrators_at_once_one_makes_her(lin: Principal, code: str) -> None:
    tries = [partial(make_first, lin, code, login, "方敏", now=NOON) for login in ("fang", "mei")]
    found = all_at_once(tries)
    assert sorted(type(one).__name__ for one in found) == sorted([NewOperator.__name__, HasManager.__name__]) or any(
        type(one).__name__ == "Crowded" for one in found
    )
    assert [it.members for it in providers_staffed(lin)] == [1]


def agent(lin: Principal) -> Principal:
    return replace(lin, role="agent")


@pytest.mark.parametrize(
    "act",
    [
        lambda who, code: make_first(who, code, "fang", "方敏", now=NOON),
        lambda who, code: provider_without(who, code),
        lambda who, code: providers_staffed(who),
    ],
)
def test_an_agent_and_a_manager_find_no_provider_here(
    lin: Principal, code: str, act: Callable[[object, str], object]
) -> None:
    fang = member(make_member(code, login="fang"))
    for who in (agent(lin), fang):
        with pytest.raises(NotFound):
            act(who, code)
    assert len(members_of(fang)) == 1


def test_a_provider_that_is_not_there_is_not_found(lin: Principal) -> None:
    for act in (lambda: make_first(lin, "nowhere", "fang", "方", now=NOON), lambda: provider_without(lin, "nowhere")):
        with pytest.raises(NotFound):
            act()


def test_a_session_that_was_left_open_makes_nobody(lin: Principal, code: str) -> None:
    with pytest.raises(SignInAgain):
        make_first(lin, code, "fang", "方敏", now=NOON + RECENT + timedelta(seconds=1))
