"""HL7 FHIR R4 servers (docs/fhir.md): Schedule and Slot, Appointment, DiagnosticReport with Observations and papers.

A pool is a Schedule, a slot a Slot with one place. A change is a second booking and the cancel of the first: with three
resources in one transaction, a server that carries out a part of one would leave more than can be put right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import Schema

from marketplace.core.text import Text
from providers.adapters.fhir import capability
from providers.adapters.fhir.appointments import booking_named, read_booking
from providers.adapters.fhir.commands import UNAUTHORISED_SECONDS, UNREACHABLE_SECONDS, Commands
from providers.adapters.fhir.options import FhirSettings, options_of
from providers.adapters.fhir.pulls import Place, read_page, tokens, written
from providers.adapters.fhir.reports import NOT_YET, Reports, read_report
from providers.adapters.fhir.server import FhirServer
from providers.adapters.fhir.slots import id_in, read_slot, slot_named
from providers.adapters.http import Deadline, NoAnswer
from providers.adapters.rows import read_rows
from providers.port import (
    Answer,
    BadSignature,
    Cancel,
    Capabilities,
    Change,
    ComeBackLater,
    Connection,
    Decline,
    LookUp,
    NotAuthorised,
    NotFound,
    ProviderError,
    Refused,
    Reserve,
    RetryAfter,
    Unknown,
)
from providers.reported import BookingPage, Event, RemoteBooking, RemoteReport, ReportContent, ReportPage, SlotPage

SCHEDULES_AT_ONCE = 20
"""Schedules whose Slots are asked for by one search: an address has its length."""


class Fhir:
    """Adapter of FHIR R4. `connection.secret` is the client secret, the private key (PEM) or the token, as the setting
    `auth` says."""

    capabilities = Capabilities(change=False, idempotency_keys=False)
    settings_schema: type[Schema] = FhirSettings

    def __init__(self, connection: Connection) -> None:
        self._connection, self._options = connection, options_of(connection)
        self._server = FhirServer(connection, self._options)
        self._commands = Commands(connection, self._server, self._options)
        self._system = self._options.identifier_system

    def missing(self) -> Sequence[Text]:
        """What the server's CapabilityStatement lacks for us."""
        return capability.missing(self._server.capability_statement(self._server.deadline()))

    # --- commands ----------------------------------------------------------------------------------------------------

    def reserve(self, command: Reserve) -> Answer:
        """A transaction of Slot and Appointment."""
        return self._commands.reserve(command)

    def change(self, command: Change) -> Answer:
        """Not by one call: nothing is changed."""
        return Refused("other", "a change is a booking of its own")

    def decline(self, command: Decline) -> Answer:
        """Refused: other times are proposed by an AppointmentResponse, which we do not read."""
        return Refused("other")

    def cancel(self, command: Cancel) -> Answer:
        """The Appointment first, then its Slot."""
        return self._commands.cancel(command)

    def look_up(self, question: LookUp) -> RemoteBooking | NotFound | Unknown | RetryAfter:
        """By the Appointment's id, or by our identifier."""
        try:
            return self._commands.look_up(question)
        except NoAnswer as error:
            return Unknown(error.reason) if error.sent else RetryAfter(UNREACHABLE_SECONDS, reached=False)
        except ComeBackLater as error:
            return RetryAfter(error.retry_after)
        except NotAuthorised:
            return RetryAfter(UNAUTHORISED_SECONDS)
        except ProviderError as error:
            return Unknown(str(error))

    # --- reads -------------------------------------------------------------------------------------------------------

    def slots(self, start: date, end: date, cursor: str | None, page: str | None) -> SlotPage:
        """The Slots of the service's Schedules that begin in the period."""
        deadline, place = self._server.deadline(), Place.open(cursor, page)
        if page is None:
            place = replace(place, parts=self._schedules(deadline))
            if not place.parts:
                raise ProviderError("the server has no active schedule of this service")
        params: dict[str, str | list[str]] = {
            "schedule": place.parts[0],
            "start": [f"ge{self._midnight(start)}", f"lt{self._midnight(end + timedelta(days=1))}"],
            "_count": str(self._options.page_size),
        }
        told = read_page(self._server, "Slot", params, place, deadline)
        zone = self._connection.time_zone
        found, unreadable = read_rows(told.rows, lambda row: read_slot(row, zone), slot_named)
        return SlotPage(found, *tokens(place, told, self._options.overlap_seconds), unreadable)

    def _schedules(self, deadline: Deadline) -> tuple[str, ...]:
        """The Schedules of the service, as values of a search."""
        params = {"active": "true", "_count": str(self._options.page_size)}
        if self._options.service_type:
            params["service-type"] = self._options.service_type
        rows = self._server.all("Schedule", params, deadline)
        named = (id_in({"reference": f"Schedule/{row.get('id')}"}, "Schedule") for row in rows if isinstance(row, dict))
        ids = sorted(f"Schedule/{each}" for each in named if each)
        return tuple(",".join(ids[at : at + SCHEDULES_AT_ONCE]) for at in range(0, len(ids), SCHEDULES_AT_ONCE))

    def bookings_since(self, cursor: str | None, page: str | None) -> BookingPage:
        """The Appointments with an identifier of ours, by `_lastUpdated`."""
        place = Place.open(cursor, page)
        told = read_page(self._server, "Appointment", self._ours(), place, self._server.deadline())
        return self._bookings(told.rows, tokens(place, told, self._options.overlap_seconds))

    def bookings_in(self, start: date, end: date, page: str | None) -> BookingPage:
        """The Appointments with an identifier of ours that begin in the period."""
        deadline = self._server.deadline()
        if page is None:
            days = [f"ge{self._midnight(start)}", f"lt{self._midnight(end + timedelta(days=1))}"]
            told = self._server.search("Appointment", {**self._ours(), "date": days}, deadline)
        else:
            told = self._server.follow("Appointment", page, deadline)
        return self._bookings(told.rows, (told.next, None))

    def _bookings(self, rows: Sequence[Any], following: tuple[str | None, str | None]) -> BookingPage:
        zone, system = self._connection.time_zone, self._system

        def read(row: Mapping[str, Any]) -> RemoteBooking:
            return read_booking(row, system, zone)

        found, unreadable = read_rows(self._only_ours(rows), read, lambda row: booking_named(row, system))
        return BookingPage(found, *following, unreadable)

    def reports_since(self, cursor: str | None, page: str | None) -> ReportPage:
        """The DiagnosticReports with an identifier of ours, by `_lastUpdated`."""
        place, system = Place.open(cursor, page), self._system
        told = read_page(self._server, "DiagnosticReport", self._ours(), place, self._server.deadline())
        rows = [row for row in self._only_ours(told.rows) if not isinstance(row, dict) or row.get("status") != NOT_YET]
        found, unreadable = read_rows(
            rows, lambda row: read_report(row, system), lambda row: booking_named(row, system)
        )
        return ReportPage(found, *tokens(place, told, self._options.overlap_seconds), unreadable)

    def fetch_report(self, report: RemoteReport) -> ReportContent:
        """The report with its Observations and papers, as one FHIR document."""
        return Reports(self._connection, self._options).fetch(report)

    def read_event(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Event:
        """Nothing is pushed, so whatever comes is not from it."""
        raise BadSignature("this provider sends no events")

    # --- what is asked for -------------------------------------------------------------------------------------------

    def _ours(self) -> dict[str, str | list[str]]:
        return {"identifier": f"{self._system}|", "_count": str(self._options.page_size)}

    def _only_ours(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Rows but those of other people's bookings: they are nothing for us, and not to be looked at. Raises
        ProviderError for a server that tells nothing else."""
        kept = [row for row in rows if not isinstance(row, dict) or not self._anothers(row)]
        if rows and not kept:
            raise ProviderError("the server does not search by the system of an identifier")
        return kept

    def _anothers(self, row: Mapping[str, Any]) -> bool:
        found = row.get("identifier")
        if not isinstance(found, list):
            return found is None
        return all(isinstance(each, dict) and each.get("system") != self._system for each in found)

    def _midnight(self, day: date) -> str:
        return written(datetime.combine(day, time(), ZoneInfo(self._connection.time_zone)))
