"""Forms that are not hers, lack their token or hold rubbish."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.test import TestResponse

from booking.states import BookingState
from tests.marketplace.web.booking.pages.walking import PHONE, held, hold, times_url
from tests.marketplace.web.surfer import Surfer, hidden, surfer
from tests.world import World, booking_row, join, taken

HOSTILE = [
    "\0",
    "\ud800",
    "x" * 5000,
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "9223372036854775808",
    "ofr_0",
    "%00",
]


def test_nobody_books_for_somebody_elses_family(app: Flask, world: World) -> None:
    other = join(world.provider, world.offer, world.slots, phone="13800000028")
    answer = hold(surfer(app, PHONE), world, **{"for": other.beneficiary.public_id})
    assert answer.status_code == 404
    assert taken(world.slots[0]) == 0


def test_a_form_without_its_token_takes_nothing(browser: Surfer, world: World) -> None:
    answer = browser.client.post(times_url(world), data={"slot": world.slots[0].public_id})
    assert answer.status_code == 403
    assert taken(world.slots[0]) == 0


@pytest.fixture
def looked_at(app: Flask, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names of the parameters that pages looked for since, whether they were sent or not."""
    found: set[str] = set()

    class Noted(ImmutableMultiDict[str, str]):
        def __getitem__(self, name: str) -> str:
            found.add(name)
            return super().__getitem__(name)

        def getlist(self, name: str, type: Any = None) -> list[Any]:
            found.add(name)
            return super().getlist(name, type)

    monkeypatch.setattr(app.request_class, "parameter_storage_class", Noted)
    return found


def asked_with(browser: Surfer, path: str, sent: bytes, looked_at: set[str]) -> Iterator[TestResponse]:
    """The page's answers where each parameter that it looks at is `sent`, one after another and all at once, with one
    that it does not know."""
    before = set(looked_at)
    looked_at.clear()
    yield browser.get(path)
    tried: set[str] = set()
    while left := looked_at - tried:
        tried.add(name := min(left))
        yield browser.get(path, query_string={name: sent})
    yield browser.get(path, query_string=dict.fromkeys([*sorted(tried), "unknown"], sent))
    looked_at |= before


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_input_never_breaks_a_page(browser: Surfer, world: World, looked_at: set[str], text: str) -> None:
    sent = text.encode("utf-8", "surrogatepass")
    offer, site = times_url(world), f"/sites/{world.offer.public_id}/packages"
    paths = ("/", "/places", "/places/cities", "/who", "/bookings", offer, site)
    answers = [answer for path in paths for answer in asked_with(browser, path, sent, looked_at)]
    assert {"lang", "for", "q", "city", "day", "month"} <= looked_at
    fields = ("slot", "for", "entitlement", "idempotency_key", "day", "show")
    answers += [browser.post(offer, **{"slot": world.slots[0].public_id, name: sent}) for name in fields]
    assert {answer.status_code for answer in answers} <= {200, 303, 404, 422}


@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "2100-01-01", "9999-12-31"])
def test_a_time_that_has_gone_on_a_day_out_of_reach_is_only_not_shown(browser: Surfer, world: World, day: str) -> None:
    assert browser.get(times_url(world), query_string={"taken": "slt_x", "day": day}).status_code == 200


@pytest.mark.parametrize("part", ["%00", "..%2f", "x" * 200, "%ED%A0%80", "ofr_'"])
def test_hostile_addresses_name_nothing(browser: Surfer, part: str) -> None:
    paths = [f"/offers/{part}/times", f"/bookings/{part}", f"/bookings/{part}/live", f"/sites/{part}/packages"]
    assert {browser.get(path).status_code for path in paths} <= {404, 308}


def test_a_forged_idempotency_key_is_only_a_key(browser: Surfer, world: World) -> None:
    first = held(browser, world, idempotency_key="é\tü")
    assert booking_row(first).state is BookingState.HELD


def test_each_page_of_times_has_a_key_of_its_own(browser: Surfer, world: World) -> None:
    keys = {hidden(browser.get(times_url(world)), "idempotency_key") for _ in range(3)}
    assert len(keys) == 3
