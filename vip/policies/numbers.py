"""Policy numbers: what is accepted, how they are stored, found and shown."""

from __future__ import annotations

import re

from marketplace.core import crypto
from marketplace.core.errors import Invalid
from marketplace.core.text import without_invisible

PURPOSE = "policy_number"
SHORTEST, LONGEST = 4, 40
_SEPARATORS = re.compile(r"[\s\-‐‑‒–—−.·/_]")


def normalise(text: str, *, field: str = "number") -> str:
    """The number as an insurer writes it, in capitals, without spaces and invisible characters. Raises
    Invalid(reason="policy_number") for fewer than 4 or more than 40 characters, or a sign that is no letter, digit or
    separator."""
    plain = "".join(without_invisible(text[: 4 * LONGEST]).split()).upper()
    if not SHORTEST <= len(spelled(plain)) <= len(plain) <= LONGEST or not spelled(plain).isalnum():
        raise Invalid(field=field, reason="policy_number")
    return plain


def spelled(number: str) -> str:
    """Its letters and digits alone: two numbers that differ in separators are the same."""
    return _SEPARATORS.sub("", without_invisible(number)).upper()


def indexes(number: str) -> tuple[bytes, ...]:
    """The blind indexes that a normalised number may have: one for each live key, the current one's first."""
    return crypto.blind_indexes(spelled(number), PURPOSE)


def record_of(policy_public_id: str) -> str:
    """The record that a policy's number is sealed for."""
    return f"policy:{policy_public_id}:number"


def seal(number: str, policy_public_id: str) -> bytes:
    """A normalised number as it is stored with its policy."""
    return crypto.seal_master(number, record_of(policy_public_id))


def unseal(sealed: bytes, policy_public_id: str) -> str:
    """The number of that policy. Raises crypto.Unreadable: when its holder was erased, and it is empty, without an
    integrity alarm, else after one."""
    if not sealed:
        raise crypto.Unreadable(record_of(policy_public_id))
    return crypto.unseal_master(sealed, record_of(policy_public_id))


def masked(number: str) -> str:
    """For showing: its last four characters, of a short one its last two: `****6789`."""
    return f"****{number[-4:] if len(number) >= 8 else number[-2:]}"
