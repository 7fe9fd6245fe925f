"""Demonstration data: checks that were done before today, with their reports, from two invented providers.

They use other units and names, and one sends no LOINC codes, so that trends and comparisons have something to show.
The days lie before those that reconciliation compares: the sandbox does not know these bookings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from booking.models import Booking, BookingHistory
from booking.reports.fetch import announce, store
from booking.reports.files import Examined
from booking.reports.models import Report
from booking.states import BookingState
from marketplace.catalog.models import Offer, Provider, Site
from marketplace.catalog.one_place.sql import place_id
from marketplace.core.clock import start_of, today
from marketplace.core.config import ROOT
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id, new_reference
from marketplace.demo.people import PEOPLE
from providers.reported import RemoteReport, ReportContent, ReportItem
from vip import phones
from vip.entitlements import ledger
from vip.entitlements.grants import Grant, grant
from vip.entitlements.ledger import Reservation, Stamp
from vip.models import Beneficiary, Customer
from vip.signin.signin import insurer_id, require_development

FILE = ROOT / "data" / "demo-reports.json"
CAUSE = "demonstration"


def load_past(now: datetime) -> int:
    """Give the demonstration's first customer a check of last year and one of two months ago, each with its report.

    Returns how many were added; running it again adds none. Raises DevelopmentOnly elsewhere.
    """
    require_development()
    added = 0
    for entry in json.loads(FILE.read_text(encoding="utf-8"))["reports"]:
        made = _past_check(entry, now)
        if made is not None:
            _report(made, entry)
            added += 1
    return added


def _past_check(entry: Mapping[str, Any], now: datetime) -> Booking | None:
    """A fulfilled booking of that day; None where it stands already, or its provider sells nothing."""
    number = phones.normalise(PEOPLE[0].phone)
    with transaction() as session:
        customer = session.scalars(
            select(Customer)
            .where(Customer.insurer_id == insurer_id(session), phones.of_customer(phones.indexes(number)))
            .with_for_update()
        ).one()
        place = _offer_of(session, str(entry["provider"]))
        if place is None or _has_one(session, customer, place.Provider):
            return None
        return _fulfilled(session, customer, place, today(place.Site.time_zone, now) - _days(entry))


def _days(entry: Mapping[str, Any]) -> timedelta:
    return timedelta(days=int(entry["days_ago"]))


def _offer_of(session: Session, provider: str) -> Row[Any] | None:
    row: Any = session.execute(
        select(Offer, Provider, Site)
        .join(Provider, Provider.id == Offer.provider_id)
        .join(Site, Site.id == place_id(Offer.site_id))
        .where(Provider.code == provider, Offer.active)
        .order_by(Offer.id)
        .limit(1)
    ).one_or_none()
    return row  # type: ignore[no-any-return]


def _has_one(session: Session, customer: Customer, provider: Provider) -> bool:
    known = select(Booking.id).where(
        Booking.customer_id == customer.id, Booking.provider_id == provider.id, Booking.cause == CAUSE
    )
    return session.scalar(known.limit(1)) is not None


def _fulfilled(session: Session, customer: Customer, place: Row[Any], day: date) -> Booking:
    """The booking with its history, and the unit of a benefit of that time that it used."""
    offer, provider, site = place.Offer, place.Provider, place.Site
    starts = start_of(day, None, site.time_zone) + timedelta(hours=8)
    stamp = Stamp(starts, "system", "demo", CAUSE)
    given = grant(session, customer, Grant(offer.kind, 1, day - timedelta(days=30), day + timedelta(days=30)), stamp)
    person = session.scalars(
        select(Beneficiary).where(Beneficiary.customer_id == customer.id, Beneficiary.relation == "self")
    ).one()
    booking = Booking(
        public_id=new_id("bkg"),
        reference=new_reference(),
        insurer_id=customer.insurer_id,
        customer_id=customer.id,
        beneficiary_id=person.id,
        offer_id=offer.id,
        provider_id=provider.id,
        entitlement_id=given.id,
        kind=offer.kind,
        state=BookingState.FULFILLED,
        service_date=day,
        starts_at=starts,
        ends_at=starts + timedelta(minutes=30),
        time_zone=site.time_zone,
        period=Range(starts, starts + timedelta(minutes=30)),
        cause=CAUSE,
        price_minor=offer.price_minor,
        currency=offer.currency,
        snapshot=_snapshot(offer, provider, site),
        report_state="expected",
        created_at=starts,
        updated_at=starts,
    )
    session.add(booking)
    session.flush()
    session.add(
        BookingHistory(
            booking_id=booking.id,
            version=1,
            at=starts,
            from_state=None,
            to_state=BookingState.FULFILLED.value,
            actor_kind="system",
            actor="demo",
            cause=CAUSE,
        )
    )
    taken = Reservation(given.id, booking.id, 1)
    ledger.reserve(session, taken, stamp)
    ledger.use(session, taken, stamp)
    session.flush()
    return booking


def _snapshot(offer: Offer, provider: Provider, site: Site) -> dict[str, Any]:
    return {
        "offer": {"id": offer.public_id, "zh": offer.name_zh, "en": offer.name_en},
        "provider": {"zh": provider.name_zh, "en": provider.name_en},
        "site": {
            "id": site.public_id,
            "name": site.name,
            "city": site.city,
            "district": site.district,
            "address": site.address,
            "tier": site.tier,
        },
        "package": offer.package,
        "cancel_hours": offer.cancel_hours,
    }


def _report(booking: Booking, entry: Mapping[str, Any]) -> None:
    issued = booking.updated_at + timedelta(days=3)
    remote = RemoteReport(f"DEMO-{booking.public_id}", "", booking.public_id, 1, "final", issued)
    items = tuple(ReportItem(**item) for item in entry["items"])
    with transaction() as session:
        announce(session, booking.provider_id, remote, now=issued)
    with reading() as session:
        report_id = session.scalars(select(Report.id).where(Report.reference == remote.reference)).one()
    content = ReportContent(remote, items, str(entry["conclusion"]), b"", "")
    store(report_id, Examined(content, ()), now=issued)
