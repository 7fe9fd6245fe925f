"""Every column of the schema stands once in the register of personal data."""

from __future__ import annotations

import pkgutil
from collections import Counter

from sqlalchemy import Connection, text

from booking.personal import tables
from booking.personal.register import Personal
from booking.personal.tables.every import OF_CUSTOMERS, SUBJECTS, TABLES

_COLUMNS = text(
    "SELECT table_name, column_name FROM information_schema.columns"
    " WHERE table_schema = 'public' AND table_name <> 'alembic_version'"
)
_REFERENCES = text(
    "SELECT c.conrelid::regclass::text AS child, c.confrelid::regclass::text AS parent FROM pg_constraint c"
    " WHERE c.contype = 'f' AND c.conrelid <> c.confrelid"
)


def registered() -> Counter[tuple[str, str]]:
    return Counter((table.name, column) for table in TABLES for column in table.columns)


def test_every_column_of_the_schema_is_registered_as_personal_or_not(owner_connection: Connection) -> None:
    live = {(row.table_name, row.column_name) for row in owner_connection.execute(_COLUMNS)}
    assert live - set(registered()) == set(), "say in booking/personal/tables what this column says about people"
    assert set(registered()) - live == set(), "the register names what does not exist"


def test_every_subject_is_among_all() -> None:
    beside = {each.name for each in pkgutil.iter_modules(tables.__path__)} - {"common", "every"}
    assert [subject.__name__.rpartition(".")[2] for subject in SUBJECTS] == sorted(beside)
    assert len(TABLES) == sum(len(subject.TABLES) for subject in SUBJECTS)


def test_a_table_that_is_about_nobody_has_nothing_personal() -> None:
    assert [it.name for it in TABLES if not it.whose and (it.personal or it.file or it.links or it.rows_end)] == []


def test_rows_that_depend_on_others_are_deleted_before_them(owner_connection: Connection) -> None:
    place = {table.name: number for number, table in enumerate(TABLES) if table.rows_end}
    depend = [each for each in owner_connection.execute(_REFERENCES) if {each.child, each.parent} <= place.keys()]
    assert {("notification_delivery", "notification")} <= {(each.child, each.parent) for each in depend}
    assert [each for each in depend if place[each.child] > place[each.parent]] == []


def test_no_column_is_registered_twice() -> None:
    assert [each for each, times in registered().items() if times > 1] == []


def test_what_is_not_exported_says_why_or_what_says_the_same() -> None:
    for table in OF_CUSTOMERS:
        exported = {column for column, _it in table.exported()}
        for column, it in table.personal.items():
            assert bool(it.same_as) + bool(it.never) <= 1, (table.name, column)
            assert not it.same_as or it.same_as in exported, (table.name, column)


def test_no_two_columns_of_a_file_have_one_name_in_the_export() -> None:
    for table in OF_CUSTOMERS:
        names = [it.name for _column, it in table.exported()]
        names += [column.removesuffix("_id") for column in table.links]
        assert len(names) == len(set(names)), table.name
    files = [table.file for table in OF_CUSTOMERS]
    assert len(files) == len(set(files)) and all(files)


def test_a_sealed_column_is_either_overwritten_or_goes_with_its_row() -> None:
    """What a destroyed key leaves is rubbish; nobody should wonder later whether it may be read."""

    def left(it: Personal) -> bool:
        return not it.ends

    kept = [
        (table.name, column)
        for table in OF_CUSTOMERS
        if table.rows_end is None and table.name != "person_key"  # each row ends with the class it names
        for column, it in table.personal.items()
        if (column.endswith(("sealed", "wrapped_key", "_index", "_hash"))) and left(it)
    ]
    assert kept == []
