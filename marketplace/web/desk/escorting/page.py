"""What the templates of the escort worker's pages are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from babel.numbers import get_currency_precision
from flask import url_for
from flask_babel import gettext as _
from flask_babel import pgettext

from booking.escort.deeds import Deed
from booking.escort.evidence.contents import SIGNED_ON
from booking.escort.evidence.kinds import STEPS, Kind
from booking.escort.shown.words import AHEAD
from booking.escorting.mine import EscortInFull, MyEscort, MyEscorts
from marketplace.core.sphere import Position
from marketplace.web import formats, place_words
from marketplace.web.desk.escorting import words
from marketplace.web.kind_words import answered, kind_name
from marketplace.web.language import by_language
from marketplace.web.parts import Fact, Pill


@dataclass(frozen=True)
class Card:
    """An escort in a list. `until`: by when she has to answer, None where she is not asked."""

    id: str
    when: str
    place: str
    address: str
    kind: str
    pill: Pill
    url: str
    until: datetime | None
    zone: str


@dataclass(frozen=True)
class Lists:
    """The worker's lists, and what she is called; `unset`: her provider has not made her a worker yet."""

    name: str
    asked: tuple[Card, ...] = ()
    today: tuple[Card, ...] = ()
    later: tuple[Card, ...] = ()
    over: tuple[Card, ...] = ()
    unset: bool = False


@dataclass(frozen=True)
class Line:
    """A deed that the server has. `key`: by which the phone knows it; `more` are lines below its name."""

    key: str
    number: int
    kind: Kind
    name: str
    at: datetime
    more: tuple[str, ...]


@dataclass(frozen=True)
class Button:
    """A kind of deed that can be recorded: `ahead` says it before it is done, `name` after."""

    kind: Kind
    name: str
    ahead: str


@dataclass(frozen=True)
class OnePage:
    """One escort in full. `person` is empty once it is over; `next` is the step that comes next as a rule, blank where
    all are done. `digits`: of the minor unit of `currency`."""

    id: str
    title: str
    when: str
    place: str
    address: str
    driver: str
    zone: str
    pill: Pill
    goes: bool
    person: tuple[Fact, ...]
    call: str
    call_name: str
    told: bool
    safe_word: str
    pinyin: str
    where: Position | None
    steps: tuple[Button, ...]
    next: str
    lines: tuple[Line, ...]
    before: tuple[Line, ...]
    highest: int
    currency: str
    digits: int


def lists(found: MyEscorts) -> Lists:
    """The page of her escorts."""
    asked, now, later, over = (
        tuple(_card(it) for it in each) for each in (found.asked, found.today, found.later, found.over)
    )
    return Lists(found.name, asked, now, later, over)


def one(found: EscortInFull) -> OnePage:
    """The page of one."""
    it, person = found.escort, found.person
    answers = dict(person.answers) if person else {}
    done = {each.kind for each in found.deeds}
    call, call_name = str(answers.pop("contact_phone", "")), str(answers.pop("contact_name", ""))
    return OnePage(
        id=it.id,
        title=kind_name(it.kind),
        when=_when(it),
        place=place_words.site_of(it.site),
        address=place_words.full_address(it.site),
        driver=place_words.for_the_driver(it.site),
        zone=it.time_zone,
        pill=_pill(it),
        goes=person is not None,
        person=_person(found, answers),
        call=call,
        call_name=call_name,
        told=bool(answers) or not person,
        safe_word=found.safe_word,
        pinyin=found.pinyin,
        where=found.where,
        steps=tuple(Button(kind, words.deed_name(kind), by_language(AHEAD[kind])) for kind in STEPS),
        next=_next(done),
        lines=tuple(_line(each, _more(each)) for each in found.deeds),
        before=tuple(_line(each, _of_another(each)) for each in found.before),
        highest=found.highest,
        currency=found.currency,
        digits=get_currency_precision(found.currency),
    )


def _card(it: MyEscort) -> Card:
    return Card(
        it.id,
        _when(it),
        place_words.site_of(it.site),
        place_words.full_address(it.site),
        kind_name(it.kind),
        _pill(it),
        "" if it.answer_due_at is not None else url_for("desk.escort", assignment=it.id),
        it.answer_due_at,
        it.time_zone,
    )


def _when(it: MyEscort) -> str:
    begin, end = (formats.time_of(each, it.time_zone) for each in (it.starts_at, it.ends_at))
    return f"{formats.day(it.starts_at, it.time_zone)} {begin}{formats.EN_DASH}{end}"


def _pill(it: MyEscort) -> Pill:
    return {
        "asked": Pill(pgettext("escort", "Asked"), "wait", "hourglass"),
        "accepted": Pill(_("Accepted"), "ok", "check"),
        "done": Pill(_("Done"), "ok", "check"),
        "replaced": Pill(_("Somebody else goes"), "off", "refresh-cw"),
    }.get(it.state, Pill(_("Cancelled"), "off", "calendar-x"))


def _next(done: set[Kind]) -> str:
    """The step after the last one that was done."""
    last = max((STEPS.index(kind) for kind in done if kind in STEPS), default=-1)
    return STEPS[last + 1] if last + 1 < len(STEPS) else ""


def _person(found: EscortInFull, answers: dict[str, Any]) -> tuple[Fact, ...]:
    if found.person is None:
        return ()
    sex = _("Female") if found.person.sex == "female" else _("Male")
    age = _("%(age)s years", age=found.person.age)
    who = (
        Fact(_("Name"), found.person.name),
        Fact(_("Sex and age"), formats.dotted((sex, age))),
    )
    return (*who, *answered(answers, found.escort.kind))


def _line(deed: Deed, more: Sequence[str]) -> Line:
    return Line(str(deed.key), deed.number, deed.kind, words.deed_name(deed.kind), deed.at, tuple(more))


def _of_another(deed: Deed) -> Sequence[str]:
    """Who did it and what proves it; what she wrote is not passed on."""
    return [each for each in (deed.worker, words.presence(deed)) if each]


def _more(deed: Deed) -> Sequence[str]:
    cost = "" if deed.cost is None else f"{formats.money(deed.cost.amount_minor, deed.cost.currency)} {deed.cost.what}"
    picture = _("With a photo") if deed.picture else ""
    return [each for each in (words.presence(deed), cost, deed.words, picture, words.doubtful(deed)) if each]


SIDES = SIGNED_ON
