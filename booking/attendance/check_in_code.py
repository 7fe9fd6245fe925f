"""The code that a customer shows at the provider's desk: it names her booking and proves that it is shown by who has
the booking's page.

It holds nothing about her: the booking's public id and a keyed hash of that id and its service date. So it can't be
guessed or made up, and changes with the date. Alone it opens nothing: it is read by a signed-in member of the
booking's own provider, who can do no more by it than check that booking in.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterator
from datetime import date

from booking.models import Booking
from booking.states import BookingState
from marketplace.catalog.kinds import has_times
from marketplace.core import crypto
from providers.registry import ADAPTERS, capabilities

_PREFIX = "AXC1"
_MARK_BYTES = 15  # 120 bits
_FORM = re.compile(rf"{_PREFIX}:([0-9A-Za-z_-]{{1,64}}):([0-9A-Za-z_-]{{20}})")
LONGEST = 120
"""Characters that a code has at most."""


def code_of(public_id: str, service_date: date) -> str:
    """The code of a booking at its date."""
    return f"{_PREFIX}:{public_id}:{_spelt(crypto.blind_index(_proved(public_id, service_date), _PURPOSE))}"


def code_to_show(booking: Booking, adapter: str) -> str:
    """The code of a booking that its provider's desk can check in now or later; blank for any other."""
    at_desk = adapter in ADAPTERS and capabilities(adapter).answers_here
    firm = booking.state is BookingState.CONFIRMED and has_times(booking.kind)
    return code_of(booking.public_id, booking.service_date) if at_desk and firm else ""


def booking_named(code: str) -> str | None:
    """The public id that a code names, proved or not; None for what is no code."""
    found = _FORM.fullmatch(code.strip())
    return None if found is None else found[1]


def is_code(code: str, public_id: str, service_date: date) -> bool:
    """Whether this is the code of that booking at that date, made with any key that is still accepted."""
    found = _FORM.fullmatch(code.strip())
    if found is None or found[1] != public_id:
        return False
    return any(hmac.compare_digest(found[2], mark) for mark in _marks(public_id, service_date))


_PURPOSE = "check_in"


def _proved(public_id: str, service_date: date) -> str:
    return f"{public_id}\0{service_date.isoformat()}"


def _marks(public_id: str, service_date: date) -> Iterator[str]:
    return map(_spelt, crypto.blind_indexes(_proved(public_id, service_date), _PURPOSE))


def _spelt(index: bytes) -> str:
    return base64.urlsafe_b64encode(index[:_MARK_BYTES]).decode()
