"""Two markets side by side, for rows that mix them."""

from __future__ import annotations

from booking.twins.book import book_for_test
from tests.booking.twins.stage import Stage
from tests.people import NOON
from tests.world import booking_row

MADE = """
  INSERT INTO provider (public_id, code, name_zh, name_en, adapter, base_url)
    VALUES ('prv_empty', 'empty', 'x', 'x', 'partner', '');
  INSERT INTO provider (public_id, code, name_zh, name_en, adapter, base_url, twin_of)
    SELECT 'prv_twin', 'empty-test', 'x', 'x', 'partner', '', id FROM provider WHERE code = 'empty';
  INSERT INTO provider (public_id, code, name_zh, name_en, adapter, base_url)
    VALUES ('prv_third', 'third', 'x', 'x', 'partner', '');
  INSERT INTO provider (public_id, code, name_zh, name_en, adapter, base_url, twin_of)
    SELECT 'prv_thirds', 'third-test', 'x', 'x', 'partner', '', id FROM provider WHERE code = 'third';
  INSERT INTO insurer (public_id, code, name_zh, name_en, time_zone, twin_id)
    SELECT 'ins_empty', 'test-empty', 'x', 'x', 'UTC', id FROM provider WHERE code = 'third-test';
  INSERT INTO capacity_change (public_id, pool_id, version, kind, actor, at)
    SELECT 'cch_one', pool_id, 1, 'rules', '', now() FROM offer WHERE market <> 0 LIMIT 1;
  INSERT INTO discrepancy (public_id, provider_id, kind, subject, booking_id, opened_at)
    SELECT 'dis_test', provider_id, 'state_differs', 'test', id, now() FROM booking WHERE market <> 0;
  INSERT INTO closing_statement (public_id, provider_id, insurer_id, day, time_zone, made_at, content)
    SELECT 'sta_live', provider_id, insurer_id, '2026-03-09', 'UTC', now(), '{}' FROM booking WHERE market = 0;
  INSERT INTO site_closure (public_id, insurer_id, site_id, from_day, mode, actor, asked_at, state, finished_at)
    SELECT 'clo_live', b.insurer_id, o.site_id, '2027-03-09', 'cancel', '', now(), 'done', now()
      FROM booking b JOIN offer o ON o.id = b.offer_id WHERE b.market = 0;
  INSERT INTO waiting_entry (public_id, insurer_id, customer_id, beneficiary_id, kind, number, first_day, last_day,
      weekdays, from_hour, until_hour, hours_before, auto_book, closes_at, created_at, updated_at)
    SELECT 'wai_live', insurer_id, customer_id, beneficiary_id, kind, 2, '2026-03-10', '2026-03-11', 127, 0, 24, 0,
           false, now(), now(), now() FROM booking WHERE market = 0;
  INSERT INTO report (public_id, insurer_id, provider_id, booking_id, beneficiary_id, customer_id, reference, state,
      announced_version, issued_at, created_at)
    SELECT 'rep_test', insurer_id, provider_id, id, beneficiary_id, customer_id, 'x', 'expected', 1, now(), now()
      FROM booking WHERE market <> 0;
  INSERT INTO escort_worker (public_id, provider_id, shown_name, sex, languages, province, city, active_from,
      created_at, updated_at)
    SELECT 'esw_live', provider_id, 'x', 'female', ARRAY['mandarin'], 'x', 'x', now(), now(), now()
      FROM booking WHERE market = 0;
"""
"""What some of the writes name."""


def ids_of(stage: Stage, other: Stage) -> dict[str, int]:
    """Internal ids of both sides, by the names that the writes use."""
    live = booking_row(stage.world.submit())
    test = booking_row(book_for_test(stage.twin.id, stage.offer.public_id, None, 1, NOON))
    facts = {
        f"{side}_{name}": getattr(row, f"{column}_id")
        for side, row in (("live", live), ("test", test))
        for name, column in (
            *((each, each) for each in ("provider", "insurer", "customer", "offer", "entitlement")),
            ("person", "beneficiary"),
        )
    }
    return facts | {
        "live_booking": live.id,
        "test_booking": test.id,
        "live_slot": stage.world.slots[1].id,
        "test_slot": stage.slots[1].id,
        "live_pool": stage.world.offer.pool_id,
        "test_pool": stage.offer.pool_id,
        "site": stage.offer.site_id,
        "other_provider": other.twin.id,
        "other_offer": other.offer.id,
    }
