"""A provider's message that confirms a booking: the commonest there is, so in one round trip where it is plain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.exc import DBAPIError

from booking.notices.kinds import rule_of
from marketplace.core.database import db
from marketplace.core.ids import new_id
from providers.reported import Event

_CONFIRM = """
    SELECT outcome FROM confirm_plainly(
      %(now)s, %(provider)s, %(event)s, %(kind)s, %(reference)s, %(ours)s, %(version)s, %(day)s, %(starts)s,
      %(notice)s, %(channels)s, %(deliveries)s)
"""


def confirm_plainly(provider_id: int, event: Event, *, now: datetime) -> str | None:
    """Record the event and confirm its booking, if it says nothing else than that what awaits the provider's answer is
    confirmed at the time that was asked for, and nothing else goes on about it. The outcome, `applied` or `duplicate`;
    None if it is not as plain as that, and then nothing was written. Raises Busy."""
    told = event.booking
    if told is None or told.status != "confirmed" or told.service_date is None or told.proposal is not None:
        return None
    channels = list(rule_of("confirmed").channels)
    values = {
        "now": now,
        "provider": provider_id,
        "event": event.id,
        "kind": event.kind,
        "reference": told.reference,
        "ours": told.our_reference,
        "version": told.version,
        "day": told.service_date,
        "starts": told.starts_at,
        "notice": new_id("ntf"),
        "channels": channels,
        "deliveries": [new_id("ntd") for _ in channels],
    }
    try:
        with db.asking() as ask:
            return str(ask(_CONFIRM, values)[0].outcome)
    except DBAPIError as failed:
        if db.violated(failed) == "not_plain":
            return None
        raise
