"""What is a test and what is live are kept apart by the database, whoever writes: each mixing is refused to the
application's role, and the same write passes once what refuses it is taken away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import Connection, Engine, text

from booking.twins.customers import customers
from marketplace.core.database.db import db as models
from migrations.known import import_models
from tests.booking.twins.stage import make_stage
from tests.booking.twins.two_markets import MADE, ids_of

pytestmark = pytest.mark.every_postgres

BOOKING = """
  INSERT INTO booking (public_id, reference, insurer_id, customer_id, beneficiary_id, offer_id, provider_id,
      entitlement_id, market, kind, state, service_date, starts_at, ends_at, time_zone, period, price_minor, currency,
      snapshot, created_at, updated_at)
  SELECT 'bkg_mixed', 'AXMIXED', {insurer}, {customer}, {person}, {offer}, {provider}, {entitlement}, {market}, kind,
      'held', service_date + 40, starts_at + interval '40 days', ends_at + interval '40 days', time_zone,
      tstzrange(starts_at + interval '40 days', ends_at + interval '40 days'), 0, 'CNY', '{{}}', now(), now()
    FROM booking WHERE id = %(live_booking)s"""
OF_LIVE = {
    "insurer": "%(live_insurer)s",
    "customer": "%(live_customer)s",
    "person": "%(live_person)s",
    "entitlement": "%(live_entitlement)s",
    "offer": "%(live_offer)s",
    "provider": "%(live_provider)s",
    "market": "0",
}
OF_TEST = {name: value.replace("live", "test") for name, value in OF_LIVE.items()}
AT = ("offer", "provider")


def _booking(base: dict[str, str], **changes: str) -> str:
    return BOOKING.format(**{**base, **changes})


def _from(other: dict[str, str], *names: str) -> dict[str, str]:
    return {name: other[name] for name in names}


@dataclass(frozen=True)
class Mixing:
    """A write that mixes, and what refuses it: keys or triggers, each as `name on table`."""

    sql: str
    by: tuple[str, ...]


def _triggered(table: str, columns: str, values: str) -> Mixing:
    return Mixing(f"INSERT INTO {table} ({columns}) VALUES ({values})", (f"in_one_market on {table}",))


MIXINGS = {
    "a live customer at a twin": Mixing(
        _booking(OF_LIVE, **_from(OF_TEST, *AT)), ("fk_booking_insurer_market on booking",)
    ),
    "a live customer at a twin, called live": Mixing(
        _booking(OF_LIVE, **_from(OF_TEST, *AT), market="0"), ("fk_booking_insurer_market on booking",)
    ),
    "a test customer at a live provider": Mixing(
        _booking(OF_TEST, **_from(OF_LIVE, *AT)), ("fk_booking_insurer_market on booking",)
    ),
    "a test customer at another's twin": Mixing(
        _booking(OF_TEST, offer="%(other_offer)s", provider="%(other_provider)s"),
        ("fk_booking_insurer_market on booking",),
    ),
    "a live customer under a test's insurer": Mixing(
        _booking(OF_TEST, **_from(OF_LIVE, "customer", "person", "entitlement")),
        ("fk_booking_customer_insurer on booking",),
    ),
    "a live person for a test customer": Mixing(
        _booking(OF_TEST, person=OF_LIVE["person"]), ("fk_booking_beneficiary_customer on booking",)
    ),
    "a live benefit for a test customer": Mixing(
        _booking(OF_TEST, entitlement=OF_LIVE["entitlement"]), ("fk_booking_entitlement_customer on booking",)
    ),
    "a live offer at a twin": Mixing(
        _booking(OF_TEST, offer=OF_LIVE["offer"]), ("fk_booking_offer_provider on booking",)
    ),
    "a test booking that goes to the live provider": Mixing(
        "UPDATE booking SET provider_id = %(live_provider)s, offer_id = %(live_offer)s WHERE id = %(test_booking)s",
        ("fk_booking_provider_market on booking",),
    ),
    "a test booking that is called live": Mixing(
        "UPDATE booking SET market = 0 WHERE id = %(test_booking)s",
        ("fk_booking_provider_market on booking", "fk_booking_insurer_market on booking"),
    ),
    "a twin's offer that is called live": Mixing(
        "UPDATE offer SET market = 0 WHERE id = %(test_offer)s", ("fk_offer_provider_market on offer",)
    ),
    "a twin's offer that draws on live places": Mixing(
        "UPDATE offer SET pool_id = %(live_pool)s WHERE id = %(test_offer)s", ("fk_offer_pool_provider on offer",)
    ),
    "a twin that becomes live": Mixing(
        "UPDATE provider SET twin_of = NULL WHERE id = %(empty_twin)s", ("market_stays on provider",)
    ),
    "a live provider that becomes a twin": Mixing(
        "UPDATE provider SET twin_of = %(live_provider)s WHERE id = %(empty_provider)s",
        ("market_stays on provider", "uq_provider_twin_of on provider"),
    ),
    "a twin of a twin": Mixing(
        "INSERT INTO provider (public_id, code, name_zh, name_en, adapter, base_url, twin_of)"
        " VALUES ('prv_mixed', 'mixed', 'x', 'x', 'partner', '', %(test_provider)s)",
        ("twin_of_a_live_one on provider",),
    ),
    "a test's insurer that becomes live": Mixing(
        "UPDATE insurer SET twin_id = NULL WHERE id = %(empty_insurer)s", ("market_stays on insurer",)
    ),
    "a live insurer that becomes a test's": Mixing(
        "INSERT INTO insurer (public_id, code, name_zh, name_en, time_zone, twin_id)"
        " VALUES ('ins_mixed', 'mixed', 'x', 'x', 'UTC', %(empty_provider)s)",
        ("fk_insurer_twin on insurer",),
    ),
    "a test booking in a live place": _triggered(
        "slot_claim", "booking_id, slot_id, created_at", "%(test_booking)s, %(live_slot)s, now()"
    ),
    "a live booking in a test's place": _triggered(
        "slot_claim", "booking_id, slot_id, created_at", "%(live_booking)s, %(test_slot)s, now()"
    ),
    "a test booking that asks for a live time": _triggered(
        "change_request",
        "public_id, booking_id, kind, state, actor_kind, actor, new_slot_id, asked_at",
        "'chg_mixed', %(test_booking)s, 'reschedule', 'open', 'customer', '', %(live_slot)s, now()",
    ),
    "a live time proposed for a test booking": _triggered(
        "proposal",
        "public_id, booking_id, slot_id, slot_ref, service_date, expires_at, made_at",
        "'prp_mixed', %(test_booking)s, %(live_slot)s, '', '2026-03-10', now(), now()",
    ),
    "a decision about a test booking's live place": _triggered(
        "capacity_change_item",
        "public_id, change_id, booking_id, slot_id, action, actor, decided_at",
        "'cci_mixed', %(change)s, %(test_booking)s, %(live_slot)s, 'keep', '', now()",
    ),
    "a test booking's command to the live provider": _triggered(
        "provider_task",
        "public_id, provider_id, booking_id, seq, command, key, run_after, created_at",
        "'tsk_mixed', %(live_provider)s, %(test_booking)s, 9, 'cancel', 'mixed', now(), now()",
    ),
    "a test booking that exists at the live provider": _triggered(
        "provider_booking",
        "provider_id, reference, booking_id, role, status, seen_at",
        "%(live_provider)s, 'mixed', %(test_booking)s, 'stray', 'confirmed', now()",
    ),
    "a test booking that is looked up at the live provider": _triggered(
        "booking_look_up",
        "booking_id, provider_id, asked_at, calls",
        "%(test_booking)s, %(live_provider)s, now(), 1",
    ),
    "a live escort who is asked to go with a test customer": _triggered(
        "escort_assignment",
        "public_id, booking_id, worker_id, provider_id, period, padded, travel_seconds, asked_at, answer_due_at,"
        " asked_by_kind, asked_by",
        "'esa_mixed', %(test_booking)s, %(live_worker)s, %(live_provider)s, '[2026-03-10 08:00Z,2026-03-10 12:00Z)',"
        " '[2026-03-10 07:00Z,2026-03-10 12:00Z)', 3600, now(), now() + interval '1 hour', 'clock', ''",
    ),
    "a live provider's difference about a test booking": _triggered(
        "discrepancy",
        "public_id, provider_id, kind, subject, booking_id, opened_at",
        "'dis_mixed', %(live_provider)s, 'state_differs', 'mixed', %(test_booking)s, now()",
    ),
    "a cancel at the live provider of what a twin has too much": _triggered(
        "stray_cancel",
        "key, provider_id, discrepancy_id, reference, our_reference, actor_kind, actor, asked_at, run_after",
        "'mixed', %(live_provider)s, %(test_discrepancy)s, '', '', 'system', '', now(), now()",
    ),
    "a notice to a live customer of a test booking": _triggered(
        "notification",
        "public_id, customer_id, booking_id, kind, subject, created_at",
        "'ntf_mixed', %(live_customer)s, %(test_booking)s, 'confirmed', 'mixed', now()",
    ),
    "a live benefit that a test booking reserves": _triggered(
        "entitlement_entry",
        "entitlement_id, booking_id, entry, attempt, at, actor_kind, actor",
        "%(live_entitlement)s, %(test_booking)s, 'reserve', 2, now(), 'system', ''",
    ),
    "a live customer's report of a test booking": _triggered(
        "report",
        "public_id, insurer_id, provider_id, booking_id, beneficiary_id, customer_id, reference, state,"
        " announced_version, issued_at, created_at",
        "'rep_mixed', %(live_insurer)s, %(test_provider)s, %(test_booking)s, %(live_person)s, %(live_customer)s, 'y',"
        " 'expected', 1, now(), now()",
    ),
    "a live customer who waits under a test's insurer": _triggered(
        "waiting_entry",
        "public_id, insurer_id, customer_id, beneficiary_id, kind, number, first_day, last_day, weekdays, from_hour,"
        " until_hour, hours_before, auto_book, closes_at, created_at, updated_at",
        "'wai_mixed', %(test_insurer)s, %(live_customer)s, %(live_person)s, 'health_check', 1, '2026-03-10',"
        " '2026-03-11', 127, 0, 24, 0, false, now(), now(), now()",
    ),
    "a live customer who waits for a test's place": _triggered(
        "waiting_place",
        "entry_id, offer_id, pool_id, beneficiary_id",
        "%(live_entry)s, %(test_offer)s, %(test_pool)s, %(live_person)s",
    ),
    "a test booking offered to who waits live": _triggered(
        "waiting_chance",
        "entry_id, slot_id, booking_id, until, made_at",
        "%(live_entry)s, %(test_slot)s, %(test_booking)s, now(), now()",
    ),
    "a twin's statement for a live insurer": _triggered(
        "closing_statement",
        "public_id, provider_id, insurer_id, day, time_zone, made_at, content",
        "'sta_mixed', %(test_provider)s, %(live_insurer)s, '2026-03-10', 'UTC', now(), '{}'",
    ),
    "a twin's statement for its own test customers": _triggered(
        "closing_statement",
        "public_id, provider_id, insurer_id, day, time_zone, made_at, content",
        "'sta_test', %(test_provider)s, %(test_insurer)s, '2026-03-10', 'UTC', now(), '{}'",
    ),
    "a test booking in a live statement": _triggered(
        "statement_line",
        "statement_id, booking_id, state, service_date, units, amount_minor, currency, correction",
        "%(live_statement)s, %(test_booking)s, 'fulfilled', '2026-03-10', 1, 0, 'CNY', false",
    ),
    "a site that a test's insurer closes": _triggered(
        "site_closure",
        "public_id, insurer_id, site_id, from_day, mode, actor, asked_at",
        "'clo_mixed', %(test_insurer)s, %(site)s, '2026-03-10', 'cancel', '', now()",
    ),
    "a test booking that a live closure ends": _triggered(
        "site_closure_item",
        "closure_id, booking_id, outcome, at",
        "%(closure)s, %(test_booking)s, 'cancelled', now()",
    ),
    "an operator of a test's insurer": _triggered(
        "operator",
        "public_id, insurer_id, login, name, password_hash",
        "'opr_mixed', %(test_insurer)s, 'mixed', 'x', 'x'",
    ),
    "a member of a twin": _triggered(
        "operator",
        "public_id, provider_id, login, name, role, password_hash",
        "'mbr_mixed', %(test_provider)s, 'mixed', 'x', 'manager', 'x'",
    ),
    "a test's report that a live customer shares": _triggered(
        "report_share",
        "public_id, report_id, customer_id, token_hash, audience, created_at, expires_at",
        "'shr_mixed', %(test_report)s, %(live_customer)s, 'x', 'family', now(), now()",
    ),
}


@pytest.fixture
def ids(db: Engine) -> dict[str, int]:
    """Both sides, each with a booking."""
    found = ids_of(make_stage(), make_stage(phone="13800000044"))
    with db.begin() as connection:
        for statement in MADE.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
        named = {
            "empty_provider": "SELECT id FROM provider WHERE code = 'empty'",
            "empty_twin": "SELECT id FROM provider WHERE code = 'empty-test'",
            "empty_insurer": "SELECT id FROM insurer WHERE code = 'test-empty'",
            "change": "SELECT id FROM capacity_change",
            "test_discrepancy": "SELECT id FROM discrepancy WHERE public_id = 'dis_test'",
            "live_statement": "SELECT id FROM closing_statement",
            "closure": "SELECT id FROM site_closure",
            "live_entry": "SELECT id FROM waiting_entry",
            "test_report": "SELECT id FROM report",
            "live_worker": "SELECT id FROM escort_worker",
        }
        return found | {name: connection.exec_driver_sql(sql).scalar_one() for name, sql in named.items()}


@pytest.mark.parametrize("name", MIXINGS)
def test_the_database_refuses(db: Engine, owner_connection: Connection, ids: dict[str, int], name: str) -> None:
    mixing = MIXINGS[name]
    with pytest.raises(Exception) as refused, db.begin() as connection:
        connection.exec_driver_sql(mixing.sql, ids)
    assert _said(refused.value) in {by.partition(" on ")[0] for by in mixing.by}

    owner_connection.exec_driver_sql("BEGIN")
    try:
        for by in mixing.by:
            what, _, table = by.partition(" on ")
            is_key = what.startswith(("fk_", "uq_"))
            owner_connection.exec_driver_sql(
                f"ALTER TABLE {table} DROP CONSTRAINT {what}" if is_key else f"DROP TRIGGER {what} ON {table}"
            )
        written = owner_connection.exec_driver_sql(mixing.sql, ids).rowcount
    finally:
        owner_connection.exec_driver_sql("ROLLBACK")
    assert written == 1, "nothing else stands in its way"


def _said(refused: Exception) -> str:
    """The name of the key, or what the trigger calls itself by."""
    found = refused.orig.diag  # type: ignore[attr-defined]
    return str(found.constraint_name or found.message_primary)


def test_what_belongs_to_a_provider_is_of_its_market_whatever_the_writer_says(db: Engine, ids: dict[str, int]) -> None:
    with db.begin() as connection:
        connection.exec_driver_sql(_booking(OF_TEST, market="0"), ids)
        found = connection.execute(text("SELECT market FROM booking WHERE public_id = 'bkg_mixed'")).scalar_one()
    assert found == ids["test_provider"]


OWNED = frozenset(
    {
        *("provider", "capacity_pool", "offer", "slot", "discrepancy", "capacity_change"),
        *("insurer", "customer", "beneficiary", "entitlement", "waiting_entry", "site_closure"),
        *("booking", "report", "closing_statement", "change_request", "notification"),
    }
)
"""Tables whose rows are of one market."""
OF_ONE_SIDE = {
    "api_client": "a provider or an insurer, never both: a constraint",
    "beneficiary": "a customer and her insurer",
    "conversation": "a booking and the provider that it is with, written from its row",
    "customer_phone": "a customer and her insurer",
    "entitlement": "a customer and her insurer; its bookings are tied to her",
    "erasure": "a customer and her people",
    "offer": "a provider and its pool: keys",
    "pledge": "a booking, its insurer and its provider, written from its row",
    "policy": "an insurer and its customer: a key",
    "policy_insured": "a policy's holder and one of her people: keys",
    "reconcile_run": "a provider and its discrepancy: where it is asked, it is asked of the provider",
    "sign_in_code": "a customer and her insurer",
    "sign_in_link": "an insurer and its customer: a key",
}
"""Tables that name two of them and no two sides."""


def test_every_table_that_joins_two_sides_is_tied() -> None:
    import_models()
    joining = {
        table.name
        for table in models.metadata.sorted_tables
        if len({key.column.table.name for key in table.foreign_keys} & OWNED - {table.name}) > 1
    }
    tied = {by.partition(" on ")[2] for each in MIXINGS.values() for by in each.by}
    assert joining - tied - set(OF_ONE_SIDE) == set()


@pytest.fixture
def triggers(owner_connection: Connection, db: Engine) -> Iterator[set[str]]:
    """The tables that the trigger stands on."""
    found = owner_connection.exec_driver_sql(
        "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'in_one_market'"
    ).fetchall()
    yield {name for (name,) in found}


def test_each_table_with_the_trigger_is_tried_here(triggers: set[str]) -> None:
    tried = {by.partition(" on ")[2] for each in MIXINGS.values() for by in each.by if by.startswith("in_one_market")}
    assert triggers == tried


def test_nobody_is_a_test_customer_of_a_live_provider(db: Engine, ids: dict[str, int]) -> None:
    assert customers(ids["live_provider"]) == []
