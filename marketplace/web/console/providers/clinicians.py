"""The console's page of a provider's clinicians: compare each with the public register, and say so."""

from __future__ import annotations

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid
from marketplace.web.answers import Views, field, see_other
from marketplace.web.console import session
from marketplace.web.console.answers import console_page
from marketplace.web.console.providers.clinicians_page import outside_row, row
from providers.staff.clinicians import clinicians_for, take_verification_back, verify
from providers.staff.outside import outside_clinicians_for, take_outside_back, verify_outside


def clinicians(provider: str) -> Response:
    """All clinicians of a provider; the form verifies one, or takes that back."""
    problem, status = "", 200
    if request.method == "POST":
        try:
            _act(provider, field("act", 20), field("member", 80), field("licence", 20))
        except Invalid as refusal:
            problem, status = wording.sentence(refusal), refusal.status
        else:
            return see_other(url_for("console.clinicians", provider=provider))
    who = session.operator()
    rows = (*map(row, clinicians_for(who, provider)), *map(outside_row, outside_clinicians_for(who, provider)))
    return console_page("clinicians", "providers", status, provider=provider, rows=rows, problem=problem)


def _act(provider: str, what: str, member: str, licence: str) -> None:
    who, now = session.operator(), clock.now()
    outside = bool(field("outside", 1))
    if what == "verify":
        (verify_outside if outside else verify)(who, provider, member, licence, now=now)
        flash(_("Verified: patients may read her answers."), "ok")
    elif what == "take_back":
        (take_outside_back if outside else take_verification_back)(who, provider, member, now=now)
        flash(_("Taken back: nothing more that she writes reaches a patient."), "ok")
    else:
        raise Invalid(field="act", reason="unknown_value")


VIEWS: Views = {"clinicians": clinicians}
