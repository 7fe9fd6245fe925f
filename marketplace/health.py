"""/healthz says that the process is alive and touches nothing; /readyz says whether it can do its work."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Response, jsonify
from sqlalchemy import func, select
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from booking.worker_models import WorkerBeat
from marketplace.core import clock, revisions
from marketplace.core.database.db import apart_engine

BEAT_SECONDS = 10
"""Five beats. One that leads must be among them: without a leader nothing expires and no message leaves."""

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """Alive."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Each part's state, 503 unless all are `ok`."""
    parts = _parts()
    ready = all(state == "ok" for state in parts.values())
    return jsonify(status="ok" if ready else "unavailable", parts=parts), 200 if ready else 503


def _parts() -> dict[str, str]:
    """`database`: ok | unreachable; `migrations`: ok | behind | unknown; `worker`: ok | late | never | unknown.

    Asked on a connection of its own: one of the pool may be long in coming. Answers within ten seconds, whatever comes.
    """
    try:
        with apart_engine().connect() as connection:
            migrations = "ok" if revisions.is_current(connection) else "behind"
            beat = connection.execute(select(func.max(WorkerBeat.at)).where(WorkerBeat.leader)).scalar_one()
    except ProgrammingError:  # the database answers, but has no tables yet
        return {"database": "ok", "migrations": "behind", "worker": "unknown"}
    except SQLAlchemyError:
        return {"database": "unreachable", "migrations": "unknown", "worker": "unknown"}
    return {"database": "ok", "migrations": migrations, "worker": _worker(beat)}


def _worker(beat: datetime | None) -> str:
    if beat is None:
        return "never"
    return "ok" if (clock.now() - beat).total_seconds() < BEAT_SECONDS else "late"
