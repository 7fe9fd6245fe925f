"""What Prometheus reads from the web: how many requests, and how long they took.

Each process keeps its counts in a file of the folder PROMETHEUS_MULTIPROC_DIR, and whichever answers adds them up. The
folder must be empty when the server starts, not when one of its processes does: `python -m marketplace.metrics` wipes
it. The answer is for who shows METRICS_TOKEN; to all others, and without that setting, there is no such page.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from time import perf_counter

from flask import Blueprint, Flask, Response, abort, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from marketplace.core.config import ConfigError, settings

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The library's own setting: it is read when the library is imported, so the environment must have it by then."""
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

blueprint = Blueprint("metrics", __name__)
_counted = CollectorRegistry()
_SECONDS = Histogram(
    "anxiang_http_request_seconds",
    "Time from the first line of a request to its answer, by route, method and status.",
    ("route", "method", "status"),
    buckets=BUCKETS,
    registry=_counted,
)


def install(app: Flask) -> None:
    """Count the requests of `app`, and answer at /metrics. Without METRICS_TOKEN nothing is counted. Raises ConfigError
    in production when there is no folder: each process would tell its own counts only."""
    app.register_blueprint(blueprint)
    config = settings()
    if config.metrics_token:
        if not config.development and not os.path.isdir(os.environ.get(FOLDER, "")):
            raise ConfigError(f"{FOLDER} must name a folder where METRICS_TOKEN is set.")
        app.before_request_funcs.setdefault(None, []).insert(0, _begin)
        app.after_request_funcs.setdefault(None, []).insert(0, _count)  # what was added first is called last


@blueprint.get("/metrics")
def metrics() -> Response:
    """All processes' counts, for `Authorization: Bearer METRICS_TOKEN`."""
    if not may_read(request.headers.get("Authorization", "")):
        abort(404)
    registry = _counted
    if os.environ.get(FOLDER):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def may_read(authorization: str) -> bool:
    """Whether a request's header shows METRICS_TOKEN; never without that setting."""
    token = settings().metrics_token
    shown = authorization.removeprefix("Bearer ")
    return bool(token) and secrets.compare_digest(shown.encode(), token.encode())


def wipe(folder: Path) -> None:
    """Make the folder, for this user alone, and remove what another run of the server left in it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in folder.glob("*.db"):
        left.unlink(missing_ok=True)


def main() -> int:
    """Wipe the folder of the environment; the exit code."""
    named = os.environ.get(FOLDER, "")
    if not named:
        sys.stderr.write(f"{FOLDER} is not set.\n")
        return 1
    wipe(Path(named))
    return 0


def _begin() -> None:
    g.metrics_started = perf_counter()


def _count(response: Response) -> Response:
    if (started := g.get("metrics_started")) is not None:
        route = request.url_rule.rule if request.url_rule is not None else "none"
        method = request.method if request.method in _METHODS else "other"
        _SECONDS.labels(route, method, str(response.status_code)).observe(perf_counter() - started)
    return response


if __name__ == "__main__":
    sys.exit(main())
