"""What the terms of an offer may be at most, whoever writes them: a program or a member at the desk."""

from __future__ import annotations

from marketplace.core.strictjson import storable

MOST_PRICE = 10**12
"""In minor units of the currency."""
MOST_LEAD_MINUTES = 525_600
MOST_HOURS = 8_760
"""Of the rules of cancelling and of changing the date."""
MOST_CHANGES = 100
LONGEST_NAME = 200
LONGEST_REFERENCE = 255
LONGEST_PLACE_NAME = 80
"""What people call a place."""
CURRENCY = "^[A-Z]{3}$"
"""ISO 4217."""


def usable_reference(reference: str) -> bool:
    """Whether a provider may call an offer or a pool so: it is part of an address."""
    return (
        0 < len(reference) <= LONGEST_REFERENCE
        and storable(reference)
        and "/" not in reference
        and all(character.isprintable() for character in reference)
    )
