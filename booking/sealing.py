"""A person's answers and words, stored sealed under that person's own key and bound to the booking."""

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


def seal_words(words: str, wrapped_key: bytes | None, beneficiary: str, record: str) -> bytes:
    """Free text about a person for storage, under her own key and bound to `record`."""
    return seal(words.encode(), key=unwrap_key(wrapped_key, beneficiary), record=record)


def open_words(sealed: bytes, wrapped_key: bytes | None, beneficiary: str, record: str) -> str:
    """The text as it was sealed. Raises Unreadable after the person's data was deleted."""
    return unseal(sealed, key=unwrap_key(wrapped_key, beneficiary), record=record).decode()
