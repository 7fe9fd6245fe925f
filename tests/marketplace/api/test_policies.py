"""The customer's policies by the API."""

from __future__ import annotations

from datetime import date

from tests.marketplace.api.caller import Caller
from tests.policies import FATHER, HERSELF, policy_facts, put
from tests.world import World


def test_her_policies_are_listed_those_in_force_first(caller: Caller, world: World) -> None:
    assert caller.get("/policies").json == {"items": [], "next": None}
    insurer, phone = world.customer.insurer_id, "13800000021"
    over = {"key": "p2", "number": "P2-2222-9876", "in_force_until": date(2024, 12, 31), "insured": (HERSELF,)}
    put(policy_facts(holder_phone=phone, **over), insurer_id=insurer)
    made = put(policy_facts(holder_phone=phone, insured=(HERSELF, FATHER)), insurer_id=insurer)
    first, second = caller.get("/policies").json["items"]
    people = caller.get("/me/family").json["items"]
    assert {**first, "benefits": []} == {
        "id": made.policy_id,
        "number_masked": "****0001",
        "product": "WHOLE",
        "product_name": {"zh": "长青终身寿险", "en": "Evergreen whole life"},
        "long_term": True,
        "state": "in_force",
        "in_force_from": "2020-01-01",
        "in_force_until": None,
        "insured": [
            {"beneficiary_id": people[0]["id"], "name": "沈静宜", "relation": "self"},
            {"beneficiary_id": people[1]["id"], "name": "沈伯年", "relation": "father"},
        ],
        "benefits": [],
    }
    assert (second["state"], second["in_force_until"]) == ("ended", "2024-12-31")
