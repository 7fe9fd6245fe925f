"""How long the link of an application is good, and for what its parts are sealed."""

from __future__ import annotations

from datetime import timedelta

LASTS = timedelta(hours=24)


def contact_record(public_id: str) -> str:
    """The record that the contact's name is sealed for."""
    return f"application:{public_id}:contact"


def email_record(public_id: str) -> str:
    """The record that the contact's address is sealed for."""
    return f"application:{public_id}:email"


def token_record(public_id: str) -> str:
    """The record that the token of the link is sealed for, until the letter is sent."""
    return f"application:{public_id}:token"
