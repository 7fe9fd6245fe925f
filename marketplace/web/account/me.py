"""我的: the customer, her family, and where she is signed in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

import flask
from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.ownership import is_booked
from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.web import session
from marketplace.web.account.links import end_links_if_asked
from marketplace.web.answers import Views, asked, field, render, see_other
from marketplace.web.benefit_cards import plan_name
from marketplace.web.formats import full_date
from marketplace.web.parts import Form, Person
from marketplace.web.people import person, relation_word
from vip.customers.consent import ConsentView, consents
from vip.customers.customers import profile
from vip.customers.family import (
    RELATIONS,
    FamilyFull,
    Member,
    MemberInUse,
    NewMember,
    add_member,
    family,
    remove_member,
)
from vip.entitlements.of_customer import entitlements
from vip.principal import Principal
from vip.signin import signin


@dataclass(frozen=True)
class SessionLine:
    """A place where the customer is signed in, since when; `device` is a word such as `Browser`."""

    id: str
    device: str
    since: datetime
    current: bool = False


@dataclass(frozen=True)
class Me:
    name: str
    plan: str
    phone: str
    family: tuple[Person, ...]
    sessions: tuple[SessionLine, ...]
    face: str = ""


_FIELDS = ("name", "relation", "sex", "birth_date", "id_number")


def me() -> Response:
    """The page of the tab."""
    principal = session.principal()
    now = clock.now()
    own = profile(principal.id)
    today = clock.today(principal.time_zone, now)
    sessions = tuple(
        SessionLine(it.public_id, _device(it), it.created_at, it.current) for it in signin.sessions(principal, now)
    )
    agreed = consents(principal, now)
    people = tuple(_with_consent(person(it, today), agreed.get(it.public_id)) for it in family(principal.id))
    page = Me(own.name, _plan_line(principal, today), own.phone_masked, people, sessions, own.name[:1])
    return render("me.html", page=page)


def _device(shown: signin.SessionView) -> str:
    if shown.brought:
        return _("From your insurer's app")
    return _("Browser") if shown.channel == "web" else _("App")


def _with_consent(shown: Person, consent: ConsentView | None) -> Person:
    if consent is None:
        return shown
    state = "" if consent.state == "not_needed" else consent.state
    return replace(shown, consent=state, told=consent.dispatch_given_at is not None)


def family_new() -> Response:
    """Add a relative, then go back to where she is needed."""
    if request.method != "POST":
        return _family_form(Form())
    given = {name: field(name, 200) for name in _FIELDS}
    try:
        added = add_member(session.principal(), _new_member(given), clock.now())
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        message = wording.sentence(refusal)
        known = refusal.at in _FIELDS and not isinstance(refusal, FamilyFull)
        form = Form(given, {str(refusal.at): message}) if known else Form(given, problem=message)
        return _family_form(form, refusal.status)
    flash(_odd(added) or _("%(name)s is in your family list.", name=added.name), "wait" if added.warnings else "ok")
    return see_other(session.safe_path(field("next")) or url_for("web.me"))


def family_remove(member: str) -> Response:
    """Take a relative off the list, after saying what stays."""
    principal = session.principal()
    found = next((it for it in family(principal.id) if it.public_id == member and it.relation != "self"), None)
    if found is None:
        raise NotFound(field="beneficiary_id")
    problem, status = "", 200
    if request.method == "POST":
        try:
            remove_member(principal, member, clock.now(), in_use=is_booked)
        except MemberInUse as refusal:
            problem, status = wording.sentence(refusal), refusal.status
        else:
            flash(_("%(name)s is off your family list.", name=found.name), "ok")
            return see_other(url_for("web.me"))
    shown = person(found, clock.today(principal.time_zone))
    return render("family_remove.html", status, person=shown, problem=problem)


def end_sessions() -> Response:
    """End one session of hers, or all, this one too: which is said, a form that lost it ends nothing."""
    principal, which = session.principal(), field("session", 64)
    if field("everywhere", 1) != "1":
        signin.end_session(principal, which, clock.now())
        flash(_("Signed out there."), "ok")
        return see_other(url_for("web.me"))
    end_links_if_asked()
    signin.sign_out_everywhere(principal, clock.now())
    flask.session.clear()
    answer = see_other(url_for("web.sign_in"))
    session.forget(answer)
    return answer


def _family_form(form: Form, status: int = 200) -> Response:
    relations = tuple((code, relation_word(code)) for code in RELATIONS)
    next_url = session.safe_path(field("next") or asked("next"))
    return render("family_new.html", status, form=form, relations=relations, next_url=next_url)


def _new_member(given: dict[str, str]) -> NewMember:
    """What the form says. Raises Invalid for a date that is none; the rest is validated where it is stored."""
    try:
        born = date.fromisoformat(given["birth_date"])
    except ValueError as bad:
        raise Invalid(field="birth_date", reason="date" if given["birth_date"] else "required") from bad
    if not given["name"]:
        raise Invalid(field="name", reason="required")
    return NewMember(given["relation"], given["name"], given["sex"], born, id_number=given["id_number"] or None)


def _odd(member: Member) -> str:
    """A hint at what is allowed but may be a slip."""
    words = {
        "elder_is_younger": _("Added. Is the birth date right? This parent would be younger than you."),
        "child_is_older": _("Added. Is the birth date right? This child would be older than you."),
        "sex_of_relation": _("Added. Is the sex right? It doesn't fit the relation."),
    }
    return words[member.warnings[0]] if member.warnings else ""


def _plan_line(principal: Principal, today: date) -> str:
    held = next(
        (it for it in entitlements(principal.id, today=today) if it.state == "active" and it.plan_name_zh), None
    )
    if held is None:
        return ""
    plan = plan_name(held)
    return _("%(plan)s, until %(date)s", plan=plan, date=full_date(held.valid_until))


VIEWS: Views = {"me": me, "family_new": family_new, "family_remove": family_remove, "end_sessions": end_sessions}
