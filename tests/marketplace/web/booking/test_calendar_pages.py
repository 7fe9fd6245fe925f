"""The calendar's file and feed over HTTP, read by `ical.js` in a browser; and the settings that rule messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from icalendar import Calendar
from playwright.sync_api import Browser, Page
from sqlalchemy import select

from booking.messages import settings as notice_settings
from booking.messages.calendar import Event
from booking.notices.models import NoticeSetting
from marketplace import edge
from marketplace.core.config import settings
from marketplace.core.database.db import reading
from marketplace.core.sending import email
from marketplace.core.sending.outgoing import DevelopmentOutbox
from marketplace.messages import calendar
from tests.booking.messages.test_deliver import MailBox
from tests.booking.test_moves import S, go
from tests.marketplace.messages.test_calendar import DAYS, TIMES, an_event, moment
from tests.marketplace.web.visitors import Visitor, main
from tests.world import World

ICAL_JS = Path(__file__).resolve().parents[3] / "vendored" / "ical.es5.min.cjs"
LOAD = """(source) => {
  const module = { exports: {} };
  new Function("module", "exports", source)(module, module.exports);
  window.ICAL = module.exports.default ?? module.exports;
}"""
READ = """(content) => new ICAL.Component(ICAL.parse(content)).getAllSubcomponents("vevent").map((it) => {
  const event = new ICAL.Event(it);
  return {
    uid: event.uid, sequence: event.sequence, summary: event.summary, location: event.location,
    description: event.description, status: it.getFirstPropertyValue("status"),
    start: event.startDate.isDate ? event.startDate.toString() : event.startDate.toJSDate().toISOString(),
    end: event.endDate.isDate ? event.endDate.toString() : event.endDate.toJSDate().toISOString(),
    utc: !event.startDate.isDate && event.startDate.zone.tzid === "UTC",
  };
})"""


@pytest.fixture(scope="module")
def reader(chromium: Browser) -> Iterator[Page]:
    """An empty page that has loaded ical.js."""
    page = chromium.new_page()
    page.evaluate(LOAD, ICAL_JS.read_text())
    yield page
    page.close()


def by_ical_js(reader: Page, *events: Event) -> list[dict[str, Any]]:
    content = calendar.document(events, "zh", public_url="https://anxiang.example").decode()
    found: list[dict[str, Any]] = reader.evaluate(READ, content)
    return found


def new_address(visitor: Visitor) -> str:
    page = visitor.post("/me/calendar", page="/me/messages")
    found = re.search(r'value="http[^"]+(/calendar/[A-Za-z0-9_-]{43}\.ics)"', page.text)
    assert page.status_code == 200 and found is not None
    return found[1]


# --- ical.js ---------------------------------------------------------------------------------------------------------


def test_ical_js_reads_every_field_as_it_is(reader: Page) -> None:
    event = an_event()
    (seen,) = by_ical_js(reader, event)
    assert seen == {
        "uid": "bkg_0000000000000000000a@anxiang",
        "sequence": 3,
        "summary": "甄选套餐",
        "location": "示范医院；体检, 中心\\, 杭州市, 西湖区, 文溪路 8 号",
        "description": f"预约号 AX7K2M914Q\n{event.prepare.zh}",
        "status": "CONFIRMED",
        "start": "2026-03-10T00:00:00.000Z",
        "end": "2026-03-10T00:30:00.000Z",
        "utc": True,
    }


def test_ical_js_agrees_on_every_day_and_time(reader: Page) -> None:
    whole = [an_event(id=f"bkg_{number}", day=day, starts_at=None, ends_at=None) for number, day in enumerate(DAYS)]
    assert [(it["start"], it["end"]) for it in by_ical_js(reader, *whole)] == [
        (day.isoformat(), (day + timedelta(days=1)).isoformat()) for day in DAYS
    ]
    starts = [moment(row[2]) for row in TIMES]
    timed = [an_event(starts_at=it, ends_at=it + timedelta(minutes=30)) for it in starts]
    seen = by_ical_js(reader, *timed)
    assert [datetime.fromisoformat(it["start"]) for it in seen] == starts
    assert [datetime.fromisoformat(it["end"]) for it in seen] == [it + timedelta(minutes=30) for it in starts]
    assert all(it["utc"] for it in seen)


def test_ical_js_sees_a_cancelled_booking_as_cancelled(reader: Page) -> None:
    (seen,) = by_ical_js(reader, an_event(status="cancelled", sequence=9))
    assert (seen["status"], seen["sequence"]) == ("CANCELLED", 9)


# --- over HTTP -------------------------------------------------------------------------------------------------------


def test_a_booking_can_be_put_into_a_calendar(visitor: Visitor, world: World) -> None:
    booking = world.submit()
    go(booking, S.CONFIRMED)
    page = visitor.get(f"/bookings/{booking}")
    assert f'href="/bookings/{booking}/calendar.ics"' in page.text
    file = visitor.get(f"/bookings/{booking}/calendar.ics")
    assert file.content_type == "text/calendar; charset=utf-8"
    assert re.fullmatch(r'attachment; filename="AX[0-9A-Z]{8}\.ics"', file.headers["Content-Disposition"])
    (entry,) = Calendar.from_ical(file.data).walk("VEVENT")
    assert (entry["SUMMARY"], entry["DTSTART"].dt) == ("Select package", datetime(2026, 3, 10, tzinfo=UTC))
    assert visitor.get("/bookings/bkg_00000000000000000000/calendar.ics").status_code == 404


def test_a_feed_needs_no_sign_in_and_costs_little_while_nothing_changes(
    app: Flask, visitor: Visitor, world: World
) -> None:
    booking = world.submit()
    path = new_address(visitor)
    program = app.test_client()
    first = program.get(path)
    assert (first.status_code, first.content_type) == (200, "text/calendar; charset=utf-8")
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = program.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    go(booking, S.CONFIRMED)
    changed = program.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    (entry,) = Calendar.from_ical(changed.data).walk("VEVENT")
    assert entry["STATUS"] == "CONFIRMED"
    assert "Set-Cookie" not in changed.headers


def test_a_feed_ends_when_its_address_is_renewed_or_taken_back(app: Flask, visitor: Visitor) -> None:
    first, program = new_address(visitor), app.test_client()
    second = new_address(visitor)
    assert (program.get(first).status_code, program.get(second).status_code) == (404, 200)
    assert "There is an address, made Today, 12:00." in main(visitor.get("/me/messages"))
    assert second not in visitor.get("/me/messages").text, "it is shown once"
    visitor.post("/me/calendar", page="/me/messages", end="1")
    assert program.get(second).status_code == 404
    assert program.get("/calendar/" + "x" * 43 + ".ics").status_code == 404
    assert program.get("/calendar/%00.ics").status_code == 404


def test_the_secret_of_a_feed_reaches_no_log(app: Flask, visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    class Log:
        def __getattr__(self, level: str) -> Any:
            return lambda event, **fields: said.append(f"{event} {fields}")

    monkeypatch.setattr(edge, "log", Log())
    path = new_address(visitor)
    program = app.test_client()
    program.get(path)
    program.get(path.replace(".ics", "x.ics"))
    monkeypatch.setattr("booking.messages.calendar.open_feed", lambda *_, **__: 1 / 0)
    assert program.get(path).status_code == 500
    secret = path.removeprefix("/calendar/").removesuffix(".ics")
    assert any("/calendar/<token>.ics" in line for line in said)
    assert not any(secret[:12] in line for line in said)


# --- settings --------------------------------------------------------------------------------------------------------


def test_channels_and_quiet_hours_are_kept(visitor: Visitor, world: World) -> None:
    page = visitor.get("/me/messages")
    assert "SMS to 138****0021" in main(page) and 'value="22:00"' in page.text
    answer = visitor.post(
        "/me/messages", page="/me/messages", sms="off", email="on", quiet="on", quiet_from="21:30", quiet_until="07:15"
    )
    assert answer.status_code == 303
    found = notice_settings.settings_of(world.principal)
    assert (found.sms, found.email, found.quiet) == (False, True, True)
    assert (f"{found.quiet_from:%H:%M}", f"{found.quiet_until:%H:%M}") == ("21:30", "07:15")


@pytest.mark.parametrize("wrong", ["", "25:00", "8", "ab:cd", "08:00:00x"])
def test_a_time_that_is_none_is_named(visitor: Visitor, wrong: str) -> None:
    answer = visitor.post(
        "/me/messages", page="/me/messages", sms="on", email="on", quiet="on", quiet_from=wrong, quiet_until="07:15"
    )
    assert answer.status_code == 422
    assert "This must be a time of day such as 22:00." in main(answer)
    assert 'id="f-quiet_from-error"' in answer.text


def test_an_address_is_given_proved_and_removed(
    visitor: Visitor, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = MailBox()
    monkeypatch.setattr(email, "backend", lambda: box)
    wrong = visitor.post("/me/messages/email", page="/me/messages", email="nobody")
    assert wrong.status_code == 422 and "This is not an e-mail address" in main(wrong)
    visitor.post("/me/messages/email", page="/me/messages", email="shen@example.com")
    page = visitor.get("/me/messages")
    assert "s***@example.com" in main(page) and "Not confirmed yet" in main(page)
    refused = visitor.post("/me/messages/email/code", page="/me/messages", code="12")
    assert refused.status_code == 422 and "The code has six digits." in main(refused)
    assert visitor.post("/me/messages/email/code", page="/me/messages", code=box.code()).status_code == 303
    assert "Not confirmed yet" not in main(visitor.get("/me/messages"))
    with reading() as session:
        sealed = session.scalars(select(NoticeSetting.email_sealed)).one()
    assert sealed is not None and b"shen" not in sealed
    visitor.post("/me/messages/email", page="/me/messages", remove="1")
    assert "example.com" not in main(visitor.get("/me/messages"))


def test_a_second_code_within_a_minute_is_refused_and_the_first_can_still_be_entered(
    visitor: Visitor, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = MailBox()
    monkeypatch.setattr(email, "backend", lambda: box)
    visitor.post("/me/messages/email", page="/me/messages", email="shen@example.com")
    refused = visitor.post("/me/messages/email", page="/me/messages", email="other@example.com")
    assert (refused.status_code, refused.headers["Retry-After"], len(box.mails)) == (429, "60", 1)
    assert "s***@example.com" in main(refused) and 'name="code"' in refused.text
    assert visitor.post("/me/messages/email/code", page="/me/messages", code=box.code()).status_code == 303


def test_without_a_mail_server_no_address_is_asked_for(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email, "backend", lambda: None)
    assert "E-mail address" not in main(visitor.get("/me/messages"))
    refused = visitor.post("/me/messages/email", page="/me/messages", email="a@example.com")
    assert refused.status_code == 409


# --- development's outbox --------------------------------------------------------------------------------------------


def test_the_outbox_shows_what_would_have_been_sent_in_development_only(
    app: Flask, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    DevelopmentOutbox().put("sms", "+8613800000021", "", "【安享】预约已确认", "ntd_1")
    page = visitor.get("/development/outbox")
    assert "【安享】预约已确认" in main(page) and "+86****21" in main(page)
    production = type("Production", (), {**vars(settings()), "development": False})()
    monkeypatch.setattr("marketplace.web.development.settings", lambda: production)
    assert visitor.get("/development/outbox").status_code == 404
