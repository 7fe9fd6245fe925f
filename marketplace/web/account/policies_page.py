"""My policies in words: each with whom it insures, until when, and what it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext

from marketplace.web import benefit_cards, formats, policy_words
from marketplace.web.formats import date_of, dotted
from marketplace.web.kind_words import kind_name
from marketplace.web.language import by_language
from marketplace.web.parts import Person, Pill
from marketplace.web.people import relation_word
from vip.entitlements.of_customer import EntitlementView
from vip.policies.of_customer import PolicyView


@dataclass(frozen=True)
class Gift:
    """A benefit that a policy gives. `note`: what is left and until when, or why there is nothing to book. `action` is
    empty when nothing can be booked now."""

    name: str
    note: str
    action: str = ""
    action_url: str = ""


@dataclass(frozen=True)
class PolicyCard:
    """A policy. `number` is masked, blank if it can't be read; `insured` are names with what they are to the holder."""

    id: str
    name: str
    pill: Pill
    span: str
    term: str
    number: str
    insured: str
    gifts: tuple[Gift, ...] = ()


@dataclass(frozen=True)
class PoliciesPage:
    """Those that count or will, and those that are over."""

    now: tuple[PolicyCard, ...]
    before: tuple[PolicyCard, ...]


def page(policies: Sequence[PolicyView], held: Sequence[EntitlementView], people: Sequence[Person]) -> PoliciesPage:
    """`held` are the customer's benefits in their order of use, `people` her family."""
    now = tuple(_card(it, held, people) for it in policies if it.standing in ("in_force", "not_yet"))
    before = tuple(_card(it, (), ()) for it in policies if it.standing not in ("in_force", "not_yet"))
    return PoliciesPage(now, before)


def _card(it: PolicyView, held: Sequence[EntitlementView], people: Sequence[Person]) -> PolicyCard:
    gives = it.benefits if it.standing == "in_force" else ()
    return PolicyCard(
        it.public_id,
        by_language(it.product_name),
        policy_words.standing_pill(it.standing),
        policy_words.span(it.in_force_from, it.in_force_until),
        policy_words.term_word(long_term=it.long_term),
        it.number_masked,
        formats.listed(_named(one.name, one.relation) for one in it.insured),
        tuple(_gift(kind, held, people) for kind in gives),
    )


def _named(name: str, relation: str) -> str:
    return _("%(name)s (%(relation)s)", name=name, relation=relation_word(relation))


def _gift(kind: str, held: Sequence[EntitlementView], people: Sequence[Person]) -> Gift:
    mine = [it for it in held if it.kind == kind]
    usable = next((it for it in mine if it.state == "active"), None)
    if usable is not None:
        card = benefit_cards.card(usable, people)
        left = (
            _("Unlimited") if usable.available is None else ngettext("%(num)d left", "%(num)d left", usable.available)
        )
        until = _("Until %(date)s", date=date_of(usable.valid_until))
        return Gift(kind_name(kind), dotted((left, until)), card.action, card.action_url)
    if any(it.state == "used_up" for it in mine):
        return Gift(kind_name(kind), _("All used"))
    coming = next((it for it in mine if it.state == "not_yet_valid"), None)
    if coming is not None:
        return Gift(kind_name(kind), _("Valid from %(date)s", date=date_of(coming.valid_from)))
    return Gift(kind_name(kind), _("Nothing is open for you now. Ask your insurer about it."))
