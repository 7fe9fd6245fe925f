"""The published open protocol (docs/provider-protocol.yaml): JSON over HTTP, idempotency keys, signed webhooks. What an
answer to a command means: providers.adapters.open.calls."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from marshmallow import Schema

from marketplace.core.text import Text
from providers.adapters import fields
from providers.adapters.http import NoAnswer, Reply
from providers.adapters.open.calls import PROBLEM, UNREACHABLE_SECONDS, answer_from
from providers.adapters.open.consultations import OpenConsultations
from providers.adapters.open.deeds import read_deed
from providers.adapters.open.escorts import OpenEscorts
from providers.adapters.open.lines import read_line
from providers.adapters.open.numbered import read_numbered
from providers.adapters.open_wire import (
    STATUSES,
    cancel_body,
    change_body,
    decline_body,
    read_booking,
    read_item,
    read_report,
    read_slot,
    reserve_body,
)
from providers.adapters.rows import one, read_rows, readable
from providers.adapters.settings import About, AdapterSettings
from providers.adapters.signed_webhooks import verify
from providers.port import (
    Answer,
    Cancel,
    Capabilities,
    Change,
    Decline,
    LookUp,
    NotFound,
    ProviderError,
    Refused,
    Reserve,
    RetryAfter,
    Unknown,
)
from providers.reported import (
    BookingPage,
    Event,
    RemoteBooking,
    RemoteReport,
    ReportContent,
    ReportPage,
    SlotPage,
    slot_name,
)

BOOKING_EVENTS = frozenset(
    "booking." + what
    for what in (
        *("confirmed", "rejected", "cancelled", "checked_in", "in_service", "fulfilled"),
        *("no_show", "changed", "time_proposed"),
    )
)
REPORT_EVENTS = frozenset(("report.issued", "report.corrected"))
MESSAGE_EVENT = "consultation.message"
ESCORT_EVENT = "escort.line"
"""The events of the contract that change something. `slots.changed` and kinds that we do not know change nothing."""


class OpenProtocolSettings(AdapterSettings):
    """Such a provider needs none of its own."""

    about = About(
        Text("开放协议", "Open protocol"),
        Text(
            "贵方按我们公布的协议开发的接口：JSON、幂等键、带签名的通知。",
            "An interface that you built by our published contract: JSON, idempotency keys, signed webhooks.",
        ),
        Text("API 密钥", "API key"),
        Text("我们调用贵方系统时出示的密钥。", "The key that we show your system with each call."),
    )


class OpenProtocol(OpenConsultations, OpenEscorts):
    """Adapter of the open protocol. `connection.secret` is the API key."""

    capabilities = Capabilities(change=True, idempotency_keys=True, converses=True, escorts=True)
    settings_schema: type[Schema] = OpenProtocolSettings

    # --- commands ----------------------------------------------------------------------------------------------------

    def reserve(self, command: Reserve) -> Answer:
        """POST /bookings."""
        answer = self._command("/bookings", command.key, reserve_body(command))
        return answer_from(answer, command.our_reference, {201: ("confirmed",), 202: ("requested",)})

    def change(self, command: Change) -> Answer:
        """POST /changes."""
        answer = self._command("/changes", command.key, change_body(command))
        return answer_from(answer, command.our_reference, {200: STATUSES, 202: STATUSES}, slot=command.slot)

    def decline(self, command: Decline) -> Answer:
        """POST /bookings/{reference}/proposal/decline; NotFound if the provider does not have the booking."""
        path = f"/bookings/{quote(command.reference, safe='')}/proposal/decline"
        answer = self._command(path, command.key, decline_body(command))
        if isinstance(answer, Reply) and answer.status == 404 and answer.content_type == PROBLEM:
            return Refused("other")
        return answer_from(answer, command.our_reference, {200: STATUSES})

    def cancel(self, command: Cancel) -> Answer:
        """POST /cancellations; NotFound if the provider has nothing to cancel."""
        answer = self._command("/cancellations", command.key, cancel_body(command))
        if isinstance(answer, Reply) and answer.status == 404 and answer.content_type == PROBLEM:
            return NotFound()
        return answer_from(answer, command.our_reference, {200: ("cancelled", "rejected"), 202: STATUSES})

    def look_up(self, question: LookUp) -> RemoteBooking | NotFound | Unknown | RetryAfter:
        """GET /lookup: by the command's key if there is one, else by the provider's reference, else by ours. A key is
        asked alone: what our reference finds may be an older booking, which says nothing about the command."""
        params = {"idempotency_key": question.key}
        if not question.key:
            params = {"our_reference": question.our_reference}
            if question.reference:
                params = {"reference": question.reference}
        try:
            reply = self._http.call("GET", "/lookup", deadline=self._http.deadline(), params=params)
            wait = self._come_back(reply)
            if wait is not None:
                return wait
            if reply.status == 404 and reply.content_type == PROBLEM:
                return NotFound()
            if reply.status != 200:
                return Unknown(f"status {reply.status}")
            found = read_booking(reply.json())
        except NoAnswer as error:
            return Unknown(error.reason) if error.sent else RetryAfter(UNREACHABLE_SECONDS, reached=False)
        except ProviderError as error:
            return Unknown(str(error))
        ours = found.our_reference or ""
        return found if ours == question.our_reference else Unknown("another booking's reference")

    # --- reads -------------------------------------------------------------------------------------------------------

    def slots(self, start: date, end: date, cursor: str | None, page: str | None) -> SlotPage:
        """GET /slots, up to 1,000 at once."""
        params = {"from": start.isoformat(), "to": end.isoformat(), "limit": "1000"}
        body = self._page("/slots", params, cursor, page)
        slots, unreadable = read_rows(fields.rows_at(body, "slots"), read_slot, _slot_named)
        return SlotPage(slots, *fields.page_tokens(body), unreadable)

    def bookings_since(self, cursor: str | None, page: str | None) -> BookingPage:
        """GET /bookings."""
        return _bookings(self._page("/bookings", {}, cursor, page))

    def bookings_in(self, start: date, end: date, page: str | None) -> BookingPage:
        """GET /bookings of the service dates from `start` to `end`."""
        days = {"from": start.isoformat(), "to": end.isoformat(), "limit": "1000"}
        return _bookings(self._page("/bookings", days, None, page))

    def reports_since(self, cursor: str | None, page: str | None) -> ReportPage:
        """GET /reports."""
        body = self._page("/reports", {}, cursor, page)
        reports, unreadable = read_rows(fields.rows_at(body, "reports"), read_report, _named)
        return ReportPage(reports, *fields.page_tokens(body), unreadable)

    def fetch_report(self, report: RemoteReport) -> ReportContent:
        """GET /reports/{reference} and its document, of the version asked for, within one deadline."""
        deadline = self._http.deadline()
        path = "/reports/" + quote(report.reference, safe="")
        params = {"version": str(report.version)}
        body = self._read(path, params, deadline).json()
        found = read_report(body)
        if (found.reference, found.version) != (report.reference, report.version):
            raise ProviderError("another report than the one asked for")
        paper = self._read(path + "/document", params, deadline)
        if fields.text(fields.object_at(body, "document"), "sha256") != hashlib.sha256(paper.body).hexdigest():
            raise ProviderError("the document is not the one announced")
        items = [read_item(item) for item in fields.objects_at(body, "items")]
        return ReportContent(found, items, fields.text(body, "conclusion", ""), paper.body, paper.content_type)

    # --- webhooks ----------------------------------------------------------------------------------------------------

    def read_event(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Event:
        """Verify by Standard Webhooks (symmetric signature v1, five minutes' tolerance) and parse."""
        identifier, sent_at = verify(self._connection.webhook_secrets, headers, body, now)
        try:
            message = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise ProviderError("the event is not JSON") from error
        if not isinstance(message, dict):
            raise ProviderError("the event is not a JSON object")
        kind, data = fields.text(message, "type"), message.get("data")
        if kind in BOOKING_EVENTS:
            bookings, unreadable = read_rows([_part(data, "booking")], read_booking, _named)
            return Event(identifier, kind, sent_at, booking=one(bookings), unreadable=one(unreadable))
        if kind in REPORT_EVENTS:
            reports, unreadable = read_rows([_part(data, "report")], read_report, _named)
            return Event(identifier, kind, sent_at, report=one(reports), unreadable=one(unreadable))
        if kind == MESSAGE_EVENT:
            lines, unreadable = read_numbered([_part(data, "message")], read_line)
            return Event(identifier, kind, sent_at, message=one(lines), unreadable=one(unreadable))
        if kind == ESCORT_EVENT:
            deeds, unreadable = read_numbered([_part(data, "line")], read_deed)
            return Event(identifier, kind, sent_at, escort=one(deeds), unreadable=one(unreadable))
        return Event(identifier, kind, sent_at)


def _bookings(body: Mapping[str, Any]) -> BookingPage:
    bookings, unreadable = read_rows(fields.rows_at(body, "bookings"), read_booking, _named)
    return BookingPage(bookings, *fields.page_tokens(body), unreadable)


def _named(row: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The references of a booking or report, as far as they can be read."""
    return readable(row, "reference"), readable(row, "our_reference")


def _slot_named(row: Mapping[str, Any]) -> tuple[str | None, str | None]:
    pool, slot = readable(row, "pool"), readable(row, "slot")
    return None if pool is None or slot is None else slot_name(pool, slot), None


def _part(data: Any, name: str) -> Any:
    return data.get(name) if isinstance(data, dict) else data
