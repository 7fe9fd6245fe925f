"""What we call a booking: at its provider by its public id, and a further one that replaces it with a suffix; among
people by its number."""

from __future__ import annotations

import re

from marketplace.core.text import without_invisible

_NUMBER = re.compile(r"([^-]+)-([0-9]{1,9})")


def own_reference(public_id: str, seq: int) -> str:
    """What we call the booking at the provider that the command `seq` of a booking makes beside the first one, which
    goes by the public id itself."""
    return f"{public_id}-{seq}"


def named(our_reference: str | None) -> tuple[str, int | None]:
    """The booking's public id in a reference of ours (blank for none), and the command that made the one at the
    provider if it was not the first."""
    found = _NUMBER.fullmatch(our_reference or "")
    return (our_reference or "", None) if found is None else (found[1], int(found[2]))


def normal_number(typed: str) -> str:
    """A booking's number as it is stored, from how people type or paste it."""
    return "".join(without_invisible(typed).split()).upper()
