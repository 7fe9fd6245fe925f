"""Full snapshots of the insurer's policies: the list, and one with what vanished and what an operator says to it."""

from __future__ import annotations

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from marketplace.core import clock
from marketplace.core.errors import NotFound, Refusal
from marketplace.web.answers import Views, asked, field, see_other
from marketplace.web.console import session
from marketplace.web.console.answers import SHOWN, console_page
from marketplace.web.console.policies import snapshots_page
from marketplace.web.doors.problems import Problem, problem_of
from vip.insurers import at_desk
from vip.insurers.snapshots import SnapshotOver


def snapshots() -> Response:
    """Those that wait for a decision, or all."""
    every = asked("state", 10) == "all"
    cursor = asked("after", 500) or None
    found = at_desk.snapshots_of(session.operator(), waiting=not every, cursor=cursor, limit=SHOWN, now=clock.now())
    return console_page(
        "snapshots",
        "snapshots",
        rows=tuple(map(snapshots_page.row, found.items)),
        filters=snapshots_page.filters(every=every),
        every=every,
        more_url=snapshots_page.list_url(every=every, after=found.next) if found.next else "",
    )


def snapshot(snapshot: str) -> Response:
    """One, with what vanished; the form ends it, leaves it or takes an end back."""
    who, now = session.operator(), clock.now()
    problem: Problem | None = None
    status = 200
    if request.method == "POST":
        act = field("act", 10)
        try:
            decided = at_desk.decide(who, snapshot, act, now=now)
        except NotFound:
            raise
        except SnapshotOver as refusal:
            problem, status = Problem(_("This was decided meanwhile. The page shows how it is now.")), refusal.status
        except Refusal as refusal:
            problem, status = problem_of(refusal), refusal.status
        else:
            flash(snapshots_page.said(act, decided), "ok")
            return see_other(url_for("console.snapshot", snapshot=snapshot))
    cursor = asked("after", 500) or None
    found = at_desk.snapshot(who, snapshot, cursor=cursor, limit=SHOWN, now=now)
    it = snapshots_page.page(found, first=not cursor)
    return console_page("snapshot", "snapshots", status, it=it, problem=problem)


VIEWS: Views = {"snapshots": snapshots, "snapshot": snapshot}
