"""Policies as an insurer tells them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.people import PHONE
from tests.policies import HERSELF, policy_facts
from vip.policies.facts import PolicyFacts


def told(
    *, version: int = 1, number: str = "PN-2026-00001", phone: str = PHONE, name: str = "沈静宜", **changes: Any
) -> dict[str, Any]:
    """The body of a put: a long-term policy in force for the holder alone."""
    return {
        "version": version,
        "number": number,
        "product": "evergreen",
        "product_name": {"zh": "长青终身", "en": "Evergreen Life"},
        "long_term": True,
        "holder_phone": phone,
        "in_force_from": "1999-05-01",
        "in_force_until": None,
        "status": "in_force",
        "insured": [{"name": name, "birth_date": "1988-04-12", "sex": "female", "relation": "self"}],
        **changes,
    }


def facts(key: str, *, version: int = 1, number: str, phone: str, name: str = "沈静宜") -> PolicyFacts:
    """The same as vip.policies takes it."""
    return policy_facts(
        key=key,
        version=version,
        number=number,
        holder_phone=phone,
        insured=(replace(HERSELF, name=name),),
    )
