"""The functions and triggers that the migrations made are, one for one, those whose text lies in the rooms."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import psycopg
import pytest

from migrations.frozen import FOLDER
from migrations.functions import files
from tests.conftest import TestDatabase

# Without the schema's name, since PostgreSQL writes it out; the texts of two functions of one name are two entries.
_DEFINED = """
    SELECT 'function ' || p.oid::regprocedure, pg_get_functiondef(p.oid)
      FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'trigger ' || t.tgname || ' on ' || t.tgrelid::regclass, pg_get_triggerdef(t.oid)
      FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
     WHERE c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal
"""


def defined(connection: psycopg.Connection) -> dict[str, str]:
    """Every function and trigger, as PostgreSQL writes it, indentation aside."""
    return {name: re.sub(r"\n\s*", "\n", text) for name, text in connection.execute(_DEFINED).fetchall()}


@pytest.fixture
def owner(other_database: Callable[[str], TestDatabase]) -> Iterator[psycopg.Connection]:
    """The owner of a migrated database, in a transaction that is taken back."""
    with (
        psycopg.connect(other_database("functions").owner_url) as connection,
        connection.transaction(force_rollback=True),
    ):
        yield connection


def test_what_the_migrations_made_is_what_the_files_say(owner: psycopg.Connection) -> None:
    migrated = defined(owner)
    for name in sorted(migrated, reverse=True):  # triggers before the functions they call
        kind, _, what = name.partition(" ")
        owner.execute(f"DROP {kind} {what}".encode())
    assert defined(owner) == {}
    said: dict[str, str] = {}
    for file in files():
        owner.execute(file.read_bytes())
        now = defined(owner)
        added = {name: text for name, text in now.items() if name not in said}
        assert len(added) == file.read_text().count("CREATE "), f"{file} says anew what another file says"
        said = now
    assert said == migrated


def test_a_file_is_named_after_what_it_makes(owner: psycopg.Connection) -> None:
    made = {name.partition(" ")[2].partition("(")[0].partition(" on ")[0] for name in defined(owner)}
    assert {file.stem for file in files()} - made == {
        "audit_seal_append_only",
        "audit_verification_append_only",
        "booking_history_append_only",
        "entitlement_entry_append_only",
        "installation_release_append_only",
    }, "the trigger of a table that shares its function and its name with others"


def test_the_newest_frozen_copy_of_each_is_its_current_text() -> None:
    newest = {path.stem: path for path in sorted(FOLDER.glob("*/*.sql"))}
    current = {path.stem: path.read_text() for path in files()}
    assert {name for name, path in newest.items() if current.get(name) != path.read_text()} == set()
