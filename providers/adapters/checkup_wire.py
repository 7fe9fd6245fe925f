"""Orders, days and reports of the day-capacity interface, from its JSON to the port's plain data and back."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from providers.adapters import fields, zoneless
from providers.adapters.rows import readable
from providers.adapters.versions import at_step
from providers.port import ProviderError, Reserve
from providers.reported import (
    BookingStatus,
    RemoteBooking,
    RemoteReport,
    RemoteSlot,
    ReportContent,
    ReportItem,
    slot_name,
)

REFUSED = {
    1001: "other",
    1010: "unknown_slot",
    1011: "sold_out",
    1012: "closed",
    1013: "not_eligible",
    1014: "closed",
    1015: "too_late",
}
STATUSES: dict[int, BookingStatus] = {
    1: "requested",
    2: "confirmed",
    3: "rejected",
    4: "cancelled",
    5: "checked_in",
    6: "in_service",
    7: "fulfilled",
    8: "no_show",
}
CANCELLED = ("cancelled", "rejected")
SEXES = {"male": 1, "female": 2}
REPORT_STATUSES: dict[int, Literal["partial", "final", "corrected"]] = {1: "partial", 2: "final", 3: "corrected"}

_SECOND = timedelta(seconds=1)
"""Orders have no version: it is the time of their last change, which is told to the second."""


@dataclass(frozen=True)
class Order:
    """An order: what the port wants to know of it, where it is, and when it was made (the provider's wall clock)."""

    booking: RemoteBooking
    org: str
    created: datetime


def create_body(command: Reserve) -> dict[str, Any]:
    """The parameters of order.create."""
    person: dict[str, Any] = {
        "name": command.person.name,
        "gender": SEXES[command.person.sex],
        "birthday": command.person.birth_date.isoformat(),
    }
    if command.person.phone is not None:
        person["mobile"] = command.person.phone
    if command.person.id_number is not None:
        person["idCard"] = command.person.id_number
    body: dict[str, Any] = {
        "outOrderNo": command.our_reference,
        "orgCode": command.pool,
        "packageCode": command.offer,
        "scheduleDate": command.service_date.isoformat(),
        "person": person,
    }
    return {**body, "extInfo": dict(command.answers)} if command.answers else body


def read_order(body: Mapping[str, Any], zone: str, told_at: datetime) -> Order:
    """An order, its times in the zone of the provider. Raises ProviderError."""
    status = STATUSES.get(fields.whole_number(body, "orderStatus"))
    if status is None:
        raise fields.BadField("orderStatus", "unknown", "an order of unknown status")
    service_date = fields.day(body, "scheduleDate")
    if service_date is None:
        raise fields.BadField("scheduleDate", "missing", "an order without a day")
    updated = zoneless.moment(zoneless.read(body, "updateTime"), zone, told_at)
    return Order(
        RemoteBooking(
            reference=fields.reference(body, "orderNo"),
            our_reference=fields.reference(body, "outOrderNo", "") or None,
            status=status,
            version=at_step(updated, _SECOND, status),
            service_date=service_date,
            reason=REFUSED.get(fields.whole_number(body, "failCode", 0), ""),
            updated_at=updated,
        ),
        fields.reference(body, "orgCode"),
        zoneless.read(body, "createTime"),
    )


def read_day(body: Mapping[str, Any]) -> RemoteSlot:
    """The places of one organisation on one day; our reference of it is made of both. Raises ProviderError."""
    org, service_date = fields.reference(body, "orgCode"), fields.day(body, "scheduleDate")
    if service_date is None:
        raise fields.BadField("scheduleDate", "missing", "places without a day")
    return RemoteSlot(
        pool=org,
        reference=_day_of(org, service_date),
        service_date=service_date,
        starts_at=None,
        ends_at=None,
        offered=fields.whole_number(body, "total"),
        closed=fields.whole_number(body, "status") != 1,
    )


def _day_of(org: str, service_date: date) -> str:
    return f"{org}@{service_date:%Y%m%d}"


def order_named(row: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Their number of an order and ours, as far as they can be read."""
    return readable(row, "orderNo"), readable(row, "outOrderNo")


def report_named(row: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Their number of a report and ours of its order, as far as they can be read."""
    return readable(row, "reportNo"), readable(row, "outOrderNo")


def day_named(row: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The name of a day's places, if it can be read."""
    org = readable(row, "orgCode")
    try:
        service_date = fields.day(row, "scheduleDate")
    except ProviderError:
        service_date = None
    return None if org is None or service_date is None else slot_name(org, _day_of(org, service_date)), None


def read_report(body: Mapping[str, Any], zone: str, told_at: datetime) -> RemoteReport:
    """A report as listed. Raises ProviderError."""
    status = REPORT_STATUSES.get(fields.whole_number(body, "reportStatus"))
    if status is None:
        raise fields.BadField("reportStatus", "unknown", "a report of unknown status")
    return RemoteReport(
        reference=fields.reference(body, "reportNo"),
        booking_reference=fields.reference(body, "orderNo"),
        our_reference=fields.reference(body, "outOrderNo", "") or None,
        version=fields.whole_number(body, "reportVersion"),
        status=status,
        issued_at=zoneless.moment(zoneless.read(body, "reportTime"), zone, told_at),
    )


def report_content(body: Mapping[str, Any], zone: str, told_at: datetime) -> ReportContent:
    """A report in full. Raises ProviderError."""
    try:
        paper = base64.b64decode(fields.text(body, "pdf"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProviderError("pdf is not base64") from error
    items = [read_item(item) for item in fields.objects_at(body, "items")]
    report = read_report(body, zone, told_at)
    return ReportContent(report, items, fields.text(body, "summary", ""), paper, "application/pdf")


def read_item(body: Mapping[str, Any]) -> ReportItem:
    """One result in the provider's codes, names and units; its range and mark stay in its words. Raises
    ProviderError."""
    return ReportItem(
        name=fields.text(body, "itemName"),
        value=fields.text(body, "result", ""),
        loinc=fields.text(body, "stdCode", ""),
        unit=fields.text(body, "unit", ""),
        section=fields.text(body, "groupName", ""),
        note=fields.text(body, "remark", ""),
        code=fields.text(body, "itemCode", ""),
        range_text=fields.text(body, "refRange", "").strip(),
        mark=fields.text(body, "mark", "").strip(),
    )
