"""A provider without a system of its own: it answers here, by the partner API or at its desk.

There is nothing to call. What we have of a booking is what it has, so a command arrives with being written down: a
reserve or a change waits for its people, a cancel is done at once, since it is told of it and has no veto. What it
answers comes by `booking.answering`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import NoReturn

from marshmallow import Schema

from providers.adapters.settings import NoSettings
from providers.port import (
    Accepted,
    Answer,
    BadSignature,
    Cancel,
    Capabilities,
    Change,
    Confirmed,
    Connection,
    Decline,
    LookUp,
    ProviderError,
    Refused,
    Reserve,
)
from providers.reported import BookingPage, Event, RemoteBooking, RemoteReport, ReportContent, ReportPage, SlotPage


class Partner:
    """Answers at once and without a network. Its references are ours."""

    capabilities = Capabilities(
        change=False, idempotency_keys=True, list_bookings=False, answers_here=True, program=True
    )
    settings_schema: type[Schema] = NoSettings

    def __init__(self, connection: Connection) -> None:
        pass

    def reserve(self, command: Reserve) -> Answer:
        """Waits for the provider's people. The time that they proposed themselves is agreed already, and what is
        immediate stands in their queue."""
        if command.agreed or command.immediate:
            return Confirmed(command.our_reference, 1)
        return Accepted(command.our_reference, 1)

    def look_up(self, question: LookUp) -> RemoteBooking:
        """What was sent has arrived. Version 0: anything that the provider has said since is newer."""
        return RemoteBooking(question.reference or question.our_reference, question.our_reference, "requested", 0)

    def change(self, command: Change) -> Answer:
        """Not asked for: a change is a booking of its own."""
        return Refused("other")

    def decline(self, command: Decline) -> Answer:
        """The provider sees that its proposal is over."""
        return Confirmed(command.reference)

    def cancel(self, command: Cancel) -> Answer:
        """Done."""
        return Confirmed(command.reference or command.our_reference, command.version + 1)

    def slots(self, start: date, end: date, cursor: str | None, page: str | None) -> SlotPage:
        """Nothing to read."""
        _nothing_to_read()

    def bookings_since(self, cursor: str | None, page: str | None) -> BookingPage:
        """Nothing to read."""
        _nothing_to_read()

    def bookings_in(self, start: date, end: date, page: str | None) -> BookingPage:
        """Nothing to read: no list that a booking could be missing from."""
        _nothing_to_read()

    def reports_since(self, cursor: str | None, page: str | None) -> ReportPage:
        """Nothing to read."""
        _nothing_to_read()

    def fetch_report(self, report: RemoteReport) -> ReportContent:
        """Nothing to read: reports are delivered with their content."""
        _nothing_to_read()

    def read_event(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Event:
        """It has no webhooks to us: whoever sends one isn't it."""
        raise BadSignature("this provider signs nothing")


class Desk(Partner):
    """The same answered by people at the desk: they need no certificate."""

    capabilities = replace(Partner.capabilities, program=False)


def _nothing_to_read() -> NoReturn:
    raise ProviderError("this provider answers here: there is nothing to read from it")
