"""What is frozen of an offer when it is booked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson


def frozen(facts: Any, entitled: Mapping[str, Any] | None = None) -> str:
    """The booking's snapshot as JSON, of a row that names the offer, its provider and the site where it is done;
    `package` is text. `entitled`: by what it was allowed (booking.eligibility)."""
    return orjson.dumps(_snapshot(facts) | dict(entitled or {})).decode()


def _snapshot(facts: Any) -> dict[str, Any]:
    return {
        "offer": {"id": facts.offer_public_id, "zh": facts.offer_zh, "en": facts.offer_en},
        "provider": {"zh": facts.provider_zh, "en": facts.provider_en},
        "site": {
            "id": facts.site_public_id,
            "name": facts.site,
            "city": facts.city,
            "district": facts.district,
            "address": facts.address,
            "tier": facts.tier,
        },
        "package": orjson.Fragment(facts.package),  # as it is stored, written by nobody anew
        "cancel_hours": facts.cancel_hours,
        "change_hours": facts.change_hours,
        "max_changes": facts.max_changes,
    }
