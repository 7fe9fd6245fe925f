"""What a FHIR server tells afterwards: slots by service and period, changes, the bookings of some days; by pages."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from providers.adapters.fhir.adapter import Fhir
from providers.adapters.fhir.pulls import Place, tokens
from providers.adapters.fhir.server import Page
from providers.port import Confirmed, CursorLost, NotFound, ProviderError, Unknown
from providers.reported import RemoteSlot
from tests.fhir_servers import SYSTEM, FhirTenant
from tests.providers.fhir.wishes import by_ours, cancelling, everything, wish

FIRST = datetime(2027, 3, 10, 0, 0, tzinfo=UTC)  # 08:00 in Shanghai
DAY = date(2027, 3, 10)


def slots_of(adapter: Fhir, cursor: str | None = None, start: date = DAY, end: date = DAY) -> tuple[list[Any], Any]:
    return everything(partial(adapter.slots, start, end), cursor)


def test_slots_of_the_period_are_told_with_their_times_page_by_page(hospital: FhirTenant) -> None:
    first = hospital.schedule("hall-1", 7, FIRST)
    second = hospital.schedule("hall-2", 3, FIRST)
    hospital.schedule("hall-3", 2, FIRST + timedelta(days=1, hours=-9))  # 23:00 and 23:30 of that day
    found, cursor = slots_of(hospital.adapter(page_size="3"))
    assert cursor is not None
    told = {slot.reference: slot for slot in found}
    assert set(told) >= {*first, *second} and len(told) == 12
    assert {slot.service_date for slot in found} == {DAY}
    assert told[first[0]].pool == "hall-1" and told[first[0]].starts_at == FIRST
    assert told[first[0]].ends_at == FIRST + timedelta(minutes=30)
    assert (told[first[0]].offered, told[first[0]].closed) == (1, False)


def test_only_schedules_of_the_service_that_are_active_are_read(hospital: FhirTenant) -> None:
    service = [{"coding": [{"system": "urn:services", "code": "checkup"}]}]
    hospital.schedule("hall-1", 2, FIRST)
    hospital.schedule("hall-2", 2, FIRST)
    hospital.schedule("hall-3", 2, FIRST)
    hospital.alter("Schedule", "hall-1", serviceType=service)
    hospital.alter("Schedule", "hall-3", serviceType=service, active=False)
    found, _ = slots_of(hospital.adapter(service_type="urn:services|checkup"))
    assert {slot.pool for slot in found} == {"hall-1"} and len(found) == 2
    with pytest.raises(ProviderError, match="no active schedule"):
        slots_of(hospital.adapter(service_type="urn:services|dialysis"))


def test_a_slot_that_is_taken_is_closed_and_only_what_changed_is_told_again(hospital: FhirTenant) -> None:
    slot, *_ = hospital.schedule("hall-1", 4, FIRST)
    adapter = hospital.adapter(overlap_seconds="0")
    before, cursor = slots_of(adapter)
    booked = adapter.reserve(wanted := wish(hospital, slot))
    assert isinstance(booked, Confirmed)
    later = hospital.adapter(overlap_seconds="0")
    changed, cursor = slots_of(later, cursor)
    [told] = [each for each in changed if each.reference == slot]
    assert (told.offered, told.closed) == (1, True)
    assert told.version > next(each.version for each in before if each.reference == slot)
    later.cancel(cancelling(wanted, booked.reference))
    [told] = [each for each in slots_of(later, cursor)[0] if each.reference == slot]
    assert not told.closed


def test_a_slot_that_breaks_the_contract_is_unreadable_and_stops_no_other(hospital: FhirTenant) -> None:
    slot, other, *_ = hospital.schedule("hall-1", 3, FIRST)
    hospital.alter("Slot", slot, end="2027-03-10T00:00:00Z")
    part = hospital.adapter().slots(DAY, DAY, None, None)
    assert other in [each.reference for each in part.slots if isinstance(each, RemoteSlot)]
    [bad] = part.unreadable
    assert (bad.reason, bad.reference) == ("end.order", f"hall-1/{slot}")


def test_each_change_of_a_booking_is_told_and_nobody_elses(
    hospital: FhirTenant, adapter: Fhir, slots: list[str]
) -> None:
    hospital.put(
        {
            "resourceType": "Appointment", "id": "somebody", "status": "booked",
            "participant": [{"actor": {"display": "Mr Li"}, "status": "accepted"}],
        }
    )  # fmt: skip
    wanted = wish(hospital, slots[0])
    booked = adapter.reserve(wanted)
    assert isinstance(booked, Confirmed)
    [first], cursor = everything(adapter.bookings_since)
    assert (first.reference, first.our_reference, first.status) == (booked.reference, wanted.our_reference, "confirmed")
    assert (first.starts_at, first.version) == (wanted.starts_at, booked.version)
    hospital.alter("Appointment", booked.reference, status="fulfilled")
    [later], _ = everything(adapter.bookings_since, cursor)
    assert later.status == "fulfilled" and later.version > first.version


def test_pages_lose_nothing_though_rows_move_while_they_are_read(hospital: FhirTenant, slots: list[str]) -> None:
    adapter = hospital.adapter(page_size="3")
    made = []
    for slot in slots[:10]:
        answer = adapter.reserve(wish(hospital, slot))
        assert isinstance(answer, Confirmed)
        made.append(answer.reference)
    page, seen, number = None, [], 0
    while True:
        part = adapter.bookings_since(None, page)
        seen += [each.reference for each in part.bookings]
        if number < 3:  # what was read already moves to the end of the list
            hospital.alter("Appointment", made[number], status="arrived")
        page, number = part.next, number + 1
        if page is None:
            break
    assert set(made) <= set(seen) and number > 3


def test_a_full_page_within_one_millisecond_is_gone_on_from_by_the_servers_link() -> None:
    """Times are told to the microsecond and asked for to the millisecond: they would be further for ever."""
    rows = [{"meta": {"lastUpdated": f"2027-03-10T00:00:00.1234{part}Z"}} for part in (56, 78)]
    page = Page(rows, "https://hospital.example/R4/Slot?_offset=2", FIRST)
    first, _ = tokens(Place(), page, 300)
    then = Place.open(None, first)
    assert (then.since, then.link) == ("2027-03-10T00:00:00.123Z", "")
    second, _ = tokens(then, page, 300)
    assert Place.open(None, second).link == page.next


def test_the_bookings_of_some_days_are_told_in_full_and_page_by_page(hospital: FhirTenant) -> None:
    adapter = hospital.adapter(page_size="2")
    made = {}
    for day in range(4):
        [slot] = hospital.schedule(f"hall-{day}", 1, FIRST + timedelta(days=day))
        for_that_day = adapter.reserve(wish(hospital, slot))
        assert isinstance(for_that_day, Confirmed)
        made[DAY + timedelta(days=day)] = for_that_day.reference
    first, last = DAY + timedelta(days=1), DAY + timedelta(days=3)
    found, _ = everything(lambda _cursor, page: adapter.bookings_in(first, last, page))
    assert {each.service_date: each.reference for each in found} == {
        day: reference for day, reference in made.items() if first <= day <= last
    }


@pytest.mark.parametrize("link", ["http://127.0.0.1:1{path}/Slot?_offset=3", "https://{host}{path}/Slot", "../x"])
def test_a_link_that_leads_elsewhere_is_not_followed(hospital: FhirTenant, link: str) -> None:
    adapter = hospital.adapter(page_size="2")
    for slot in hospital.schedule("hall-1", 3, FIRST):
        adapter.reserve(wish(hospital, slot))
    first = adapter.bookings_in(DAY, DAY, None)
    assert len(first.bookings) == 2 and first.next is not None
    assert len(adapter.bookings_in(DAY, DAY, first.next).bookings) == 1
    host, path = hospital.base.split("/", 3)[2:]
    hospital.configure(link=link.replace("{host}", host).replace("{path}", f"/{path}"))
    with pytest.raises(ProviderError, match="leads elsewhere"):
        adapter.bookings_in(DAY, DAY, adapter.bookings_in(DAY, DAY, None).next)


def test_a_server_that_does_not_look_at_our_identifier_is_not_read(
    hospital: FhirTenant, adapter: Fhir, slots: list[str]
) -> None:
    """It would tell us of everybody's appointments."""
    hospital.put(
        {
            "resourceType": "Appointment", "id": "somebody", "status": "booked",
            "identifier": [{"system": "urn:other", "value": "1"}],
            "participant": [{"actor": {"display": "Mr Li"}, "status": "accepted"}],
        }
    )  # fmt: skip
    hospital.configure(ignore="identifier")
    with pytest.raises(ProviderError, match="does not search"):
        adapter.bookings_since(None, None)
    assert isinstance(adapter.look_up(by_ours(wish(hospital, slots[0]))), Unknown)


def test_a_cursor_or_page_of_another_kind_is_lost(adapter: Fhir) -> None:
    for ask in (adapter.bookings_since, adapter.reports_since):
        for cursor, page in (("42", None), (None, "x|y"), (None, "{}"), (None, '{"since": "x", "parts": []}')):
            with pytest.raises(CursorLost):
                ask(cursor, page)


def test_what_is_undone_is_told_under_none_of_our_references(
    hospital: FhirTenant, adapter: Fhir, slots: list[str]
) -> None:
    wanted = wish(hospital, slots[0])
    booked = adapter.reserve(wanted)
    assert isinstance(booked, Confirmed)
    hospital.alter("Slot", slots[0], status="free")
    assert adapter.look_up(by_ours(wanted)) == NotFound()
    assert everything(adapter.bookings_since)[0] == []
    assert SYSTEM not in [each["system"] for each in hospital.get("Appointment", booked.reference)["identifier"]]
