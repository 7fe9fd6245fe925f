"""What a client may be allowed: one scope a capability (RFC 6749, section 3.3)."""

from __future__ import annotations

from collections.abc import Mapping

SCOPES: Mapping[str, str] = {
    "slots": "Publish slots and day capacities.",
    "bookings": "Read the bookings, answer them, and say what became of them.",
    "reports": "Deliver and correct reports.",
    "webhooks": "Say where webhooks go, and look at what was delivered.",
    "offers": "Maintain packages and their prices.",
}
"""Each scope with what it allows, in English: it stands in the OpenAPI file."""
