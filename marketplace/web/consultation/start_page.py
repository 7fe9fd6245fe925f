"""What the page that begins a consultation shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from booking.offers.at_once import AtOnce
from booking.pledges.pledge import promised_seconds
from marketplace import wording
from marketplace.catalog.benefit_kind import NotEligible
from marketplace.catalog.kinds import kind
from marketplace.core import clock
from marketplace.core.errors import Refusal
from marketplace.core.text import Text
from marketplace.web import language
from marketplace.web.answers import said
from marketplace.web.consultation import triage
from marketplace.web.formats import dotted, span
from marketplace.web.language import by_language
from marketplace.web.parts import Form, Person
from marketplace.web.people import person
from marketplace.web.schema_form import Box, Fields
from vip.customers.consent import ConsentMissing, consents
from vip.customers.family import Member
from vip.entitlements.of_customer import EntitlementView, NotShared
from vip.principal import Principal

Given = Callable[[str, int], str]
"""Where a value comes from: the form that was refused, or the address."""


@dataclass(frozen=True)
class Chosen:
    """What is chosen so far. `offer` is None where nothing can be begun now; `answers` are fields of the triage."""

    person: str
    offer: AtOnce | None
    entitlement: str
    department: str
    language: str
    answers: Fields
    show_reports: bool = False


@dataclass(frozen=True)
class Start:
    """The form. Options are pairs of value and label; without any of `offers` there is nothing to begin.

    `question` is the box of her first words, `more` what the doctor would ask next; `pledge` is the time within which
    she is answered, blank where none is pledged.
    """

    people: tuple[Person, ...]
    offers: tuple[tuple[str, str], ...]
    departments: tuple[tuple[str, str], ...]
    languages: tuple[tuple[str, str], ...]
    question: Box | None
    more: tuple[Box, ...]
    pledge: str
    form: Form
    idempotency_key: str


def speaks_english() -> bool:
    """Whether the reader reads English."""
    return language.current().code == "en"


def people(
    me: Principal, members: Sequence[Member], offer: AtOnce | None, usable: Sequence[EntitlementView], now: datetime
) -> tuple[Person, ...]:
    """The family, each with the reasons why it can't be about her. `usable` are the benefits that may be used."""
    today = clock.today(me.time_zone, now)
    agreed = consents(me, now)
    found = []
    for member in members:
        reasons: list[str] = []
        missing = member.public_id in agreed and agreed[member.public_id].state == "missing"
        if member.relation != "self" and usable and all(benefit.sharing == "self" for benefit in usable):
            reasons.append(wording.sentence(NotShared()))
        if offer is not None:
            try:
                kind(offer.kind).check_eligible(offer.package, member.sex, member.birth_date, today)
            except NotEligible as refusal:
                reasons.append(wording.sentence(refusal))
        if missing and not reasons:
            reasons.append(wording.sentence(ConsentMissing()))
        shown = person(member, today, tuple(reasons))
        found.append(replace(shown, consent="missing" if missing else ""))
    return tuple(found)


def page(
    members: Sequence[Person], offers: Sequence[AtOnce], chosen: Chosen, key: str, refusal: Refusal | None
) -> Start:
    """The form with what was chosen, and with what is wrong beside the field at fault."""
    offer = chosen.offer
    package = {} if offer is None else offer.package
    departments = tuple((str(it["code"]), _name(it["name_zh"], it["name_en"])) for it in package.get("departments", ()))
    languages = tuple((code, _language(code)) for code in package.get("languages", ()))
    question, more = triage.boxes(None if offer is None else offer.kind)
    values = {
        **chosen.answers,
        "for": _chosen_person(members, chosen.person),
        "offer": "" if offer is None else offer.id,
        "entitlement": chosen.entitlement,
        "department": _one_of(departments, chosen.department),
        "language": _one_of(languages, chosen.language),
        "show_reports": "1" if chosen.show_reports else "",
    }
    return Start(
        tuple(members),
        tuple((it.id, dotted((by_language(it.name), by_language(it.provider)))) for it in offers),
        departments,
        languages,
        question,
        more,
        "" if offer is None else promise(offer.kind, offer.package),
        _form(values, refusal, question, more),
        key,
    )


_OWN = ("department", "language", "show_reports", "picture")
_FIELDS = {"beneficiary_id": "for", "offer_id": "offer", **{name: name for name in _OWN}}


def _form(values: dict[str, str], refusal: Refusal | None, question: Box | None, more: Sequence[Box]) -> Form:
    if refusal is None:
        return Form(values)
    boxes = {box.name for box in (question, *more) if box is not None}
    at = refusal.at or ""
    name = "for" if isinstance(refusal, (ConsentMissing, NotShared)) else _FIELDS.get(at, at if at in boxes else "")
    if not name:
        return Form(values, problem=said(refusal))
    return Form(values, {name: wording.sentence(refusal)})


def _chosen_person(members: Sequence[Person], wanted: str) -> str:
    free = [each.id for each in members if not each.reasons]
    return wanted if wanted in free else next(iter(free), "")


def _one_of(options: Sequence[tuple[str, str]], wanted: str) -> str:
    codes = [code for code, _name in options]
    return wanted if wanted in codes else next(iter(codes), "")


def promise(code: str, package: Mapping[str, Any]) -> str:
    """Within what time a first answer is pledged for a kind by its code; blank where nothing is."""
    seconds = promised_seconds(code, package)
    return "" if seconds is None else pledged(seconds)


def pledged(seconds: int) -> str:
    """A promised length of time: up to two minutes in seconds, as it is spoken of."""
    return _("%(num)d s", num=seconds) if seconds <= 120 else span(seconds)


def _name(zh: str, en: str) -> str:
    return by_language(Text(zh, en))


def _language(code: str) -> str:
    return {"zh": _("Chinese"), "en": _("English")}.get(code, code)
