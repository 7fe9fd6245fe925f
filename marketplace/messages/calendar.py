"""Bookings as an iCalendar document (RFC 5545): UTC times, a stable UID, a SEQUENCE that grows with every change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta

from icalendar import Calendar
from icalendar import Event as Entry

from booking.messages.calendar import Event
from marketplace.catalog.english.sites import english_site
from marketplace.core.text import Language, Text, masked_name

CONTENT_TYPE = "text/calendar; charset=utf-8"
_REFRESH = timedelta(hours=1)
_NAME = Text("安享预约", "Anxiang bookings")


def document(events: Sequence[Event], language: Language, *, public_url: str) -> bytes:
    """The events as one document. A booking that has ended stays in it as cancelled, so that calendars take it
    away; a whole day is a DATE. Texts hold the package, the place and the relative's masked name only."""
    calendar = Calendar()
    calendar.add("prodid", "-//Anxiang//Bookings//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", _NAME.in_language(language))
    calendar.add("x-wr-calname", _NAME.in_language(language))
    calendar.add("refresh-interval", _REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    for event in events:
        calendar.add_component(_entry(event, language, public_url))
    document: bytes = calendar.to_ical()
    return document


def _entry(event: Event, language: Language, public_url: str) -> Entry:
    entry = Entry()
    entry.add("uid", f"{event.id}@anxiang")
    entry.add("sequence", event.sequence)
    entry.add("dtstamp", event.updated_at.astimezone(UTC))
    entry.add("created", event.created_at.astimezone(UTC))
    entry.add("last-modified", event.updated_at.astimezone(UTC))
    if event.starts_at is None:
        entry.add("dtstart", event.day)
        entry.add("dtend", event.day + timedelta(days=1))
    else:
        entry.add("dtstart", event.starts_at.astimezone(UTC))
        if event.ends_at is not None:
            entry.add("dtend", event.ends_at.astimezone(UTC))
    entry.add("status", event.status.upper())
    entry.add("transp", "TRANSPARENT" if event.status == "cancelled" else "OPAQUE")
    entry.add("summary", _summary(event, language))
    entry.add("location", _location(event, language))
    entry.add("description", _description(event, language))
    entry.add("url", f"{public_url}/bookings/{event.id}")
    entry.add("class", "PRIVATE")
    return entry


def _summary(event: Event, language: Language) -> str:
    name = event.offer.in_language(language)
    whose = masked_name(event.person) if event.person else ""
    return Text(f"{name}（{whose}）", f"{name} ({whose})").in_language(language) if whose else name


def _location(event: Event, language: Language) -> str:
    """The place; an English reader has its Chinese name and address as well, to show on the way."""
    name, city, address = (event.site.get(part, "") for part in ("name", "city", "address"))
    around = () if city and address.startswith(city) else (city, event.site.get("district", ""))
    chinese = ", ".join(part for part in (name, *around, address) if part)
    if language != "en":
        return chinese
    return f"{english_site(name, '', city)}, {chinese}"


def _description(event: Event, language: Language) -> str:
    number = Text(f"预约号 {event.reference}", f"Booking number {event.reference}").in_language(language)
    return "\n".join(part for part in (number, event.prepare.in_language(language)) if part)
