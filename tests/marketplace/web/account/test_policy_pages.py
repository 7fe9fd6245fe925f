"""My policies: what each gives, until when, who is insured."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from marketplace.catalog.kinds import kinds
from tests.marketplace.web.visitors import Visitor, main
from tests.policies import FATHER, HERSELF, policy_facts, put
from tests.world import World
from vip.policies import of_customer

PHONE = "13800000021"


def test_without_any_policy_the_page_says_what_to_do(visitor: Visitor, world: World) -> None:
    assert 'href="/me/policies"' in visitor.get("/me").text
    told = main(visitor.get("/me/policies"))
    assert "No policies here yet" in told and "ask your insurer" in told
    visitor.language = "zh"
    assert "还没有保单" in main(visitor.get("/me/policies"))


def test_those_in_force_say_what_they_give_and_those_over_stand_below(
    visitor: Visitor, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = kinds()["health_check"]
    long_term = replace(kind, traits=replace(kind.traits, policy="long_term"))
    monkeypatch.setattr(of_customer, "kinds", lambda: {"health_check": long_term})
    insurer = world.customer.insurer_id
    put(policy_facts(holder_phone=PHONE), insurer_id=insurer)
    put(
        policy_facts(
            holder_phone=PHONE,
            key="p2",
            number="P2-2222-9876",
            long_term=False,
            in_force_from=date(2024, 1, 1),
            in_force_until=date(2024, 12, 31),
            insured=(HERSELF,),
        ),
        insurer_id=insurer,
    )
    page = visitor.get("/me/policies")
    told = main(page)
    now, _, before = told.partition("No longer in force")
    assert "From 1 January 2020, for life" in now and "In force" in now and "沈静宜 (You)" in now and "Father" in now
    assert "Health check" in now and "left" in now and "/places?benefit=health_check" in page.text
    assert "****0001" in now and "8888" not in page.text
    assert "it takes place even if the policy ends before the day" in now
    assert "1 January 2024 to 31 December 2024" in before and "Policy ended" in before and "Health check" not in before
    visitor.language = "zh"
    assert "长青终身寿险" in main(visitor.get("/me/policies"))


def test_a_policy_that_gives_what_was_never_granted_says_whom_to_ask(
    visitor: Visitor, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = kinds()["health_check"]
    long_term = replace(kind, traits=replace(kind.traits, policy="long_term"))
    monkeypatch.setattr(of_customer, "kinds", lambda: {"eye_exam": long_term})
    put(policy_facts(holder_phone=PHONE, insured=(FATHER,), holder=HERSELF), insurer_id=world.customer.insurer_id)
    assert "Ask your insurer about it" in main(visitor.get("/me/policies"))
