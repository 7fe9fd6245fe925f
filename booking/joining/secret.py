"""The secret of a test: sealed for an hour at most, and a keyed fingerprint by which it is known again."""

from __future__ import annotations

import hmac
from datetime import timedelta

from marketplace.core.crypto import blind_index, blind_indexes

RECORD = "system_test:{}:secret"
"""The record that the secret of a test is sealed for, of the test's public id."""
KEPT = timedelta(hours=1)
_PURPOSE = "system_test:secret:{}"


def mark_of_secret(secret: str, public_id: str) -> bytes:
    """A fingerprint of 32 bytes under the index key, for this test alone: without the key it tells nothing."""
    return blind_index(secret, _PURPOSE.format(public_id))


def is_same(secret: str, public_id: str, stored: bytes) -> bool:
    """Whether `stored` is the fingerprint of this secret."""
    return any(hmac.compare_digest(stored, each) for each in blind_indexes(secret, _PURPOSE.format(public_id)))


def is_none(public_id: str, stored: bytes) -> bool:
    """Whether `stored` says that the test was made without a secret."""
    return is_same("", public_id, stored)
