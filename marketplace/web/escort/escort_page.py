"""An escort as its page shows it to the customer, in any stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from booking.escort.after.awaited import Wrong
from booking.escort.shown.view import EscortView, Replaced, Worker
from marketplace.catalog.kinds import kinds, words_of
from marketplace.web import formats
from marketplace.web.escort.lines import Line, hour, hour_told, lines
from marketplace.web.escort_words import doubtful, wrong_words
from marketplace.web.kind_words import nouns
from marketplace.web.language import by_language
from marketplace.web.parts import Form, Turn
from marketplace.web.people import named
from marketplace.web.place_words import site_of
from marketplace.web.rating_form import Stars


@dataclass(frozen=True)
class WorkerCard:
    """Who comes. `face` is the one character of her portrait; `about` says her number and how many escorts she has
    done; `rated` what customers gave her, blank where too few did."""

    name: str
    face: str
    qualification: str
    about: str
    rated: str
    checked: bool


@dataclass(frozen=True)
class Said:
    """Something that the escort wrote, and when; `url` leads to its picture, blank without one."""

    text: str
    shown: str
    at: datetime
    url: str = ""


@dataclass(frozen=True)
class Ask:
    """What is asked of the customer at the end. `confirm` and `complain`: whether she can say that it went well, that
    something is wrong; `until` in words, `complained`: that a person looks into it."""

    confirm: bool
    complain: bool
    until: str
    complained: bool
    reasons: tuple[tuple[str, str], ...]
    form: Form


@dataclass(frozen=True)
class EscortPage:
    """An escort. `version` is the ETag that `escort_live` would answer now; `final` stops live updates. `safe_word` and
    `code` are blank while nobody comes and once it is over. `consent_url`: where somebody agrees that what the escort
    wrote is shown; blank where nothing is withheld."""

    id: str
    title: str
    about: str
    turn: Turn | None
    worker: WorkerCard | None
    replaced: tuple[str, ...]
    safe_word: str
    pinyin: str
    code: str
    lines: tuple[Line, ...]
    notes: tuple[Said, ...]
    papers: tuple[Said, ...]
    costs: tuple[Said, ...]
    total: str
    handed_over: str
    ask: Ask | None
    stars: Stars | None
    version: str
    final: bool
    links_url: str
    again_url: str = ""
    consent_url: str = ""


def page(view: EscortView, version: str, stars: Stars | None, form: Form | None = None) -> EscortPage:
    """The escort's page. `form`: a refused word of the customer's."""
    day, zone = view.service_date, view.time_zone
    return EscortPage(
        id=view.id,
        title=_title(view),
        about=_about(view),
        turn=_turn(view),
        worker=_worker(view.worker) if view.worker else None,
        replaced=tuple(_replaced(one, view) for one in view.replaced),
        safe_word=view.safe_word,
        pinyin=view.pinyin,
        code=view.code,
        lines=lines(view.steps, day, zone) if view.stage != "looking" or view.replaced else (),
        notes=tuple(Said(it.words, hour_told(it.at, it.doubt, day, zone), it.at) for it in view.notes),
        papers=tuple(
            Said(
                it.words or _("Paper %(number)d", number=number),
                hour_told(it.at, it.doubt, day, zone),
                it.at,
                _picture(view, it.id),
            )
            for number, it in enumerate(view.papers, start=1)
        ),
        costs=tuple(
            Said(
                formats.dotted((it.what, formats.money(it.amount_minor, it.currency), doubtful(it.doubt))),
                hour(it.at, day, zone),
                it.at,
                _picture(view, it.receipt) if it.receipt else "",
            )
            for it in view.costs
        ),
        total=_total(view),
        handed_over=view.handed_over,
        ask=_ask(view, form or Form()),
        stars=stars,
        version=version,
        final=view.stage == "given_up" or (view.stage == "done" and view.awaited is None),
        links_url=url_for("web.escort_links", booking=view.id) if view.stage != "given_up" else "",
        again_url=url_for("web.booking", booking=view.id) if view.stage == "given_up" else "",
        consent_url=url_for("web.consent", member=view.consent_of) if view.consent_of else "",
    )


def _title(view: EscortView) -> str:
    words = words_of(view.kind)
    if view.stage in ("under_way", "handed_over"):
        return by_language(words.under_way)
    if view.stage == "done":
        return by_language(words.done)
    known = kinds().get(view.kind)
    return by_language(known.name) if known else view.kind


def _about(view: EscortView) -> str:
    when = formats.appointment(view.service_date, view.starts_at, view.time_zone)
    place = formats.dotted((site_of(view.site), str(view.answers.get("department") or "")))
    return _("%(when)s, %(place)s, with %(person)s", when=when, place=place, person=named(view.person, view.relation))


def _turn(view: EscortView) -> Turn | None:
    said = nouns(view.kind)
    if view.stage == "given_up":
        if view.cause == "nobody_came":
            text = _("We are sorry. Your benefit is back, and the nearest other times are on the booking's page.")
            return Turn(_("Nobody came, so the escort did not take place"), text, icon="calendar-x", tone="bad")
        return Turn(_("This escort does not take place"), _("What became of it is on the booking's page."), icon="info")
    if view.stage == "looking":
        return _looking(view, said)
    if view.stage == "handed_over" and view.awaited is not None and not view.awaited.complained:
        text = _("Say how it went, below.")
        return Turn(_("The escort is over"), text, icon="check", tone="ok")
    return None


def _looking(view: EscortView, said: dict[str, str]) -> Turn:
    until = formats.deadline(view.looking_until, view.time_zone) if view.looking_until else ""
    if view.nobody_since is not None:
        text = _("We go on looking. If nobody is found, your benefit comes back and you see the nearest other times.")
        return Turn(_("Nobody is found yet for this time"), text, icon="triangle-alert", tone="bad")
    if view.state != "confirmed":
        text = _("%(Place)s answers by %(time)s at the latest. You see here who comes.", time=until, **said)
        return Turn(_("Somebody is being looked for"), text, icon="hourglass")
    text = _("It is confirmed that somebody comes. You see here who it is, before %(time)s.", time=until)
    if view.replaced:
        return Turn(_("Another escort is being looked for"), text, icon="hourglass")
    return Turn(_("Somebody is being looked for"), text, icon="hourglass")


def _worker(worker: Worker) -> WorkerCard:
    done = ngettext("%(num)d escort done", "%(num)d escorts done", worker.done) if worker.done else ""
    number = _("No. %(number)s", number=worker.staff_number) if worker.staff_number else ""
    rated = ""
    if worker.stars is not None:
        rated = ngettext(
            "%(stars)s of 5 from %(num)d rating",
            "%(stars)s of 5 from %(num)d ratings",
            worker.ratings,
            stars=worker.stars,
        )
    return WorkerCard(
        worker.name,
        worker.name[:1],
        by_language(worker.qualification),
        formats.dotted((number, done)),
        rated,
        worker.papers_checked_at is not None,
    )


def _replaced(one: Replaced, view: EscortView) -> str:
    at = hour(one.at, view.service_date, view.time_zone)
    causes = {
        "ill": _("%(name)s is ill and can't come, told at %(time)s.", name=one.name, time=at),
        "late": _("%(name)s would have come too late, told at %(time)s.", name=one.name, time=at),
    }
    return causes.get(one.cause, _("%(name)s does not come after all, told at %(time)s.", name=one.name, time=at))


def _picture(view: EscortView, picture: str) -> str:
    return url_for("web.escort_paper", booking=view.id, picture=picture)


def _total(view: EscortView) -> str:
    """The sums by currency, where there is more than one cost. What was paid when the escort was no longer hers is told
    and not added."""
    costs = [it for it in view.costs if it.doubt != "after"]
    if len(costs) < 2:
        return ""
    sums: dict[str, int] = {}
    for it in costs:
        sums[it.currency] = sums.get(it.currency, 0) + it.amount_minor
    return formats.listed(formats.money(minor, currency) for currency, minor in sums.items())


def _ask(view: EscortView, form: Form) -> Ask | None:
    awaited = view.awaited
    if awaited is None:
        return None
    until = awaited.confirm_until or awaited.complain_until
    words: Sequence[tuple[str, str]] = [(code, wrong_words()[code]) for code in Wrong]
    return Ask(
        confirm=awaited.confirm_until is not None,
        complain=awaited.complain_until is not None,
        until=formats.deadline(until, view.time_zone) if until else "",
        complained=awaited.complained,
        reasons=tuple(words),
        form=form,
    )
