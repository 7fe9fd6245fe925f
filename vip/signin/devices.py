"""Devices that were signed in before: each holds a mark of the session it had, which opens nothing."""

from __future__ import annotations

import hmac

from sqlalchemy import ColumnElement, false

from marketplace.core import crypto, ids
from vip.models import SignInSession

LONGEST_TOKEN = 200


def mark(session_id: str) -> str:
    """What a browser stores to be known by: the session's public id, and a proof that it was given out by us."""
    return f"{session_id}.{_proof(session_id)}"


def had(shown: str | None) -> ColumnElement[bool]:
    """The condition on sessions that `shown` (a token, or a mark) is of that session, be it over or not."""
    if not shown or len(shown) > LONGEST_TOKEN:
        return false()
    session_id, dot, proof = shown.partition(".")
    if not dot:
        return SignInSession.token_hash == crypto.token_hash(shown)
    right = ids.well_formed(session_id) and proof.isascii() and hmac.compare_digest(proof, _proof(session_id))
    return SignInSession.public_id == session_id if right else false()


def _proof(session_id: str) -> str:
    return crypto.blind_index(session_id, "device").hex()
