"""What the desk's views answer with."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template

from booking.answering.day import to_answer
from booking.escort.at_desk.board import without_worker
from marketplace.core import clock
from marketplace.web.answers import live, render, tag
from marketplace.web.desk import session
from marketplace.web.language import by_language
from providers.staff import duties
from providers.staff.members import myself, sends
from vip.principal import Member


def desk_page(template: str, here: str, status: int = 200, **context: Any) -> Response:
    """A page of the desk: its template by its name below `desk/`, and the entry of the menu where it stands. One with a
    part that changes by itself names what that shows as `live_part`, a tuple, and is given its ETag as `version`."""
    return framed(f"desk/{template}.html", here, status, **context)


def desk_live(template: str, *seen: object, **context: Any) -> Response:
    """The live part of a page, by its template's name below `desk/`, which shows what was `seen`. What waits in the
    menu comes with it, so that the two never say different things."""
    counts = _counts(session.member())
    part = render_template(f"desk/{template}.html", **context)
    return live(part + render_template("desk/parts/counts_live.html", counts=counts), tag(counts, *seen))


def framed(template: str, here: str, status: int = 200, **context: Any) -> Response:
    """A template in the desk's frame, whose menu says how many answers are waited for, under the band of test mode."""
    who = session.member()
    me = myself(who)
    name = by_language(me.provider)
    counts = _counts(who)
    if "live_part" in context:
        context["version"] = tag(counts, *context.pop("live_part"))
    return render(
        template,
        status,
        door=session.DOOR,
        me=me,
        provider_name=name,
        here=here,
        counts=counts,
        test_mode=who.test,
        **context,
    )


def _counts(who: Member) -> dict[str, int]:
    """What waits, by entry of the menu; of what is none of her duties nothing is said."""
    counts = {"bookings": to_answer(who.provider_id)} if duties.may(who, "bookings") else {}
    if duties.may(who, "dispatch") and not who.test and sends(who):
        counts["dispatch"] = without_worker(who.provider_id, now=clock.now())
    return counts
