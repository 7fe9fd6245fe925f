"""Emptying a test's database, quickly: most tests waited longer for this than for anything they do themselves.

TRUNCATE makes new files for a table, for each of its indexes and for all that refers to it; to delete a few rows takes
a small part of that time. What has grown large is truncated all the same, so that no test walks through remains.
"""

from __future__ import annotations

import psycopg

_LARGE = 1 << 20
"""Bytes of a table from which on it is truncated."""

# No trigger and no foreign key looks at what goes anyway; a test that left a transaction open is named, not waited for.
_SETTINGS = "SET session_replication_role = replica; SET lock_timeout = '10s'"

# A function, so that the looks are planned once a connection and not once a test.
_FUNCTION = """
CREATE FUNCTION pg_temp.empty_tables() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  written regclass[];
  large text;
  one regclass;
BEGIN
  LOCK TABLE {tables};
  SELECT array_agg(name) INTO written FROM ({looks}) AS looked (name);
  SELECT string_agg(name::text, ', ') INTO large FROM unnest(written) AS name WHERE pg_table_size(name) > {large};
  IF large IS NOT NULL THEN
    EXECUTE 'TRUNCATE ' || large || ' CASCADE';
  END IF;
  FOREACH one IN ARRAY coalesce(written, '{{}}') LOOP
    EXECUTE 'DELETE FROM ' || one;
  END LOOP;
  PERFORM setval((quote_ident(schemaname) || '.' || quote_ident(sequencename))::regclass, start_value, false)
     FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL;
END $$
"""

_TRIES = 5


class Emptying:
    """A superuser's connection to one migrated database, kept for as long as its tables are emptied again and again."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute(_SETTINGS)
        names = self._connection.execute(
            "SELECT quote_ident(tablename) FROM pg_tables"
            " WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1"
        ).fetchall()
        tables = [f"public.{name}" for (name,) in names]
        looks = " UNION ALL ".join(f"SELECT '{table}'::regclass WHERE EXISTS (SELECT FROM {table})" for table in tables)
        self._connection.execute(_FUNCTION.format(tables=", ".join(tables), looks=looks, large=_LARGE))

    def __call__(self) -> None:
        """Leave no row, and start all numbers anew. A process of the test before may be at its last statement: where
        the two would wait for each other, PostgreSQL ends one, and ours is asked again."""
        for left in reversed(range(_TRIES)):
            try:
                self._connection.execute("SELECT pg_temp.empty_tables()")
            except psycopg.errors.DeadlockDetected:
                if left:
                    continue
                raise
            return

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()
