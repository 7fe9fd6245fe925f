"""Policies in words, for operators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from marketplace.web import policy_words
from marketplace.web.formats import listed
from marketplace.web.language import by_language
from marketplace.web.parts import Link, Pill
from marketplace.web.people import relation_word
from vip.policies.at_desk import SOON, InsuredRow, PolicyInFull, PolicyRow, VersionRow, Wanted
from vip.policies.standing import STANDINGS


@dataclass(frozen=True)
class PolicyLine:
    """A policy in the list. `holder` and `number` are masked, blank where they can't be read."""

    url: str
    name: str
    product: str
    number: str
    holder: str
    pill: Pill
    span: str
    term: str
    insured: int
    updated_at: datetime


@dataclass(frozen=True)
class InsuredLine:
    """Somebody whom it insures or insured; `until` is the last day, None while she is."""

    name: str
    relation: str
    since: date
    until: date | None
    ended: bool


@dataclass(frozen=True)
class VersionLine:
    """What one version said. `changed` names what differs from the one before."""

    version: int
    at: datetime
    source: str
    said: tuple[str, ...]
    changed: str


@dataclass(frozen=True)
class PolicyPage:
    """One policy. `number` is in full once it was asked for (`shown`), else masked; `show_url` is blank where there is
    none. `vanished_on`: the day on which it was ended for having vanished."""

    line: PolicyLine
    key: str
    version: int
    plan: str
    phone: str
    customer_url: str
    number: str
    shown: bool
    show_url: str
    insured: tuple[InsuredLine, ...]
    versions: tuple[VersionLine, ...]
    erased: bool
    vanished_on: date | None


def row(it: PolicyRow) -> PolicyLine:
    """A line of the list."""
    return PolicyLine(
        url=url_for("console.policy", policy=it.public_id),
        name=by_language(it.product_name),
        product=it.product,
        number=it.number_masked,
        holder=it.holder,
        pill=policy_words.standing_pill(it.standing),
        span=policy_words.span(it.in_force_from, it.in_force_until),
        term=policy_words.term_word(long_term=it.long_term),
        insured=it.insured,
        updated_at=it.updated_at,
    )


def policy(found: PolicyInFull) -> PolicyPage:
    """The page of one."""
    it = found.row
    return PolicyPage(
        line=row(it),
        key=it.key,
        version=it.version,
        plan="" if found.plan_name is None else by_language(found.plan_name),
        phone=found.phone_masked,
        customer_url="" if found.erased else url_for("console.customer", customer=found.customer_id),
        number=found.number or it.number_masked,
        shown=bool(found.number),
        show_url="" if not it.number_masked else url_for("console.policy_number", policy=it.public_id),
        insured=tuple(map(_insured, found.insured)),
        versions=tuple(map(_version, found.versions)),
        erased=found.erased,
        vanished_on=found.vanished_on,
    )


def filters(chosen: Wanted, *, searched: bool) -> tuple[Link, ...]:
    """The filters of the list, as addresses. After a search none of them is on."""
    on = Wanted("-") if searched else chosen
    every = [Link(_("All"), url_for("console.policies"), on == Wanted())]
    states = [
        Link(policy_words.standing_word(each), url_for("console.policies", standing=each), on == Wanted(each))
        for each in STANDINGS
    ]
    soon = [
        Link(
            ngettext("Ends within %(num)d day", "Ends within %(num)d days", days),
            url_for("console.policies", ends_within=days),
            on == Wanted("", days),
        )
        for days in SOON
    ]
    return (*every, *states, *soon)


def _insured(it: InsuredRow) -> InsuredLine:
    relation = _("Policy holder") if it.relation == "self" else relation_word(it.relation)
    return InsuredLine(it.name, relation, it.since, it.ended_on, it.ended_on is not None)


def _version(it: VersionRow) -> VersionLine:
    said = (
        policy_words.standing_word(it.status),
        policy_words.term_word(long_term=it.long_term),
        policy_words.span(it.in_force_from, it.in_force_until),
        ngettext("%(num)d person insured", "%(num)d people insured", it.insured),
    )
    changed = listed(_fact_word(name) for name in it.changed) if it.changed else ""
    return VersionLine(it.version, it.at, _source(it.source), said, changed)


def _fact_word(name: str) -> str:
    words = {
        "number": _("number"),
        "product": _("product"),
        "product_name": _("product name"),
        "long_term": _("term"),
        "in_force_from": _("first day"),
        "in_force_until": _("last day"),
        "status": _("status"),
        "plan": _("plan"),
        "insured": _("insured persons"),
    }
    return words.get(name, name)


def _source(source: str) -> str:
    """Who put it: what is known of it by name, with its id."""
    kind, _colon, which = source.partition(":")
    words = {
        "import": _("Import %(which)s", which=which),
        "client": _("Insurer's system, client %(which)s", which=which),
        "operator": _("Operator %(which)s", which=which),
        "demo": _("Demonstration"),
    }
    return words.get(kind, source)
