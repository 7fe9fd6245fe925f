"""The desk asks every few seconds: no question of it reads a whole table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Engine

from booking.answering.day import day, to_answer
from tests.booking.answering.desk import desk_world
from tests.people import NOON
from tests.providers.partner_api.answering import requested
from tests.statements import sent_to_the_database

FOR_THE_DESK = {"ix_booking_to_answer", "ix_booking_report_owed"}
OF_A_PART = {"pk_booking", "ix_booking_provider", "ix_booking_provider_day", "ix_booking_begun_or_over"}
"""One row, one provider's, or what ended within days."""
_OTHERS = """
SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
 WHERE i.indrelid = 'booking'::regclass AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
"""
"""Indexes of bookings that stand for no constraint."""
SMALL = {"provider", "site", "capacity_pool", "offer"}
"""Read by their keys, or few."""


def scans(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "Relation Name" in node:
        below = [each["Index Name"] for each in node.get("Plans", []) if "Index Name" in each]
        yield node["Relation Name"], node.get("Index Name") or next(iter(below), "")
    for each in node.get("Plans", []):
        yield from scans(each)


def test_no_question_of_the_day_reads_a_whole_table(db: Engine, owner_connection: Connection) -> None:
    """With sequential scans priced out, a plan that still has one, or that walks another index over everything, has no
    other way. Which of two good indexes is taken goes by statistics: without the others, the desk's own are."""
    world = desk_world()
    requested(world)
    with sent_to_the_database() as sent:
        day(world.provider.id, now=NOON)
        to_answer(world.provider.id)
    asked = [(statement, values) for statement, values in sent if statement.lstrip().startswith("SELECT")]
    assert len(asked) <= 12, "few round trips"
    owner_connection.exec_driver_sql("SET enable_seqscan = off")
    # With the few rows of a test any index costs what the desk's own do: so the others are not there.
    others = {*owner_connection.exec_driver_sql(_OTHERS).scalars()} - FOR_THE_DESK - OF_A_PART
    read = planned_without(owner_connection, others, asked)
    whole = {(table, index) for table, index in read if not index and table not in SMALL}
    assert whole == set()
    assert {index for table, index in read if table == "booking"} <= FOR_THE_DESK | OF_A_PART
    alone = planned_without(owner_connection, others | OF_A_PART - {"pk_booking"}, asked)
    assert alone >= {("booking", index) for index in FOR_THE_DESK}


def planned_without(
    connection: Connection, indexes: set[str], asked: Sequence[tuple[str, Any]]
) -> set[tuple[str, str]]:
    """The same where these indexes are not there."""
    connection.exec_driver_sql("BEGIN")
    try:
        for index in sorted(indexes):
            connection.exec_driver_sql(f"DROP INDEX {index}")
        return planned(connection, asked)
    finally:
        connection.exec_driver_sql("ROLLBACK")


def planned(connection: Connection, asked: Sequence[tuple[str, Any]]) -> set[tuple[str, str]]:
    """The tables that these statements read, each with the index."""
    read: set[tuple[str, str]] = set()
    for statement, values in asked:
        [[plan]] = connection.exec_driver_sql("EXPLAIN (FORMAT JSON) " + statement, values).all()
        read |= set(scans(plan[0]["Plan"]))
    return read
