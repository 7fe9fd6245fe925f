"""What is kept of a person's answers: sealed under that person's own key, bound to the booking."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from marketplace.core.crypto import seal, unseal, unwrap_key


def seal_details(details: Mapping[str, Any], wrapped_key: bytes | None, beneficiary: str, booking: str) -> bytes | None:
    """The answers for storage, or None when there are none. Public ids name the records."""
    if not details:
        return None
    key = unwrap_key(wrapped_key, beneficiary)
    return seal(json.dumps(dict(details)).encode(), key=key, record=f"booking:{booking}:details")


def open_details(sealed: bytes | None, wrapped_key: bytes | None, beneficiary: str, booking: str) -> dict[str, Any]:
    """The answers as given; empty when there were none. Raises Unreadable after the person's data was deleted."""
    if sealed is None:
        return {}
    key = unwrap_key(wrapped_key, beneficiary)
    answers: dict[str, Any] = json.loads(unseal(sealed, key=key, record=f"booking:{booking}:details"))
    return answers
