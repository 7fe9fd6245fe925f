"""Bring a database to the schema of this code: `python -m marketplace.core.migrate`."""

from __future__ import annotations

import sys

from alembic import command
from alembic.config import Config
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from marketplace.core.config import ROOT, ConfigError, settings, sqlalchemy_url
from marketplace.core.database.connection import set_on_role
from marketplace.core.revisions import newest


def upgrade(owner_url: str, *, application_role: str | None = None, revision: str = "head") -> None:
    """Migrate up to `revision` as the owner and give the application's role its rights.

    Without `application_role` it is the user of DATABASE_URL. Runs at once wait for each other. Each migration is a
    transaction of its own: a failing one leaves those before it done. Raises DBAPIError.
    """
    command.upgrade(_config(owner_url, application_role), revision)


def downgrade(owner_url: str, revision: str, *, application_role: str | None = None) -> None:
    """Migrate down to `revision` (`base` for an empty database)."""
    command.downgrade(_config(owner_url, application_role), revision)


def _config(owner_url: str, application_role: str | None) -> Config:
    config = Config(ROOT / "alembic.ini")
    config.attributes["owner_url"] = sqlalchemy_url(owner_url)
    config.attributes["application_role"] = application_role
    return config


def main() -> int:
    """Give our role its limits and upgrade the database; one sentence and exit code 1 when that cannot be done."""
    try:
        config = settings()
        set_on_role(config.database_url)
        upgrade(config.owner_url, application_role=make_url(config.database_url).username)
    except ConfigError as failed:
        print(failed, file=sys.stderr)
        return 1
    except DBAPIError as failed:
        reason = str(failed.orig).strip().splitlines()[0]
        print(f"The database was not migrated: {reason}", file=sys.stderr)
        return 1
    print(f"The database is at revision {newest()}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
