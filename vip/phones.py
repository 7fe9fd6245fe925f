"""Phone numbers: the one rule of what is accepted, how it is stored, found and shown."""

from __future__ import annotations

import re

from marketplace.core import crypto
from marketplace.core.errors import Invalid
from marketplace.core.text import without_invisible

_IGNORED = re.compile(r"[\s\-‐‑‒–—−().·]")
_MAINLAND = re.compile(r"1[3-9][0-9]{9}")
_INTERNATIONAL = re.compile(r"\+[1-9][0-9]{6,14}")
_LONGEST = 40


def normalise(text: str, *, field: str = "phone") -> str:
    """The number in E.164 form (`+8613800000001`), from what people type.

    A mainland mobile number is 11 digits starting 13 to 19, with or without +86, 86, 0086 or a leading 0. Anything
    else needs its country code with + or 00 (ITU-T E.164: at most 15 digits). Spaces, dashes, brackets, full-width
    digits and invisible characters are tolerated. Raises Invalid(reason="phone").
    """
    if len(text) > _LONGEST:
        raise Invalid(field=field, reason="phone")
    plain = _IGNORED.sub("", without_invisible(text))
    if plain.startswith("00"):
        plain = "+" + plain[2:]
    if not plain.startswith("+"):
        national = plain[2:] if len(plain) == 13 and plain.startswith("86") else plain
        national = national.removeprefix("0")  # as some write it for a call from another city
        plain = "+86" + national
        if not _MAINLAND.fullmatch(national):
            raise Invalid(field=field, reason="phone")
    if plain.startswith("+86") and not _MAINLAND.fullmatch(plain[3:]):
        raise Invalid(field=field, reason="phone")
    if not _INTERNATIONAL.fullmatch(plain):
        raise Invalid(field=field, reason="phone")
    return plain


def index(phone: str) -> bytes:
    """The blind index a normalised number is found by."""
    return crypto.blind_index(phone, "phone")


def seal(phone: str, customer_public_id: str) -> bytes:
    """A normalised number as it is stored with its customer."""
    return crypto.seal_master(phone, f"customer:{customer_public_id}:phone")


def unseal(sealed: bytes, customer_public_id: str) -> str:
    """The number of that customer. Raises crypto.Unreadable when it was moved from another record."""
    return crypto.unseal_master(sealed, f"customer:{customer_public_id}:phone")


def masked(phone: str) -> str:
    """For showing: `138****0001`; of an international number the country's digits and the last two."""
    if phone.startswith("+86"):
        return f"{phone[3:6]}****{phone[-4:]}"
    return f"{phone[:3]}****{phone[-2:]}"
