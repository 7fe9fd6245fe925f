"""Migrations: up, down and up again, in step with the models, one run at a time, with the application's rights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, text

from marketplace.core import migrate, revisions
from marketplace.core.config import ROOT, sqlalchemy_url
from marketplace.core.database.db import apart_engine, db
from marketplace.core.sending.outside import may_reach
from marketplace.development.database import DevDatabase
from marketplace.development.embedded.postgres import APPLICATION
from migrations.known import import_models
from tests.conftest import TestDatabase
from tests.processes import Running, start


def test_an_empty_database_goes_up_down_and_up_again(other_database: Callable[[str], TestDatabase]) -> None:
    made = other_database("updown")
    before = _objects(made.owner_url)
    migrate.downgrade(made.owner_url, "base", application_role=APPLICATION)
    assert _objects(made.owner_url) == {"alembic_version"}
    migrate.upgrade(made.owner_url, application_role=APPLICATION)
    assert _objects(made.owner_url) == before


LEFT_BEHIND = """
CREATE INDEX ix_report_customer ON report (id);
CREATE INDEX ix_report_due ON report (id);
CREATE INDEX ix_booking_provider_day ON booking (id);
CREATE INDEX ix_discrepancy_booking ON discrepancy (id);
CREATE INDEX ix_booking_confirmed ON booking (id);
ALTER TABLE booking ADD COLUMN report_due_at timestamptz, ADD COLUMN report_asked_at timestamptz;
CREATE INDEX ix_booking_report_due ON booking (id);
"""


def test_a_migration_that_was_broken_off_at_its_index_can_be_run_again(
    other_database: Callable[[str], TestDatabase],
) -> None:
    made = other_database("brokenoff")
    before = _indexes(made.owner_url)
    migrate.downgrade(made.owner_url, "0002", application_role=APPLICATION)
    with psycopg.connect(made.owner_url) as connection:
        connection.execute(LEFT_BEHIND)
    migrate.upgrade(made.owner_url, application_role=APPLICATION)
    assert _indexes(made.owner_url) == before


SESSIONS = """
ALTER TABLE sign_in_session DROP CONSTRAINT fk_sign_in_session_customer_id,
  DROP CONSTRAINT fk_sign_in_session_operator_id;
INSERT INTO sign_in_session (public_id, token_hash, customer_id, operator_id, channel, created_at, seen_at, expires_at,
                             ended_at)
SELECT name || n, convert_to(name || n, 'UTF8'), customer, operator, 'web', now() - interval '20 days', seen, ends,
       ended
  FROM (VALUES ('open', 1, NULL, NULL::timestamptz, now() + interval '10 days', NULL::timestamptz),
               ('seen', 1, NULL, now() - interval '3 days', now() + interval '10 days', NULL),
               ('ended', 1, NULL, NULL, now() + interval '10 days', now() - interval '1 day'),
               ('over', 1, NULL, NULL, now() - interval '1 day', NULL),
               ('operator', NULL, 1, NULL, now() + interval '1 hour', NULL))
       AS kind (name, customer, operator, seen, ends, ended), generate_series(1, 1200) AS n;
"""


def test_an_upgrade_signs_out_no_customer_who_was_signed_in(other_database: Callable[[str], TestDatabase]) -> None:
    made = other_database("signedin")
    migrate.downgrade(made.owner_url, "0053-1", application_role=APPLICATION)
    with psycopg.connect(made.owner_url) as connection:
        connection.execute(SESSIONS)
    migrate.upgrade(made.owner_url, application_role=APPLICATION)
    with psycopg.connect(made.owner_url) as connection:
        found = connection.execute(
            "SELECT rtrim(public_id, '0123456789') AS name, min(extract(day FROM now() - seen_at))::int AS days,"
            " count(seen_at) FROM sign_in_session GROUP BY name"
        ).fetchall()
    assert {name: (days, seen) for name, days, seen in found} == {
        "open": (0, 1200),
        "seen": (3, 1200),
        "ended": (None, 0),
        "over": (None, 0),
        "operator": (None, 0),
    }


PROVIDERS = """
INSERT INTO provider (public_id, code, name_zh, name_en, adapter, base_url)
VALUES ('prv_1', 'one', 'x', 'x', 'open_protocol', 'http://10.20.0.7'), ('prv_2', 'two', 'x', 'x', 'partner', '');
"""


def test_an_upgrade_leaves_providers_where_they_were_and_allows_none_that_come_later(
    other_database: Callable[[str], TestDatabase],
) -> None:
    made = other_database("networks")
    migrate.downgrade(made.owner_url, "0069", application_role=APPLICATION)
    with psycopg.connect(made.owner_url) as connection:
        connection.execute(PROVIDERS)
    migrate.upgrade(made.owner_url, application_role=APPLICATION)
    with psycopg.connect(made.owner_url) as connection:
        connection.execute(PROVIDERS.replace("'one'", "'three'").replace("'two'", "'four'").replace("prv_", "prv_x"))
        found = dict(connection.execute("SELECT code, networks FROM provider").fetchall())
    assert found == {"one": ["0.0.0.0/0", "::/0"], "two": [], "three": [], "four": []}
    assert may_reach("10.20.0.7", https=False, loopback=False, networks=found["one"])


def test_the_database_in_use_goes_on_in_its_history_and_a_release_by_older_code_does_not(
    other_database: Callable[[str], TestDatabase],
) -> None:
    made = other_database("history")
    with psycopg.connect(made.owner_url) as connection:
        for _ in range(2):
            connection.execute("INSERT INTO installation_release (at, cluster, timeline) VALUES (now(), '1', '1')")
        found = [row[0] for row in connection.execute("SELECT history FROM installation_release ORDER BY id")]
    assert found[0] == "" and len(set(found)) == 3


def test_models_and_schema_agree(other_database: Callable[[str], TestDatabase]) -> None:
    # Models register themselves when imported: only the worker that made the template has done that on its way.
    assert {"booking.models", "vip.models", "booking.notices.models"} <= set(import_models())
    made = other_database("agree")
    engine = create_engine(sqlalchemy_url(made.owner_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, db.metadata)
    engine.dispose()
    assert differences == []


def test_two_runs_at_once_wait_for_each_other(database_server: DevDatabase, tmp_path: Path) -> None:
    database_server.drop_database("twice")
    database_server.create_database("twice")
    address = database_server.url("twice", role="anxiang_owner")
    try:
        runs = [
            Running(start(["marketplace.core.migrate"], {"DATABASE_URL": address, "DATABASE_OWNER_URL": ""}, log))
            for log in (tmp_path / "one", tmp_path / "other")
        ]
        assert [run.wait(60) for run in runs] == [0, 0]
        assert "booking" in _objects(address)
    finally:
        database_server.drop_database("twice")


def test_the_application_cannot_rewrite_what_is_append_only(db: Engine) -> None:
    address = db.url.render_as_string(hide_password=False).replace("+psycopg", "")
    for table in ("entitlement_entry", "audit_line", "booking_history"):
        for statement in (f"DELETE FROM {table}", f"TRUNCATE {table}", f"UPDATE {table} SET id = id"):
            with psycopg.connect(address) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())


def test_the_database_says_whether_it_is_at_the_newest_revision(db: Engine) -> None:
    with apart_engine().connect() as connection:
        assert revisions.is_current(connection)
        connection.execute(text("CREATE TEMPORARY TABLE alembic_version AS SELECT '0001' AS version_num"))
        assert not revisions.is_current(connection)
        connection.execute(text("DELETE FROM alembic_version"))
        assert revisions.current(connection) is None


def test_the_newest_revision_is_the_one_that_alembic_migrates_to() -> None:
    assert revisions.newest() == ScriptDirectory.from_config(Config(ROOT / "alembic.ini")).get_current_head()


def _indexes(address: str) -> set[str]:
    with psycopg.connect(address) as connection:
        rows = connection.execute("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'").fetchall()
    return {definition for (definition,) in rows}


def _objects(address: str) -> set[str]:
    """The names of all tables, indexes, functions, triggers and constraints that are ours.

    NOT NULL is left out: from PostgreSQL 18 on it counts as a constraint with a name, before that it has none.
    """
    with psycopg.connect(address) as connection:
        rows = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind <> 'S' "
            "UNION SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
            "UNION SELECT tgname FROM pg_trigger WHERE NOT tgisinternal "
            "UNION SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'"
        ).fetchall()
    return {name for (name,) in rows if name != "alembic_version_pkc"}
