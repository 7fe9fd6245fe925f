"""The desk's pages about rehearsals: one is asked for, watched, ended, or done again with the same seed."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.actors import Actor
from booking.faults.kinds import Kind
from booking.faults.plan import LARGEST_SEED, MOST_BOOKINGS
from booking.rehearsals import ask, view
from booking.rehearsals.ask import Wanted
from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid, Refusal
from marketplace.core.ids import new_token
from marketplace.web.answers import Views, field, see_other
from marketplace.web.desk import session
from marketplace.web.desk.answers import desk_live, desk_page
from marketplace.web.desk.rehearsing import rehearsals_page
from marketplace.web.desk.setup.acting import repeatable
from marketplace.web.doors.problems import Problem, problem_of
from marketplace.web.parts import Form

_FIELDS = ("seed", "bookings", "faults", "offer")


def rehearsals() -> Response:
    """The newest rehearsals, and the form of the next one."""
    if request.method != "POST":
        return _listed(_fresh(), list(Kind))
    who, chosen = session.member(), request.form.getlist("faults")
    values = {name: field(name, 64) for name in ("seed", "bookings", "offer", "key")}
    try:
        repeat = repeatable(who, *chosen, values["seed"], values["bookings"], values["offer"])
        by = Actor("provider", who.public_id)
        made = ask.ask(who.provider_id, _wanted(values, chosen), by, now=clock.now(), repeat=repeat)
    except Refusal as refusal:
        known = refusal.at if refusal.at in _FIELDS else None
        form = Form(values, {known: wording.sentence(refusal)} if known else {})
        return _listed(form, chosen, refusal.status, None if known else problem_of(refusal))
    return see_other(url_for("desk.rehearsal", rehearsal=made))


def rehearsal(rehearsal: str) -> Response:
    """One rehearsal as it is now; the form ends it, or does the same once more."""
    who = session.member()
    it, problem, status = view.rehearsal(who.provider_id, rehearsal), None, 200
    if request.method == "POST" and field("act", 20) == "stop":
        ask.end_early(who.provider_id, rehearsal, now=clock.now())
        ended = it.finished_at is not None
        flash(_("It had ended before.") if ended else _("It ends after the step that is being done."), "ok")
        return see_other(url_for("desk.rehearsal", rehearsal=rehearsal))
    if request.method == "POST":
        wanted = Wanted([Kind(each) for each in it.faults], it.bookings, it.seed, it.offer)
        try:
            repeat = repeatable(who, "again", rehearsal)
            made = ask.ask(who.provider_id, wanted, Actor("provider", who.public_id), now=clock.now(), repeat=repeat)
        except Refusal as refusal:
            problem, status = problem_of(refusal), refusal.status
        else:
            return see_other(url_for("desk.rehearsal", rehearsal=made))
    shown = rehearsals_page.rehearsal(it)
    return desk_page(
        "rehearsing/rehearsal",
        "rehearsals",
        status,
        page=shown,
        live_part=(shown,),
        problem=problem,
        key=new_token(),
    )


def rehearsal_live(rehearsal: str) -> Response:
    """The part of it that changes by itself."""
    who = session.member()
    shown = rehearsals_page.rehearsal(view.rehearsal(who.provider_id, rehearsal))
    return desk_live("rehearsing/live", shown, page=shown, zone=who.time_zone, key=new_token())


def _listed(form: Form, chosen: Sequence[str], status: int = 200, problem: Problem | None = None) -> Response:
    who = session.member()
    return desk_page(
        "rehearsing/list",
        "rehearsals",
        status,
        rows=[rehearsals_page.row(each) for each in view.rehearsals(who.provider_id)],
        faults=rehearsals_page.faults(),
        chosen=list(chosen),
        offers=rehearsals_page.offers(view.offers(who.provider_id)),
        most=MOST_BOOKINGS,
        largest=LARGEST_SEED,
        form=form,
        problem=problem,
    )


def _fresh() -> Form:
    return Form({"seed": str(ask.new_seed()), "bookings": str(len(Kind)), "key": new_token()})


def _wanted(values: dict[str, str], chosen: Sequence[str]) -> Wanted:
    """What the form asks for. Raises Invalid for what is no number or no fault."""
    if not set(chosen) <= set(Kind):
        raise Invalid(field="faults", reason="choice")
    numbers = {}
    for name in ("seed", "bookings"):
        if not (values[name].isascii() and values[name].isdigit()):
            raise Invalid(field=name, reason="integer")
        numbers[name] = int(values[name])
    return Wanted([Kind(each) for each in chosen], numbers["bookings"], numbers["seed"], values["offer"] or None)


VIEWS: Views = {"rehearsals": rehearsals, "rehearsal": rehearsal, "rehearsal_live": rehearsal_live}
