"""The provider's profile: what customers and operators call it, and its time zone."""

from __future__ import annotations

from zoneinfo import available_timezones

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.certifying.view import certificates_of
from marketplace import wording
from marketplace.catalog.provider_profile import (
    LONGEST_NAME,
    NamesApproved,
    Profile,
    ProfileChanged,
    change_profile,
    profile_of,
)
from marketplace.core import clock
from marketplace.core.errors import Invalid, Refusal
from marketplace.web.answers import Views, field, see_other
from marketplace.web.desk import session
from marketplace.web.desk.answers import desk_page
from marketplace.web.parts import Form

_NAMES = ("name_zh", "name_en", "time_zone")


def profile() -> Response:
    """Show the profile; the form changes it, names only until an operator has approved them."""
    who = session.member()
    if request.method != "POST":
        return _form(profile_of(who.provider_id))
    seen = Profile(*(field(f"seen_{name}") for name in _NAMES))
    wanted = Profile(*(field(name) for name in _NAMES))
    try:
        change_profile(who.provider_id, seen, wanted, actor=who.public_id, now=clock.now())
    except (ProfileChanged, NamesApproved) as refusal:
        return _form(profile_of(who.provider_id), refusal)
    except Refusal as refusal:
        return _form(seen, refusal, wanted)
    flash(_("Saved."), "ok")
    return see_other(url_for("desk.profile"))


def _form(seen: Profile, refusal: Refusal | None = None, typed: Profile | None = None) -> Response:
    shown = typed or seen
    values = {name: getattr(shown, name) for name in _NAMES}
    values |= {f"seen_{name}": getattr(seen, name) for name in _NAMES}
    at = isinstance(refusal, Invalid)
    said = "" if refusal is None else wording.sentence(refusal)
    proved = certificates_of(session.member().provider_id)
    return desk_page(
        "joining/profile",
        "profile",
        200 if refusal is None else refusal.status,
        form=Form(values, {str(refusal.at): said} if refusal is not None and at else {}, "" if at else said),
        zones=sorted(available_timezones()),
        longest=LONGEST_NAME,
        certified=bool(proved.certificates),
    )


VIEWS: Views = {"profile": profile}
