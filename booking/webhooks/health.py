"""Which providers' endpoints need an operator's eye."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select

from booking.webhooks.models import WebhookEndpoint
from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading

SHOWN = timedelta(days=7)
"""So long operators are shown that an endpoint went on after a restore."""


def stopped() -> dict[str, int]:
    """How many endpoints stopped by themselves (they fail, or their receiver is gone), by the provider's code."""
    with reading() as session:
        rows = session.execute(
            select(Provider.code, func.count())
            .join(WebhookEndpoint, WebhookEndpoint.provider_id == Provider.id)
            .where(WebhookEndpoint.reason.in_(("failing", "gone")))
            .group_by(Provider.code)
        )
        return {row[0]: row[1] for row in rows}


def failing() -> dict[str, int]:
    """How many endpoints are active and have failed since their last success, by the provider's code."""
    with reading() as session:
        rows = session.execute(
            select(Provider.code, func.count())
            .join(WebhookEndpoint, WebhookEndpoint.provider_id == Provider.id)
            .where(WebhookEndpoint.state == "active", WebhookEndpoint.failing_since.is_not(None))
            .group_by(Provider.code)
        )
        return {row[0]: row[1] for row in rows}


def recovered(*, now: datetime) -> dict[str, int]:
    """How many endpoints went on after a dump was restored, within SHOWN, by the provider's code: it must read its
    bookings again, since what was lost with the original is not told."""
    with reading() as session:
        rows = session.execute(
            select(Provider.code, func.count())
            .join(WebhookEndpoint, WebhookEndpoint.provider_id == Provider.id)
            .where(WebhookEndpoint.recovered_at > now - SHOWN, WebhookEndpoint.reason != "deleted")
            .group_by(Provider.code)
        )
        return {row[0]: row[1] for row in rows}
