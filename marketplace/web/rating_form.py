"""One question after a service: how it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import flash
from flask_babel import gettext as _

from booking.ratings.rate import MOST_STARS, rate, rating_of
from booking.states import BookingState
from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid
from marketplace.web.answers import field
from marketplace.web.formats import deadline
from marketplace.web.parts import Form
from vip.principal import Principal


@dataclass(frozen=True)
class Stars:
    """How it was: the form (Form: stars, words) with what was given or refused, what is said of it (blank before it was
    given), and whether it can be given or changed."""

    form: Form
    said: str = ""
    open: bool = True


def stars(me: Principal, booking: str, state: str, given: Form | None, now: datetime, zone: str) -> Stars | None:
    """The question about a booking (public id) in this state, with what was answered, or with what a refused form held.
    None where there is nothing to rate."""
    found = rating_of(me, booking)
    if found is None:
        if state != BookingState.FULFILLED.value:
            return None
        return Stars(given or Form(), "", open=True)
    form = given or Form({"stars": str(found.stars), "words": found.words})
    until = deadline(found.changeable_until, zone)
    open_still = now < found.changeable_until
    said = _("Thank you. You can change it until %(time)s.", time=until) if open_still else _("Thank you.")
    return Stars(form, said, open_still)


def given(me: Principal, booking: str) -> Form | None:
    """Take the answer of this request's form about a booking. Returns the form with what is wrong, None once it is
    taken. Raises NotFound, NotDone, RatingFixed."""
    number, words = field("stars", 1), field("words", 4_000)
    if number not in [str(each) for each in range(1, MOST_STARS + 1)]:
        return Form({"words": words}, {"stars": _("Choose one to five stars.")})
    try:
        rate(me, booking, int(number), words, clock.now())
    except Invalid as refusal:
        return Form({"stars": number, "words": words}, {refusal.at or "words": wording.sentence(refusal)})
    flash(_("Thank you for your answer."), "ok")
    return None
