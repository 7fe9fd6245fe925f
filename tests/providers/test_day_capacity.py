"""The day-capacity interface through its adapter, against the real server."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests

from providers.adapters.day_capacity import DayCapacity
from providers.adapters.signed_calls import sign
from providers.port import (
    Accepted,
    BadSignature,
    Cancel,
    Change,
    ComeBackLater,
    Confirmed,
    CursorLost,
    LookUp,
    NotFound,
    Person,
    ProviderError,
    Refused,
    Reserve,
    RetryAfter,
    Unknown,
)
from providers.reported import RemoteBooking, RemoteSlot
from tests.sandboxes import ROOT, Sandbox, account, eventually, start_day_sandbox

SHANGHAI = ZoneInfo("Asia/Shanghai")
_numbers = itertools.count(1)
_days = itertools.count(0)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One server for all tests of this file."""
    offers = ["BASIC", {"code": "WOMEN", "sex": "female"}]
    pools = [{"pool": f"ORG{number}", "offers": offers, "capacity": 5} for number in range(1, 4)]
    accounts = [account("prompt", "prompt"), account("deliberate", "deliberate"), account("other", "prompt")]
    sandbox = start_day_sandbox(tmp_path_factory.mktemp("days"), accounts, pools)
    yield sandbox
    sandbox.kill()


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    """The server without faults."""
    for code in ("prompt", "deliberate", "other"):
        running.control(code).clear_faults()
        running.control(code).settings(refuse_duplicates=False)
    return running


@pytest.fixture
def adapter(sandbox: Sandbox) -> DayCapacity:
    """Speaks to the account that confirms at once."""
    return DayCapacity(sandbox.connection())


@pytest.fixture
def hasty(sandbox: Sandbox) -> DayCapacity:
    """The same, but gives up after a second."""
    return DayCapacity(sandbox.connection(deadline_seconds=1))


@pytest.fixture
def day(adapter: DayCapacity) -> RemoteSlot:
    """A day that no other test uses, with five places."""
    return days(adapter)[next(_days)]


def days(adapter: DayCapacity) -> list[RemoteSlot]:
    tomorrow = datetime.now(SHANGHAI).date() + timedelta(days=1)
    return list(adapter.slots(tomorrow, tomorrow + timedelta(days=59), None, None).slots)


def wish(day: RemoteSlot, **changes: Any) -> Reserve:
    made = Reserve(
        key=f"key-{next(_numbers)}",
        our_reference=f"bkg-{next(_numbers)}",
        offer="BASIC",
        pool=day.pool,
        slot=day.reference,
        service_date=day.service_date,
        starts_at=None,
        ends_at=None,
        person=Person("王小明", "male", date(1985, 5, 20)),
    )
    return replace(made, **changes)


def by_ours(wanted: Reserve) -> LookUp:
    return LookUp(wanted.key, wanted.our_reference)


def cancel(wanted: Reserve, reference: str | None) -> Cancel:
    return Cancel("key-of-cancel", wanted.our_reference, reference, "customer_asked")


def all_changes(adapter: DayCapacity, cursor: str | None = None) -> tuple[list[RemoteBooking], str]:
    found, page = [], None
    for _ in range(1000):
        part = adapter.bookings_since(cursor, page)
        found += part.bookings
        page = part.next
        if page is None:
            assert part.cursor is not None
            return found, part.cursor
    raise AssertionError("a list without an end")


# --- what goes well --------------------------------------------------------------------------------------------------


def test_days_are_told_without_times_and_with_all_their_places(adapter: DayCapacity, sandbox: Sandbox) -> None:
    found = days(adapter)
    assert {day.pool for day in found} == {"ORG1", "ORG2", "ORG3"}
    assert all(day.starts_at is None and day.ends_at is None and day.offered == 5 for day in found)
    assert all(day.service_date.weekday() != 6 for day in found)
    sandbox.control().set_slot(found[0].reference, closed=True)
    assert days(adapter)[0].closed
    sandbox.control().set_slot(found[0].reference)


def test_places_taken_stay_in_what_is_offered(adapter: DayCapacity, day: RemoteSlot) -> None:
    assert isinstance(adapter.reserve(wish(day)), Confirmed)
    assert next(found for found in days(adapter) if found.reference == day.reference).offered == 5


def test_a_prompt_provider_confirms_and_is_found_by_our_reference(adapter: DayCapacity, day: RemoteSlot) -> None:
    wanted = wish(day)
    answer = adapter.reserve(wanted)
    assert isinstance(answer, Confirmed)
    found = adapter.look_up(by_ours(wanted))
    assert isinstance(found, RemoteBooking)
    assert (found.reference, found.our_reference, found.status) == (answer.reference, wanted.our_reference, "confirmed")
    assert (found.service_date, found.starts_at, found.version) == (day.service_date, None, answer.version)
    assert found.updated_at is not None and abs(found.updated_at - datetime.now(UTC)) < timedelta(seconds=30)


def test_a_deliberate_provider_accepts_and_confirms_later(sandbox: Sandbox, day: RemoteSlot) -> None:
    adapter, wanted = DayCapacity(sandbox.connection("deliberate")), wish(day)
    answer = adapter.reserve(wanted)
    assert isinstance(answer, Accepted)

    def confirmed() -> bool:
        found = adapter.look_up(by_ours(wanted))
        return isinstance(found, RemoteBooking) and found.status == "confirmed" and found.version > answer.version

    assert eventually(confirmed)


def test_versions_grow_within_one_second(adapter: DayCapacity, sandbox: Sandbox, day: RemoteSlot) -> None:
    wanted = wish(day)
    seen = [adapter.reserve(wanted)]
    for action in ("check_in", "start", "fulfil"):
        assert isinstance(seen[0], Confirmed)
        sandbox.control().move(seen[0].reference, action)
        seen.append(adapter.look_up(by_ours(wanted)))
    versions = [answer.version for answer in seen if isinstance(answer, Confirmed | RemoteBooking)]
    assert versions == sorted(set(versions)) and len(versions) == 4


def test_two_orders_under_one_number_are_possible_and_the_oldest_live_is_found(
    adapter: DayCapacity, sandbox: Sandbox, day: RemoteSlot
) -> None:
    wanted = wish(day)
    first, second = adapter.reserve(wanted), adapter.reserve(wanted)
    assert isinstance(first, Confirmed) and isinstance(second, Confirmed) and first.reference != second.reference
    assert sandbox.control().live(wanted.our_reference) == 2
    everything, _ = all_changes(adapter)
    assert sum(found.our_reference == wanted.our_reference for found in everything) == 2
    assert isinstance(adapter.cancel(cancel(wanted, first.reference)), Confirmed)
    found = adapter.look_up(by_ours(wanted))
    assert isinstance(found, RemoteBooking) and found.reference == second.reference


def test_a_provider_that_refuses_a_number_twice_leaves_the_outcome_open(
    adapter: DayCapacity, sandbox: Sandbox, day: RemoteSlot
) -> None:
    sandbox.control().settings(refuse_duplicates=True)
    wanted = wish(day)
    assert isinstance(adapter.reserve(wanted), Confirmed)
    assert isinstance(adapter.reserve(wanted), Unknown)
    assert sandbox.control().live(wanted.our_reference) == 1


def test_a_day_is_never_oversold_under_threads(sandbox: Sandbox, day: RemoteSlot) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: DayCapacity(sandbox.connection()).reserve(wish(day)), range(12)))
    assert sum(isinstance(answer, Confirmed) for answer in answers) == 5
    assert {answer.code for answer in answers if isinstance(answer, Refused)} == {"sold_out"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"service_date": date(1999, 1, 1)}, "unknown_slot"),
        ({"pool": "NOWHERE"}, "unknown_slot"),
        ({"offer": "NO-SUCH"}, "closed"),
        ({"offer": "WOMEN"}, "not_eligible"),
    ],
)
def test_a_refusal_inside_200_has_its_code(
    adapter: DayCapacity, day: RemoteSlot, changes: dict[str, Any], code: str
) -> None:
    assert adapter.reserve(wish(day, **changes)) == Refused(code)


def test_cancel_gives_the_place_back_and_again_is_confirmed_again(
    adapter: DayCapacity, sandbox: Sandbox, day: RemoteSlot
) -> None:
    wanted = wish(day)
    booked = adapter.reserve(wanted)
    assert isinstance(booked, Confirmed)
    first = adapter.cancel(cancel(wanted, booked.reference))
    assert isinstance(first, Confirmed) and first.version > booked.version
    assert adapter.cancel(cancel(wanted, booked.reference)) == first
    assert sandbox.control().live(wanted.our_reference) == 0


def test_cancel_by_our_reference_cancels_every_live_order(
    adapter: DayCapacity, sandbox: Sandbox, day: RemoteSlot
) -> None:
    wanted = wish(day)
    assert adapter.cancel(cancel(wanted, None)) == NotFound()
    adapter.reserve(wanted), adapter.reserve(wanted)
    assert isinstance(adapter.cancel(cancel(wanted, None)), Confirmed)
    assert sandbox.control().live(wanted.our_reference) == 0
    assert isinstance(adapter.cancel(cancel(wanted, None)), Confirmed)


def test_cancel_of_what_is_not_there_is_not_found(adapter: DayCapacity, day: RemoteSlot) -> None:
    assert adapter.cancel(cancel(wish(day), "NO-SUCH-ORDER")) == NotFound()


def test_cancel_after_arrival_is_too_late(adapter: DayCapacity, sandbox: Sandbox, day: RemoteSlot) -> None:
    wanted = wish(day)
    booked = adapter.reserve(wanted)
    assert isinstance(booked, Confirmed)
    sandbox.control().move(booked.reference, "check_in")
    assert adapter.cancel(cancel(wanted, booked.reference)) == Refused("too_late")


def test_it_declares_that_it_cannot_change_and_does_not(adapter: DayCapacity, day: RemoteSlot) -> None:
    assert not adapter.capabilities.change and not adapter.capabilities.idempotency_keys
    answer = adapter.change(Change("k", "bkg", "R", day.reference, day.service_date, None, None))
    assert isinstance(answer, Refused)


def test_nothing_comes_by_push(adapter: DayCapacity) -> None:
    with pytest.raises(BadSignature):
        adapter.read_event({}, b"{}", datetime.now(UTC))


# --- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        ("error_after_commit", 0),
        ("commit_then_drop", 0),
        ("commit_then_hang", 3),
        ("broken_json", 0),
        ("garbage", 0),
        ("no_reference", 0),
        ("redirect", 0),
        ("bomb", 0),
    ],
)
def test_committed_but_not_told_is_unknown_and_found_by_our_reference(
    sandbox: Sandbox, adapter: DayCapacity, hasty: DayCapacity, day: RemoteSlot, fault: str, seconds: float
) -> None:
    sandbox.control().fault(fault, "reserve", seconds=seconds, megabytes=6)
    wanted = wish(day)
    assert isinstance((hasty if seconds else adapter).reserve(wanted), Unknown)
    found = adapter.look_up(by_ours(wanted))
    assert isinstance(found, RemoteBooking) and found.status == "confirmed"
    assert sandbox.control().live(wanted.our_reference) == 1


@pytest.mark.parametrize("fault", ["error_after_commit", "no_reference", "garbage", "broken_json"])
def test_a_cancel_that_was_not_told_is_unknown_and_can_be_repeated(
    sandbox: Sandbox, adapter: DayCapacity, day: RemoteSlot, fault: str
) -> None:
    wanted = wish(day)
    booked = adapter.reserve(wanted)
    assert isinstance(booked, Confirmed)
    sandbox.control().fault(fault, "cancel")
    assert isinstance(adapter.cancel(cancel(wanted, booked.reference)), Unknown)
    assert isinstance(adapter.cancel(cancel(wanted, booked.reference)), Confirmed)


@pytest.mark.parametrize("fault", ["error_before_commit", "garbage", "no_reference", "broken_json"])
def test_a_look_up_that_cannot_be_read_says_nothing(
    sandbox: Sandbox, adapter: DayCapacity, day: RemoteSlot, fault: str
) -> None:
    wanted = wish(day)
    adapter.reserve(wanted)
    sandbox.control().fault(fault, "look_up")
    assert isinstance(adapter.look_up(by_ours(wanted)), Unknown)


def test_a_late_commit_comes_after_not_found(
    sandbox: Sandbox, adapter: DayCapacity, hasty: DayCapacity, day: RemoteSlot
) -> None:
    sandbox.control().fault("late_commit", "reserve", seconds=2)
    wanted = wish(day)
    assert isinstance(hasty.reserve(wanted), Unknown)
    assert adapter.look_up(by_ours(wanted)) == NotFound()
    assert eventually(lambda: isinstance(adapter.look_up(by_ours(wanted)), RemoteBooking))


def test_an_error_before_the_commit_is_unknown_and_then_not_found(
    sandbox: Sandbox, adapter: DayCapacity, day: RemoteSlot
) -> None:
    sandbox.control().fault("error_before_commit", "reserve")
    wanted = wish(day)
    assert isinstance(adapter.reserve(wanted), Unknown)
    assert adapter.look_up(by_ours(wanted)) == NotFound()


@pytest.mark.parametrize("fault", ["rate_limited", "unavailable"])
def test_come_back_later_says_when(sandbox: Sandbox, adapter: DayCapacity, day: RemoteSlot, fault: str) -> None:
    sandbox.control().fault(fault, "*", retry_after=7, times=2)
    wanted = wish(day)
    assert adapter.reserve(wanted) == RetryAfter(7)
    assert adapter.look_up(by_ours(wanted)) == RetryAfter(7)
    assert sandbox.control().bookings(wanted.our_reference) == []


@pytest.mark.parametrize("fault", ["rate_limited", "unavailable"])
def test_a_read_that_comes_too_early_says_when_to_come_back(sandbox: Sandbox, adapter: DayCapacity, fault: str) -> None:
    sandbox.control().fault(fault, "*", retry_after=7, times=1)
    with pytest.raises(ComeBackLater) as asked:
        adapter.bookings_since(None, None)
    assert asked.value.retry_after == 7


def test_sold_out_at_once_and_sold_out_at_confirm(sandbox: Sandbox, day: RemoteSlot) -> None:
    adapter, control = DayCapacity(sandbox.connection("deliberate")), sandbox.control("deliberate")
    control.fault("sold_out", "reserve")
    assert adapter.reserve(wish(day)) == Refused("sold_out")
    control.fault("sold_out", "decide")
    wanted = wish(day)
    assert isinstance(adapter.reserve(wanted), Accepted)

    def rejected() -> bool:
        found = adapter.look_up(by_ours(wanted))
        return isinstance(found, RemoteBooking) and (found.status, found.reason) == ("rejected", "sold_out")

    assert eventually(rejected)


def test_a_slow_answer_in_time_counts_and_a_dripping_one_is_cut(
    sandbox: Sandbox, adapter: DayCapacity, hasty: DayCapacity, day: RemoteSlot
) -> None:
    sandbox.control().fault("slow", "reserve", seconds=0.3)
    assert isinstance(adapter.reserve(wish(day)), Confirmed)
    sandbox.control().fault("drip", "reserve")
    began = time.monotonic()
    assert isinstance(hasty.reserve(wish(day)), Unknown)
    assert time.monotonic() - began < 5


def test_a_wrong_signature_or_app_key_refuses_no_customer(sandbox: Sandbox, day: RemoteSlot) -> None:
    for wrong in ({"secret": "wrong"}, {"settings": {"app_key": "nobody"}}):
        adapter = DayCapacity(replace(sandbox.connection(), **wrong))  # type: ignore[arg-type]
        wanted = wish(day)
        assert isinstance(adapter.reserve(wanted), RetryAfter)
        assert isinstance(adapter.look_up(by_ours(wanted)), RetryAfter)
        assert sandbox.control().bookings(wanted.our_reference) == []
        with pytest.raises(ProviderError):
            adapter.bookings_since(None, None)


def test_a_provider_that_is_not_there_took_nothing(sandbox: Sandbox, day: RemoteSlot) -> None:
    adapter = DayCapacity(replace(sandbox.connection(), base_url="http://127.0.0.1:9/p/prompt"))
    answer = adapter.reserve(wish(day))
    assert isinstance(answer, RetryAfter) and not answer.reached


def test_a_request_cannot_be_played_again_nor_altered(sandbox: Sandbox, day: RemoteSlot) -> None:
    now = datetime.now(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
    fields = {"app_key": "prompt", "method": "order.query", "timestamp": now, "nonce": "n" * 16}
    fields["biz"] = '{"outOrderNo": "bkg-x"}'
    fields["sign"] = sign(fields, "key-prompt")

    def code(body: dict[str, str]) -> int:
        answer = requests.post(f"{sandbox.base_url()}/order.query", json=body, timeout=10)
        assert answer.status_code == 200
        return int(answer.json()["code"])

    assert [code(fields), code(fields), code({**fields, "biz": "{}"})] == [0, 1007, 1002]


# --- what changed since ----------------------------------------------------------------------------------------------


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


# --- reports ---------------------------------------------------------------------------------------------------------


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
