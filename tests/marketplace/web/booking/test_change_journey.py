"""A booking's later life in a real browser, with the real web server, worker and provider: the date is changed, a
change is refused, and the waiting list catches what somebody else gives up. No page is loaded anew to see it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import requests
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from booking.models import Slot
from booking.states import BookingState
from marketplace.core import clock
from marketplace.core.database.db import reading
from marketplace.development.database import DevDatabase
from tests.sandboxes import eventually
from tests.stage import Stage, set_stage
from tests.world import booking_row, set_provider

SOON = 20_000
"""Milliseconds for an answer to come back and be seen, on a machine that does other things besides."""

FULL_AFTER = timedelta(days=6)


@pytest.fixture
def stage(own_server: DevDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A provider that answers at once."""
    with set_stage(own_server, tmp_path, monkeypatch, "prompt") as made:
        yield made


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A phone."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce", locale="en-GB")
    yield context.new_page()
    context.close()


def slots_of(stage: Stage, day: date) -> list[Slot]:
    with reading() as session:
        found = select(Slot).where(Slot.pool_id == stage.offer.pool_id, Slot.service_date == day)
        return list(session.scalars(found.order_by(Slot.starts_at)))


def open_day(stage: Stage, after: date) -> date:
    """The first day from `after` on for which the provider gives out times: it rests on some weekdays."""
    with reading() as session:
        of_pool = (Slot.pool_id == stage.offer.pool_id, Slot.service_date >= after)
        return session.scalars(select(Slot.service_date).where(*of_pool).order_by(Slot.service_date).limit(1)).one()


def fill_day(stage: Stage, day: date) -> tuple[str, str, Slot]:
    """Somebody else has the only place of the day: her booking, her token, and the slot."""
    only, *others = slots_of(stage, day)
    holder, person, token = stage.customer(7)
    hers = stage.submit(holder, person, only.public_id)
    control = stage.sandbox.control()
    control.set_slot(only.external_ref, offered=1)
    for slot in others:
        control.set_slot(slot.external_ref, closed=True)
    return hers, token, only


@contextmanager
def provider_at_rest(stage: Stage) -> Iterator[None]:
    """No command reaches the provider meanwhile, so that what is asked for can be seen as asked for."""
    set_provider(stage.provider, paused_at=clock.now())
    yield
    set_provider(stage.provider, paused_at=None)


def ask_for_the_next_time(page: Page) -> None:
    page.get_by_role("link", name="Change the date").click()
    page.get_by_role("button", name="Next, compare both dates").click()
    page.get_by_role("button", name="Ask for the new date").click()
    expect(page.get_by_role("article", name="Asked for")).to_be_visible()
    page.evaluate("document.body.dataset.kept = 'yes'")


def still_the_same_page(page: Page) -> bool:
    return bool(page.evaluate("document.body.dataset.kept") == "yes")


def starts(public_id: str) -> datetime:
    found = booking_row(public_id).starts_at
    assert found is not None
    return found


def shown(moment: datetime) -> str:
    return moment.astimezone(ZoneInfo("Asia/Shanghai")).strftime("%H:%M")


@pytest.mark.browser
@pytest.mark.slow
def test_a_date_is_changed_a_change_is_refused_and_the_waiting_list_catches_a_freed_place(
    stage: Stage, page: Page
) -> None:
    me, person, token = stage.customer(1)
    mine = stage.submit(me, person, stage.slots()[0])
    day = open_day(stage, (clock.now() + FULL_AFTER).date())
    hers, her_token, only = fill_day(stage, day)
    address = stage.web().url
    page.context.add_cookies([{"name": "signed_in", "value": token, "url": address}])
    page.context.add_cookies([{"name": "lang", "value": "en", "url": address}])
    page.goto(f"{address}/bookings/{mine}")
    stage.worker()
    pill, time_shown, turn = page.locator(".ticket .pill"), page.locator(".when__time").first, page.locator(".turn")
    expect(pill).to_have_text("Confirmed", timeout=SOON)

    before = starts(mine)
    with provider_at_rest(stage):
        ask_for_the_next_time(page)
        expect(time_shown).to_contain_text(shown(before))
    expect(turn).to_contain_text("The date was changed.", timeout=SOON)
    after = starts(mine)
    assert after != before and still_the_same_page(page)
    expect(time_shown).to_contain_text(shown(after))
    assert stage.live_there(mine) == 1

    stage.sandbox.control().fault("sold_out", "change")
    with provider_at_rest(stage):
        ask_for_the_next_time(page)
    expect(turn).to_contain_text("The hospital did not agree to the new date.", timeout=SOON)
    expect(turn).to_contain_text("That time is no longer free there. This date stays.")
    expect(time_shown).to_contain_text(shown(after))
    assert starts(mine) == after and still_the_same_page(page) and stage.live_there(mine) == 1

    eventually(lambda: booking_row(hers).state is BookingState.CONFIRMED)
    eventually(lambda: not any(slot.has_place for slot in slots_of(stage, day)))
    page.goto(f"{address}/offers/{stage.offer.public_id}/waiting")
    page.get_by_label("First day").fill(day.isoformat())
    page.get_by_label("Last day").fill(day.isoformat())
    page.get_by_role("button", name="Join the waiting list").click()
    waits = page.locator("#waiting .pill")
    expect(waits).to_have_text("Waiting")
    page.evaluate("document.body.dataset.kept = 'yes'")
    answer = requests.post(
        f"{address}/api/v1/bookings/{hers}/cancel",
        headers={"Authorization": f"Bearer {her_token}", "Idempotency-Key": str(uuid4())},
        timeout=10,
    )
    assert answer.status_code in (200, 202), answer.text
    expect(waits).to_have_text("A place for you", timeout=SOON)
    assert still_the_same_page(page)
    page.locator("#waiting").get_by_role("link", name="Check and confirm").click()
    page.get_by_role("button", name="Confirm booking").click()
    expect(pill).to_have_text("Confirmed", timeout=SOON)
    caught = page.url.rsplit("/", 1)[1]
    assert starts(caught) == only.starts_at and stage.live_there(hers) == 0 and stage.live_there(caught) == 1
    stage.assert_books_add_up()
