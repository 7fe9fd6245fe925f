"""All rows of a database as they were: whether any changed since, and back to them.

A trigger on each table writes down that somebody touched it, in a journal beside the product's tables. So a look reads
the few tables that were touched, and of nearly every request of the table none was.
"""

from __future__ import annotations

import psycopg

_TABLES = """
SELECT c.relname, quote_ident(c.relname),
       (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '')
  FROM pg_class c
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> 'alembic_version'
 ORDER BY c.relname
"""
_SEQUENCES = """
SELECT quote_ident(schemaname) || '.' || quote_ident(sequencename), last_value FROM pg_sequences
 WHERE schemaname = 'public' AND last_value IS NOT NULL
"""
_JOURNAL = """
DROP SCHEMA IF EXISTS kept CASCADE;
CREATE SCHEMA kept;
CREATE TABLE kept.touched (name text NOT NULL);
CREATE FUNCTION kept.touch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = kept AS $$
BEGIN
  INSERT INTO kept.touched VALUES (TG_TABLE_NAME);
  RETURN NULL;
END $$;
"""
_TRIGGER = """
CREATE TRIGGER kept_touch AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON public.{quoted}
  FOR EACH STATEMENT EXECUTE FUNCTION kept.touch();
ALTER TABLE public.{quoted} ENABLE ALWAYS TRIGGER kept_touch;
"""


class Kept:
    """A superuser's connection that holds a copy of every table, and the journal of who touched one."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute("SET session_replication_role = replica; SET lock_timeout = '10s'")
        self._tables = {name: (quoted, columns) for name, quoted, columns in self._connection.execute(_TABLES)}
        self._connection.execute(_JOURNAL)
        for name, (quoted, columns) in self._tables.items():
            self._connection.execute(f'CREATE TEMP TABLE "kept_{name}" AS SELECT {columns} FROM public.{quoted}')
            self._connection.execute(_TRIGGER.format(quoted=quoted))
        self._rows = self._hashes(set(self._tables))
        self._numbers = self._connection.execute(_SEQUENCES).fetchall()

    def changed(self) -> set[str]:
        """The tables whose rows are not as they were."""
        touched = {name for (name,) in self._connection.execute("SELECT DISTINCT name FROM kept.touched")}
        if not touched:
            return set()
        changed = {name for name, rows in self._hashes(touched).items() if rows != self._rows[name]}
        if not changed:
            self._connection.execute("DELETE FROM kept.touched")
        return changed

    def counted(self) -> dict[str, int]:
        """How many rows each table has now."""
        looks = (f"SELECT '{name}', count(*) FROM public.{quoted}" for name, (quoted, _columns) in self._tables.items())
        return dict(self._connection.execute(" UNION ALL ".join(looks)).fetchall())

    def restore(self) -> None:
        """Make them as they were."""
        changed = self.changed()
        if not changed:
            return
        with self._connection.transaction():
            for name in changed:
                quoted, columns = self._tables[name]
                self._connection.execute(f"DELETE FROM public.{quoted}")
                self._connection.execute(
                    f"INSERT INTO public.{quoted} ({columns}) OVERRIDING SYSTEM VALUE"
                    f' SELECT {columns} FROM "kept_{name}"'
                )
            self._connection.execute("DELETE FROM kept.touched")

    def bring_back(self) -> None:
        """The same after somebody emptied the database: numbers go on where they were, too."""
        self.restore()
        for sequence, number in self._numbers:
            self._connection.execute("SELECT setval(%s, %s)", [sequence, number])

    def close(self) -> None:
        """Let go of the database; the copy goes with the connection, the journal with its triggers is dropped."""
        self._connection.execute("DROP SCHEMA kept CASCADE")
        self._connection.close()

    def _hashes(self, names: set[str]) -> dict[str, str]:
        looks = (
            f"SELECT '{name}', md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"
            f" FROM public.{self._tables[name][0]} t"
            for name in sorted(names)
        )
        return dict(self._connection.execute(" UNION ALL ".join(looks)).fetchall())
