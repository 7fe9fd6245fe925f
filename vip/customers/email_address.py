"""E-mail addresses: the one rule of what is accepted, how it is stored and shown."""

from __future__ import annotations

import re
import unicodedata

from marketplace.core import crypto
from marketplace.core.errors import Invalid

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
_LONGEST = 254


def normalise(text: str, *, field: str = "email") -> str:
    """The address as people type it, full-width characters made plain and the domain in small letters.

    What HTML's e-mail field accepts, with a dot in the domain; at most 254 characters (RFC 5321, section 4.5.3.1.3).
    Raises Invalid(reason="email").
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if len(plain) > _LONGEST or not _ADDRESS.fullmatch(plain):
        raise Invalid(field=field, reason="email")
    local, _, domain = plain.rpartition("@")
    return f"{local}@{domain.lower()}"


def record_of(customer_public_id: str) -> str:
    """The record that a customer's address is sealed for."""
    return f"customer:{customer_public_id}:email"


def seal(address: str, customer_public_id: str) -> bytes:
    """An address as it is stored with its customer."""
    return crypto.seal_master(address, record_of(customer_public_id))


def unseal(sealed: bytes, customer_public_id: str) -> str:
    """The address of that customer. Raises crypto.Unreadable when it was moved from another record."""
    return crypto.unseal_master(sealed, record_of(customer_public_id))


def masked(address: str) -> str:
    """For showing: `s***@example.com`."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}"
