"""The demonstration's people."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, func, select

from marketplace.core.database.db import reading
from marketplace.core.errors import Invalid
from marketplace.demo import people as demo
from tests.people import NOON, TODAY, make_customer, make_insurer
from tests.statements import statements_sent
from vip.customers.family import family
from vip.entitlements.of_customer import entitlements
from vip.models import Customer, Entitlement, EntitlementEntry, SignInSession
from vip.signin import authentication, signin

pytestmark = pytest.mark.usefixtures("db")


def test_three_people_of_three_tiers_can_sign_in() -> None:
    people = demo.load_people(NOON)
    assert [one.tier for one in people] == ["select", "premier", "essential"]
    for one in people:
        principal = authentication.authenticate(signin.issue_token(one.phone, NOON).token, now=NOON)
        assert family(principal.id)[0].name == one.name
        assert any(view.state == "active" for view in entitlements(principal.id, today=TODAY))


def test_the_first_one_has_a_benefit_that_ends_soon_and_one_that_expired() -> None:
    first = demo.load_people(NOON)[0]
    principal = authentication.authenticate(signin.issue_token(first.phone, NOON).token, now=NOON)
    views = entitlements(principal.id, today=TODAY)
    assert (views[0].state, views[0].granted, views[0].days_left) == ("active", 1, 13)
    assert views[-1].state == "expired" and views[-1].expired == 1
    assert all(not member.warnings for member in family(principal.id))


def test_loading_twice_changes_nothing() -> None:
    assert demo.load_people(NOON) == demo.load_people(NOON)
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(Customer)) == 3
        assert session.scalar(select(func.count()).select_from(EntitlementEntry)) == 6


def test_hundreds_of_customers_are_made_in_bulk(db: Engine) -> None:
    make_insurer()
    with statements_sent() as statements:
        made = demo.make_customers(200, "health_check", 3, NOON)
    assert len(statements) < 50
    assert len({one.phone for one in made}) == len({one.token for one in made}) == 200
    with reading() as session:
        assert session.scalar(select(func.count()).where(Entitlement.available == 3)) == 200
        assert session.scalar(select(func.count()).select_from(SignInSession)) == 200


def test_each_of_them_signs_in_with_phone_or_token_and_has_a_family() -> None:
    make_customer()
    made = demo.make_customers(2, "health_check", None, NOON) + demo.make_customers(2, "health_check", 1, NOON)
    for place, one in enumerate(made):
        principal = authentication.authenticate(one.token, now=NOON)
        assert principal.public_id == one.customer_public_id
        assert authentication.authenticate(signin.issue_token(one.phone, NOON).token, now=NOON).id == principal.id
        assert [member.relation for member in family(principal.id)] == ["self", "father"]
        (view,) = entitlements(principal.id, today=TODAY)
        assert (view.state, view.granted) == ("active", None if place < 2 else 1)


@pytest.mark.parametrize(("n", "quantity"), [(0, 1), (-1, 1), (100_001, 1), (1, 0)])
def test_impossible_numbers_are_refused(n: int, quantity: int) -> None:
    make_insurer()
    with pytest.raises(Invalid):
        demo.make_customers(n, "health_check", quantity, NOON)


def test_both_refuse_outside_development(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signin, "settings", lambda: type("Production", (), {"development": False})())
    with pytest.raises(signin.DevelopmentOnly):
        demo.load_people(NOON)
    with pytest.raises(signin.DevelopmentOnly):
        demo.make_customers(1, "health_check", 1, NOON)
