"""The cursor that every request uses: values by name, rows by name, one for each connection."""

from __future__ import annotations

import sys
from unittest import mock

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from marketplace.core.database import cursor as cursor_module
from marketplace.core.database import db
from marketplace.core.database.cursor import ByName, numbered
from marketplace.core.database.db import asking, rows, statements

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


def test_a_statement_has_a_number_for_each_name_and_a_percent_sign_for_two() -> None:
    assert numbered("SELECT %(b)s + %(a)s * %(b)s WHERE 7 %% 2 = 1 AND x LIKE 'a%%'") == (
        b"SELECT $1 + $2 * $1 WHERE 7 % 2 = 1 AND x LIKE 'a%'",
        ("b", "a"),
    )


@pytest.mark.parametrize("wrong", ["SELECT 7 % 2", "SELECT %s", "SELECT %(a)d", "SELECT '%"])
def test_a_percent_sign_that_is_no_place_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        rows(wrong, {"a": 1})


def test_values_are_taken_by_their_names_whatever_else_is_given() -> None:
    question = "SELECT %(one)s::int - %(two)s::int AS difference, 7 %% 4 AS rest, %(one)s::int AS again"
    [found] = rows(question, {"two": 2, "nobody": 9, "one": 1})
    assert (found.difference, found.rest, found.again) == (-1, 3, 1)
    with pytest.raises(KeyError):
        rows(question, {"one": 1})


def test_without_values_a_statement_goes_as_it_is() -> None:
    with statements() as cursor:
        assert cursor.execute("SELECT 7 % 4 AS rest").fetchall() == [(3,)]


def test_a_long_statement_is_read_once() -> None:
    question = f"SELECT %(one)s::int AS one /* {'long' * 2000} */"
    with mock.patch.object(cursor_module, "numbered", wraps=numbered) as read:
        assert [rows(question, {"one": number})[0].one for number in (1, 2)] == [1, 2]
    assert read.call_count == 1


def test_a_connection_keeps_its_cursor_and_shares_it_with_no_other() -> None:
    with statements() as outer, statements() as inner:
        assert outer is not inner
        assert outer.connection is not inner.connection
    with statements() as again:
        assert again is outer


def _held_elsewhere(kept: list[object]) -> list[int]:
    """How often each is referred to by others than the list and the call that counts."""
    return [sys.getrefcount(kept[place]) - 2 for place in range(len(kept))]


def test_nobody_finds_in_a_cursor_what_another_asked() -> None:
    with statements() as cursor:
        cursor.execute("SELECT %(name)s::text AS name", {"name": "Shen"})
        kept = [cursor.pgresult, cursor._query]
    assert _held_elsewhere(kept) == [0, 0]
    with statements() as again:
        assert again is cursor
        with pytest.raises(psycopg.ProgrammingError):
            again.fetchall()


@pytest.mark.parametrize("wrong", [{"whole": "x"}, {}, {"whole": "\0"}])
def test_nobody_finds_in_a_cursor_what_was_asked_before_a_failure(wrong: dict[str, str]) -> None:
    question = "SELECT %(whole)s::text::int AS whole"
    with pytest.raises((DBAPIError, KeyError)), statements() as cursor:
        cursor.execute(question, {"whole": "1"})
        kept = [cursor.pgresult]
        cursor.execute(question, wrong)
    assert _held_elsewhere(kept) == [0]
    with statements() as again, pytest.raises(psycopg.ProgrammingError):
        again.fetchall()


def test_a_cursor_goes_with_its_connection() -> None:
    with statements() as cursor:
        earlier = cursor
    db.engine().dispose()
    with statements() as cursor:
        assert cursor is not earlier
        assert cursor.execute("SELECT 1").fetchall() == [(1,)]
    with pytest.raises(DBAPIError), statements() as cursor:
        ended = cursor
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    with statements() as cursor:
        assert cursor is not ended
        assert cursor.execute("SELECT 2").fetchall() == [(2,)]


def test_a_cursor_that_was_closed_is_not_lent_again() -> None:
    with statements() as cursor:
        cursor.close()
    assert rows("SELECT 1 AS one", {})[0].one == 1


def test_a_cursor_goes_on_after_an_error() -> None:
    with asking() as ask:
        for _ in range(2):
            with pytest.raises(DBAPIError):
                ask("SELECT 1 / %(none)s::int AS broken", {"none": 0})
            assert ask("SELECT %(one)s::int AS one", {"one": 1})[0].one == 1


def test_rows_have_the_names_of_their_own_columns_in_whatever_order() -> None:
    with statements() as cursor:
        for question, expected in (
            ("SELECT 1 AS a, 2 AS b", {"a": 1, "b": 2}),
            ("SELECT 1 AS b, 2 AS a", {"b": 1, "a": 2}),
            ("SELECT 1 AS a, 2 AS b", {"a": 1, "b": 2}),
            ("SELECT 1 AS a", {"a": 1}),
        ):
            [row] = cursor.execute(question).fetchall()
            assert row._asdict() == expected


def test_what_answers_no_rows_has_none_to_fetch() -> None:
    with statements() as cursor:
        cursor.execute("SELECT 1 AS one")
        cursor.execute("CREATE TEMP TABLE seen (one int)")
        with pytest.raises(psycopg.ProgrammingError):
            cursor.fetchall()
        cursor.execute("DROP TABLE seen")
        assert cursor.execute("SELECT FROM generate_series(1, 2)").fetchall() == [(), ()], "rows without a column"


def test_types_are_read_as_the_driver_reads_them() -> None:
    question = (
        "SELECT now() AS moment, ARRAY[1, 2] AS many, CAST('[1]' AS jsonb) AS document, NULL AS nothing,"
        " CAST('' AS bytea) AS b"
    )
    with (
        statements() as cursor,
        psycopg.connect(cursor.connection.info.dsn, password=cursor.connection.info.password) as plain,
    ):
        plain.execute("SET TimeZone = 'UTC'")
        assert isinstance(cursor, ByName)
        ours, theirs = cursor.execute(question).fetchall()[0], plain.execute(question).fetchall()[0]
    assert ours[1:] == theirs[1:]
    assert ours.moment.tzinfo == theirs[0].tzinfo
