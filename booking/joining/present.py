"""How a provider's system is reached at present, as one mark: whether it is still as it was."""

from __future__ import annotations

import hmac
import json

from booking.calls.connections import CALL_RECORD
from marketplace.catalog.models import Provider
from marketplace.core.crypto import blind_index, blind_indexes, open_master

_PURPOSE = "system_test:connection"


def mark_of(provider: Provider) -> bytes:
    """A keyed fingerprint of its adapter, address, settings and secret. A secret that can't be opened is none."""
    return blind_index(_as_text(provider), _PURPOSE)


def is_as_marked(provider: Provider, mark: bytes | None) -> bool:
    """Whether nothing of it changed since; False where no mark was made."""
    if mark is None:
        return False
    return any(hmac.compare_digest(mark, each) for each in blind_indexes(_as_text(provider), _PURPOSE))


def _as_text(provider: Provider) -> str:
    sealed = provider.secret_sealed
    opened = None if sealed is None else open_master(sealed, CALL_RECORD.format(provider.code))
    secret = "" if sealed is None else opened and opened[1].decode()
    return json.dumps(
        [provider.public_id, provider.adapter, provider.base_url, provider.settings, secret], sort_keys=True
    )
