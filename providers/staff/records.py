"""How long an invitation is good, and for what its address and its token are sealed."""

from __future__ import annotations

from datetime import timedelta

LASTS = timedelta(days=7)


def to_record(public_id: str) -> str:
    """The record that the address of an invitation is sealed for."""
    return f"invitation:{public_id}:to"


def token_record(public_id: str) -> str:
    """The record that the token of an invitation is sealed for, until the message is sent."""
    return f"invitation:{public_id}:token"
