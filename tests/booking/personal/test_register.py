"""Every column of the schema stands once in the register of personal data."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import Connection, text

from booking.personal.register import Personal
from booking.personal.tables import OF_CUSTOMERS, TABLES

_COLUMNS = text(
    "SELECT table_name, column_name FROM information_schema.columns"
    " WHERE table_schema = 'public' AND table_name <> 'alembic_version'"
)


def registered() -> Counter[tuple[str, str]]:
    return Counter((table.name, column) for table in TABLES for column in table.columns)


def test_every_column_of_the_schema_is_registered_as_personal_or_not(owner_connection: Connection) -> None:
    live = {(row.table_name, row.column_name) for row in owner_connection.execute(_COLUMNS)}
    assert live - set(registered()) == set(), "say in booking/personal/tables.py what this column says about people"
    assert set(registered()) - live == set(), "the register names what does not exist"


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
