"""A person's answers and words, stored sealed under her own key of the class process and bound to their record.

And the record that a version of a report is bound to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from marketplace.core.crypto import seal, unseal
from vip.customers.person_keys import WrappedKey


def version_record(report: str, version: int) -> str:
    """The record of one version of a report (its public id): its key is wrapped for it, its parts are sealed for parts
    of it."""
    return f"{report}:{version}"


def seal_details(details: Mapping[str, Any], key: WrappedKey, booking: str) -> bytes | None:
    """The answers for a booking (public id) for storage, or None when there are none."""
    if not details:
        return None
    return seal(json.dumps(dict(details)).encode(), key=key.open(), record=f"booking:{booking}:details")


def open_details(sealed: bytes | None, key: WrappedKey, booking: str) -> dict[str, Any]:
    """The answers as given; empty when there were none. Raises Unreadable after the person's data was deleted."""
    if sealed is None:
        return {}
    answers: dict[str, Any] = json.loads(unseal(sealed, key=key.open(), record=f"booking:{booking}:details"))
    return answers


def seal_words(words: str, key: WrappedKey, record: str) -> bytes:
    """Free text about a person for storage, bound to `record`."""
    return seal(words.encode(), key=key.open(), record=record)


def open_words(sealed: bytes, key: WrappedKey, record: str) -> str:
    """The text as it was sealed. Raises Unreadable after the person's data was deleted."""
    return unseal(sealed, key=key.open(), record=record).decode()
