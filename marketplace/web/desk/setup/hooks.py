"""The desk's pages about webhooks: an endpoint is added, changed, tried, paused and deleted; the log of deliveries."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from flask import Response, flash, request, url_for
from flask_babel import gettext as _

from booking.health.own import own_faults
from booking.webhooks import deliveries, endpoints
from booking.webhooks.endpoints import Choice, Endpoint
from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.ids import new_token
from marketplace.web.answers import Views, asked, field, see_other
from marketplace.web.desk import session
from marketplace.web.desk.answers import desk_page
from marketplace.web.desk.setup import health_page, words
from marketplace.web.desk.setup.acting import by, changing, repeatable
from marketplace.web.doors.problems import Problem, problem_of
from marketplace.web.parts import Form

_LONGEST_URL, _SHOWN, _FAULTS = 2_000, 50, 5
_FIELDS = ("url", "event_types", "since", "until")


def hook_new() -> Response:
    """Add an endpoint; its first secret is shown in the answer, and nowhere else."""
    if request.method != "POST":
        return _new(Form({"key": new_token()}), tuple(code for code, _text in words.event_types()))
    values, types = {"url": field("url", _LONGEST_URL), "key": field("key", 100)}, request.form.getlist("event_types")
    try:
        who = changing()
        repeat = repeatable(who, "add", values["url"], *types)
        made = endpoints.add(who.provider_id, values["url"], types, by=by(who), now=clock.now(), repeat=repeat)
    except Invalid as refusal:
        return _new(_form(values, refusal), tuple(types), refusal.status)
    except Refusal as refusal:
        return _new(Form(values), tuple(types), refusal.status, problem_of(refusal))
    return _one(made.id, secret=made.secret or "")


def hook(hook: str) -> Response:
    """One endpoint, and what can be done with it."""
    it = endpoints.one(session.member().provider_id, hook)
    if request.method != "POST":
        return _one(hook)
    try:
        secret = _act(field("act", 20), it)
    except NotFound:
        raise
    except Invalid as refusal:
        values = {"url": field("url", _LONGEST_URL)}
        problem = None if refusal.at in _FIELDS else problem_of(refusal)
        return _one(
            hook, refusal.status, problem, form=_form(values, refusal), chosen=request.form.getlist("event_types")
        )
    except Refusal as refusal:
        return _one(hook, refusal.status, problem_of(refusal))
    if secret:
        return _one(hook, secret=secret)
    return see_other(url_for("desk.setup") if field("act", 20) == "delete" else url_for("desk.hook", hook=hook))


def log(hook: str) -> Response:
    """The log of an endpoint; the form sends one delivery or a span of time once more."""
    who = session.member()
    it = endpoints.one(who.provider_id, hook)
    if request.method != "POST":
        return _log(it)
    try:
        _replay(it)
    except NotFound:
        raise
    except Invalid as refusal:
        values = {"since": field("since", 20), "until": field("until", 20)}
        problem = None if refusal.at in _FIELDS else problem_of(refusal)
        return _log(it, refusal.status, problem, _form(values, refusal))
    except Refusal as refusal:
        return _log(it, refusal.status, problem_of(refusal))
    flash(_("It is sent once more, under the same number."), "ok")
    return see_other(url_for("desk.deliveries", hook=hook))


def _act(what: str, it: Endpoint) -> str:
    """Do it, and leave a message about it. Returns the new secret if there is one."""
    now = clock.now()
    if what == "test":
        who = session.member()
        deliveries.send_test(who.provider_id, it.id, repeat=repeatable(who, what, it.id), now=now)
        flash(_("The test is on its way. The log says what came of it."), "ok")
        return ""
    who = changing()
    if what == "secret":
        repeat = repeatable(who, what, it.id)
        return endpoints.add_secret(who.provider_id, it.id, by=by(who), now=now, repeat=repeat).secret or ""
    if what == "end_secret":
        endpoints.end_secret(who.provider_id, it.id, field("secret", 40), by=by(who), now=now)
        flash(_("The secret is ended. Messages are signed with the other one."), "ok")
    elif what == "delete":
        endpoints.delete(who.provider_id, it.id, by=by(who), now=now)
        flash(_("The endpoint is deleted. Nothing more is sent to it."), "ok")
    elif what == "change":
        url, types = field("url", _LONGEST_URL), request.form.getlist("event_types")
        endpoints.change(who.provider_id, it.id, url, types, by=by(who), now=now)
        flash(_("The endpoint is changed."), "ok")
    elif what in ("paused", "active"):
        endpoints.change(who.provider_id, it.id, state=cast(Choice, what), by=by(who), now=now)
        flash(_("The endpoint goes on.") if what == "active" else _("The endpoint is paused."), "ok")
    else:
        raise Invalid(field="act", reason="unknown_value")
    return ""


def _replay(it: Endpoint) -> None:
    who, now, delivery = session.member(), clock.now(), field("delivery", 40)
    if delivery:
        repeat = repeatable(who, "replay", it.id, delivery)
        deliveries.replay(who.provider_id, it.id, delivery, repeat=repeat, now=now)
        return
    since, until = _moment("since", who.time_zone), _moment("until", who.time_zone)
    repeat = repeatable(who, "span", it.id, since.isoformat(), until.isoformat())
    deliveries.replay_span(who.provider_id, it.id, since, until, repeat=repeat, now=now)


def _moment(name: str, zone: str) -> datetime:
    """A field of date and time, in the provider's zone. Raises Invalid."""
    try:
        return datetime.strptime(field(name, 20), "%Y-%m-%dT%H:%M").replace(tzinfo=ZoneInfo(zone))
    except ValueError as none:
        raise Invalid(field=name, reason="format") from none


def _form(values: dict[str, str], refusal: Invalid) -> Form:
    return Form(values, {refusal.at or "url": wording.sentence(refusal)})


def _new(form: Form, chosen: tuple[str, ...], status: int = 200, problem: Problem | None = None) -> Response:
    types = words.event_types()
    return desk_page("setup/hook_new", "setup", status, form=form, chosen=chosen, types=types, problem=problem)


def _one(
    endpoint: str,
    status: int = 200,
    problem: Problem | None = None,
    *,
    form: Form | None = None,
    chosen: list[str] | None = None,
    secret: str = "",
) -> Response:
    it = endpoints.one(session.member().provider_id, endpoint)
    return desk_page(
        "setup/hook",
        "setup",
        status,
        page=it,
        pill=words.endpoint_pill(it),
        reason=words.endpoint_reason(it),
        form=form or Form({"url": it.url}),
        chosen=tuple(it.event_types if chosen is None else chosen),
        types=words.event_types(),
        problem=problem,
        secret=secret,
        key=new_token(),
    )


def _log(it: Endpoint, status: int = 200, problem: Problem | None = None, form: Form | None = None) -> Response:
    state = asked("state", 20)
    known = state if state in dict(words.delivery_states()) else ""
    found = deliveries.deliveries(
        session.member().provider_id, it.id, state=known or None, cursor=asked("cursor", 500) or None, limit=_SHOWN
    )
    more: dict[str, Any] = {"hook": it.id, "state": known or None, "cursor": found.next}
    return desk_page(
        "setup/deliveries",
        "setup",
        status,
        page=it,
        rows=tuple((each, words.delivery_pill(each), words.event(each.event_type)) for each in found.items),
        states=(("", _("All")), *words.delivery_states()),
        state=known,
        more_url=url_for("desk.deliveries", **more) if found.next else "",
        form=form or Form(),
        problem=problem,
        key=new_token(),
        faults=tuple(map(health_page.fault, own_faults(session.member().provider_id, limit=_FAULTS).items)),
    )


VIEWS: Views = {"hook_new": hook_new, "hook": hook, "deliveries": log}
