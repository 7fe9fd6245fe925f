"""What offers and pools share: references in a path, who writes, and its Idempotency-Key."""

from __future__ import annotations

from flask import request

from booking.idempotency import Repeatable
from booking.offers.limits import LONGEST_REFERENCE, usable_reference
from booking.offers.maintain import Writer
from marketplace.core.errors import NotFound
from marketplace.rest import idempotency
from providers.partner_api.door import caller

PATH = f"<string(maxlength={LONGEST_REFERENCE}):reference>"
"""A partner's own reference in a path: anything but a slash."""


def checked(reference: str) -> str:
    """The reference of a path. Raises NotFound for one that nothing can have."""
    if not usable_reference(reference):
        raise NotFound()
    return reference


def writer() -> Writer:
    """Whose program this is."""
    return Writer(caller().provider_id, caller().client)


def repeatable() -> Repeatable:
    """This request, to be sent twice: its body, and the version that it expects."""
    said = {"body": request.get_json(), "if_match": request.headers.get("If-Match")}
    return Repeatable(caller().scope_of_keys, idempotency.key(), idempotency.fingerprint(said))
