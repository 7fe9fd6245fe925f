"""The demonstration's policies."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.demo.people import load_people
from marketplace.demo.policies import load_policies
from tests.people import NOON, TODAY
from vip.policies.of_customer import policies
from vip.signin import authentication, signin

pytestmark = pytest.mark.usefixtures("db")


def test_each_of_the_three_sees_another_kind_of_policy_and_loading_again_changes_nothing() -> None:
    people = load_people(NOON)
    assert (load_policies(NOON), load_policies(NOON + timedelta(days=400))) == (5, 0)
    seen = {}
    for one in people:
        who = authentication.authenticate(signin.issue_token(one.phone, NOON).token, now=NOON)
        seen[one.name] = [(it.standing, it.long_term, len(it.insured)) for it in policies(who.id, today=TODAY)]
    assert seen == {
        "沈静宜": [("in_force", True, 3), ("in_force", False, 2)],
        "程远帆": [("in_force", True, 3), ("ended", False, 1)],
        "何乐之": [("lapsed", True, 2)],
    }


def test_it_is_refused_outside_development(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signin, "settings", lambda: type("Production", (), {"development": False})())
    with pytest.raises(signin.DevelopmentOnly):
        load_policies(NOON)
