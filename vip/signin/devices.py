"""Devices that were signed in before: each holds a mark of the session it had, which opens nothing."""

from __future__ import annotations

import hmac

from sqlalchemy import ColumnElement, false

from marketplace.core import crypto, ids
from vip.models import SignInSession
from vip.signin.mode import in_test_mode

LONGEST_TOKEN = 200
_PURPOSE = "device"


def mark(session_id: str) -> str:
    """What a browser stores to be known by: the session's public id, and a proof that it was given out by us."""
    return f"{session_id}.{crypto.blind_index(session_id, _PURPOSE).hex()}"


def had(shown: str | None) -> ColumnElement[bool]:
    """The condition on sessions that `shown` (a token, or a mark) is of that session, be it over or not."""
    if not shown or len(shown) > LONGEST_TOKEN:
        return false()
    session_id, dot, proof = shown.partition(".")
    if not dot:
        token_hash = crypto.token_hash(shown)
        return SignInSession.token_hash.in_((token_hash, in_test_mode(token_hash)))
    proofs = [one.hex() for one in crypto.blind_indexes(session_id, _PURPOSE)] if ids.well_formed(session_id) else []
    right = proof.isascii() and any([hmac.compare_digest(proof, one) for one in proofs])
    return SignInSession.public_id == session_id if right else false()
