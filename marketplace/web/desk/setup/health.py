"""The desk's page of the provider's own figures: what we see of its system and its answers, and what was wrong."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for

from booking.health import own
from booking.health.figures import Window
from marketplace.core import clock
from marketplace.web.answers import Views, asked
from marketplace.web.desk import session
from marketplace.web.desk.answers import desk_page
from marketplace.web.desk.setup import health_page

_SHOWN = 20


def health() -> Response:
    """Figures of an hour, a day or a week, and the faults that are open."""
    who, now = session.member(), clock.now()
    wanted = asked("window", 10)
    window = Window(wanted) if wanted in list(Window) else Window.DAY
    faults = own.own_faults(who.provider_id, cursor=asked("cursor", 500) or None, limit=_SHOWN)
    more: dict[str, Any] = {"window": window.value, "cursor": faults.next}
    return desk_page(
        "setup/health",
        "setup",
        it=health_page.page(own.own_health(who.provider_id, window, now=now), who.time_zone, now),
        faults=tuple(map(health_page.fault, faults.items)),
        more_url=url_for("desk.health", **more) if faults.next else "",
    )


VIEWS: Views = {"health": health}
