"""What a day-capacity provider tells afterwards: changes, days in full, reports."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from providers.adapters.day_capacity import DayCapacity
from providers.adapters.signed_calls import sign
from providers.port import (
    Confirmed,
    CursorLost,
    ProviderError,
)
from providers.reported import RemoteSlot
from tests.providers.day_capacity.orders import all_changes, days, wish
from tests.sandboxes import ROOT, Sandbox, account, eventually, start_day_sandbox


def test_each_change_is_told_and_what_is_corrected_by_provider_is_the_same(
    adapter: DayCapacity, sandbox: Sandbox, day: RemoteSlot
) -> None:
    wanted = wish(day)
    booked = adapter.reserve(wanted)
    assert isinstance(booked, Confirmed)
    first, cursor = all_changes(adapter)
    again, _ = all_changes(adapter, cursor)
    known = {found.reference: found for found in first}
    assert booked.reference in known and all(known[found.reference] == found for found in again)
    sandbox.control().move(booked.reference, "no_show")
    later, _ = all_changes(adapter, cursor)
    moved = next(found for found in later if found.reference == booked.reference)
    assert moved.status == "no_show" and moved.version > known[booked.reference].version


def test_pages_lose_nothing_though_rows_move_while_they_are_read(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.adapters.day_capacity.LIST_PAGE", 3)
    adapter = DayCapacity(sandbox.connection("other"))
    made = []
    for place in days(adapter)[:10]:
        answer = adapter.reserve(wish(place))
        assert isinstance(answer, Confirmed)
        made.append(answer.reference)
        time.sleep(0.15)
    cursor, seen, page = None, [], None
    for number in itertools.count():
        part = adapter.bookings_since(cursor, page)
        seen += [found.reference for found in part.bookings]
        if number < 3:  # what was read already moves to the end of the list
            sandbox.control("other").move(made[number], "check_in")
        page = part.next
        if page is None:
            break
    assert set(made) <= set(seen)


def test_the_orders_of_some_days_are_told_in_full_and_page_by_page(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = DayCapacity(sandbox.connection("other"))
    places = days(adapter)[20:24]
    made = [adapter.reserve(wish(place)) for place in places for _ in range(2)]
    references = [answer.reference for answer in made if isinstance(answer, Confirmed)]
    first, last = places[1].service_date, places[2].service_date
    monkeypatch.setattr("providers.adapters.day_capacity.LIST_PAGE", 3)
    found, page = [], None
    while True:
        part = adapter.bookings_in(first, last, page)
        found += part.bookings
        page = part.next
        if page is None:
            break
    assert {each.service_date for each in found} == {first, last}
    assert [each.reference for each in found] == references[2:6]


def test_a_cursor_of_another_kind_is_lost(adapter: DayCapacity) -> None:
    for ask in (adapter.bookings_since, adapter.reports_since):
        for cursor, page in (("42", None), (None, "x|y"), (None, "2026-01-01 00:00:00|0|")):
            with pytest.raises(CursorLost):
                ask(cursor, page)


@pytest.mark.parametrize("offset", [-3 * 3600, 3 * 3600])
def test_a_provider_whose_clock_is_wrong_is_asked_by_its_own_clock(
    running: Sandbox, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, offset: int
) -> None:
    monkeypatch.setenv("CLOCK_OFFSET_SECONDS", str(offset))
    skewed = start_day_sandbox(tmp_path / "skewed", [account("prompt", "prompt")])
    try:
        adapter = DayCapacity(skewed.connection())
        _, cursor = all_changes(adapter)
        place = days(adapter)[3]
        answer = adapter.reserve(wish(place))
        assert isinstance(answer, Confirmed)
        found, _ = all_changes(DayCapacity(skewed.connection()), cursor)
        assert [each.reference for each in found] == [answer.reference]
    finally:
        skewed.kill()


def _report(adapter: DayCapacity, sandbox: Sandbox, place: RemoteSlot) -> Callable[[], list[Any]]:
    wanted = wish(place)
    booked = adapter.reserve(wanted)
    assert isinstance(booked, Confirmed)
    sandbox.control().move(booked.reference, "fulfil")

    def found() -> list[Any]:
        part = adapter.reports_since(None, None)
        while part.next:
            part = adapter.reports_since(None, part.next)
        return [report for report in part.reports if report.our_reference == wanted.our_reference]

    return found


def test_a_report_comes_with_its_paper_and_items_in_the_providers_own_words(
    adapter: DayCapacity, sandbox: Sandbox, day: RemoteSlot
) -> None:
    (report,) = eventually(_report(adapter, sandbox, day))
    content = adapter.fetch_report(report)
    assert content.document.startswith(b"%PDF-") and content.document_type == "application/pdf"
    items = {item.code: item for item in content.items}
    blood = items["XCG003"]
    assert (blood.name, blood.unit, blood.loinc) == ("血红蛋白浓度(HGB)", "g/dL", "")
    assert blood.range_text == "13-17.5" and 5 < float(blood.value) < 25
    assert items["XCG001"].loinc == "6690-2" and items["SG001"].unit == "μmol/L"
    assert all((item.low, item.high, item.flag) == (None, None, "") for item in content.items), "nobody has read them"
    assert any(item.mark in ("↑", "↓") for item in content.items)


def test_a_corrected_report_is_a_newer_version(adapter: DayCapacity, sandbox: Sandbox, day: RemoteSlot) -> None:
    found = _report(adapter, sandbox, day)
    (report,) = eventually(found)
    sandbox.control().move(report.booking_reference, "report")
    (corrected,) = found()
    assert (corrected.reference, corrected.version, corrected.status) == (report.reference, 2, "corrected")
    assert adapter.fetch_report(report).report.version == 1
    with pytest.raises(ProviderError):
        adapter.fetch_report(replace(report, reference="NO-SUCH-REPORT"))
    sandbox.control().fault("garbage", "report")
    with pytest.raises(ProviderError):
        adapter.fetch_report(report)


def test_the_signature_is_that_of_the_published_example() -> None:
    fields = {"app_key": "qinghe", "method": "order.query", "nonce": "0123456789abcdef"}
    fields |= {"biz": '{"orderNo":"QIN1"}', "timestamp": "2026-03-05 08:00:00"}
    text = (ROOT / "docs" / "day-capacity-protocol.md").read_text(encoding="utf-8")
    assert sign(fields, "demo-secret") in text


@pytest.mark.parametrize("seed", ["1", "2", "3", "4"])
def test_a_poisoned_row_is_unreadable_and_no_other(
    sandbox: Sandbox, adapter: DayCapacity, day: RemoteSlot, seed: str
) -> None:
    for _ in range(2):
        adapter.reserve(wish(day))
    ways = {
        "slots": lambda: adapter.slots(day.service_date, day.service_date + timedelta(days=3), None, None),
        "bookings": lambda: adapter.bookings_in(day.service_date, day.service_date, None),
    }
    for command, ask in ways.items():
        good = ask()
        sandbox.control().fault("poisoned_row", command, seed=seed)
        poisoned = ask()
        assert len(poisoned.unreadable) == 1
        assert set(poisoned.references) < set(good.references)
        assert len(poisoned.references) == len(good.references) - 1
