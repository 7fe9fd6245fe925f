"""Who waits, whom the reader has in hand and who is on shift; and her own shift."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from booking.consultation.assigning import leaving
from booking.consultation.at_desk.colleagues import with_colleagues
from booking.consultation.at_desk.in_hand import departments_of, in_hand_of
from booking.consultation.queue import waiting
from marketplace import wording
from marketplace.core.database.moment import now_by_database
from marketplace.core.errors import NotFound, Refusal
from marketplace.web.answers import Views, asked, field, live, see_other, tag
from marketplace.web.desk.answers import desk_page
from marketplace.web.desk.consulting import board_page
from marketplace.web.desk.consulting.board_page import Board, Seen, Standing
from marketplace.web.desk.consulting.present import present
from providers.staff import shifts
from providers.staff.clinicians import profile_of
from providers.staff.shifts import CAPACITY, MOST_AT_ONCE, ShiftView
from vip.principal import Member

_LONGEST_ID = 64


def consultations() -> Response:
    """The board."""
    page = of(present())
    return desk_page("consulting/board", "consultations", **drawn(page))


def consultations_live() -> Response:
    """The part of it that changes by itself; beside a conversation that is `open` it is the narrow one."""
    page = of(present())
    shown = drawn(page, asked("open", _LONGEST_ID))
    return live(render_template("desk/consulting/board_live.html", **shown), tag(page))


def shift() -> Response:
    """The reader's own shift: begin, come back, take more or fewer at once; go on a break or off. Raises NotFound for a
    manager: she has none."""
    who = present()
    if who.role != "clinician":
        raise NotFound()
    if request.method == "POST":
        return _change(who)
    own = shifts.shift_of(who)
    return desk_page(
        "consulting/shift",
        "consultations",
        standing=standing(who, own),
        shift=own,
        load=board_page.load(own.in_hand, own.capacity) if own else "",
        capacity=own.capacity if own else CAPACITY,
        most=MOST_AT_ONCE,
    )


def _change(who: Member) -> Response:
    try:
        flash(_changed(who, field("do", 10)), "ok")
    except NotFound:
        raise
    except Refusal as refusal:
        flash(wording.sentence(refusal), "bad")
        return see_other(url_for("desk.shift"))
    return see_other(url_for("desk.consultations"))


def _changed(who: Member, wanted: str) -> str:
    now = now_by_database()
    if wanted == "begin":
        given = field("capacity", 3)
        capacity = int(given) if given.isascii() and given.isdecimal() else 0
        shifts.begin(who, now=now, capacity=capacity)
        shifts.seen(who, now=now)
        return _("You are on shift.")
    if wanted == "break":
        return _left(_("You are on a break."), leaving.take_a_break(who, now=now))
    if wanted == "end":
        return _left(_("Your shift is over."), leaving.go_off(who, now=now))
    raise NotFound()


def _left(sentence: str, handed_back: int) -> str:
    if not handed_back:
        return sentence
    back = ngettext(
        "%(num)d patient went back to the head of the queue.",
        "%(num)d patients went back to the head of the queue.",
        handed_back,
    )
    return f"{sentence} {back}"


def of(who: Member) -> Board:
    """The board as a member sees it."""
    now = now_by_database()
    at_work = shifts.shifts_of(who.provider_id)
    own = next((each for each in at_work if each.member == who.public_id), None)
    mine = in_hand_of(who) if who.role == "clinician" else ()
    seen = Seen(mine, waiting(who), at_work, with_colleagues(who, now=now))
    return board_page.board(standing(who, own), who.public_id, seen, departments_of(who.provider_id), now)


def drawn(page: Board, open: str = "") -> dict[str, Any]:
    """What the templates of the board are given; `open` is the conversation beside which it stands. The moment is no
    part of its ETag: clocks run by themselves."""
    return {"board": page, "board_version": tag(page), "open": open, "now": now_by_database()}


def standing(who: Member, own: ShiftView | None) -> Standing:
    """How she stands to the queue."""
    if who.role != "clinician":
        return "manager"
    if profile_of(who).verified_at is None:
        return "unverified"
    return "off" if own is None else own.state


VIEWS: Views = {
    "consultations": consultations,
    "consultations_live": consultations_live,
    "shift": shift,
}
