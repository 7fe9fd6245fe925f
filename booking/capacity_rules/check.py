"""What rules must be like: nothing that would give a day two answers, or more slots than anybody can look at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import combinations

from booking.capacity_rules.plan import DAY, Rules, Section, WeeklyRule
from marketplace.core.errors import Invalid

MOST_RULES = 60
MOST_PLACES = 9999
LEAST_MINUTES = 5
MOST_SLOTS_A_DAY = 200
MOST_DAYS = 366
MOST_SLOTS = 20_000
"""Slots of a pool from today to the end of its horizon."""


def check_rules(rules: Rules) -> None:
    """Raise Invalid for rules that can't be followed. The field is `rules.N.…` for the rule at fault, counted from 1,
    `horizon_days` or `make_up_weekday`."""
    if not 1 <= rules.horizon_days <= MOST_DAYS:
        raise Invalid(field="horizon_days", reason="out_of_range", minimum=1, maximum=MOST_DAYS)
    if rules.make_up_weekday is not None and not 1 <= rules.make_up_weekday <= 7:
        raise Invalid(field="make_up_weekday", reason="choice")
    if len(rules.weekly) > MOST_RULES:
        raise Invalid(field="rules", reason="too_many_rules", maximum=MOST_RULES)
    for number, rule in enumerate(rules.weekly, 1):
        _check_rule(rule, f"rules.{number}")
    for (_, one), (number, other) in combinations(enumerate(rules.weekly, 1), 2):
        if one.weekdays & other.weekdays and _overlap_in_days(one, other) and _overlap(one.section, other.section):
            raise Invalid(field=f"rules.{number}.from", reason="times_overlap")
    for weekday in range(1, 8):
        _check_count([rule.section for rule in rules.weekly if weekday in rule.weekdays], "rules")


def check_day(sections: Sequence[Section]) -> None:
    """Raise Invalid for sections that a day can't have; the field is `sections.N.…`, counted from 1."""
    for number, section in enumerate(sections, 1):
        check_section(section, f"sections.{number}")
    for (_, one), (number, other) in combinations(enumerate(sections, 1), 2):
        if _overlap(one, other):
            raise Invalid(field=f"sections.{number}.from", reason="times_overlap")
    _check_count(sections, "sections")


def _check_rule(rule: WeeklyRule, name: str) -> None:
    if not rule.weekdays or not rule.weekdays <= set(range(1, 8)):
        raise Invalid(field=f"{name}.weekdays", reason="required")
    check_section(rule.section, name)
    if rule.valid_until is not None and rule.valid_until < rule.valid_from:
        raise Invalid(field=f"{name}.valid_until", reason="ends_before_it_begins")


def check_section(section: Section, name: str) -> None:
    """Raise Invalid for a section that has no slot, or no sense."""
    if not 1 <= section.places <= MOST_PLACES:
        raise Invalid(field=f"{name}.places", reason="out_of_range", minimum=1, maximum=MOST_PLACES)
    if not 0 <= section.start < section.end <= DAY:
        raise Invalid(field=f"{name}.to", reason="ends_before_it_begins")
    if section.minutes is not None:
        if section.minutes < LEAST_MINUTES:
            raise Invalid(field=f"{name}.minutes", reason="out_of_range", minimum=LEAST_MINUTES, maximum=DAY)
        if section.minutes > section.end - section.start:
            raise Invalid(field=f"{name}.minutes", reason="longer_than_its_hours")


def _check_count(sections: Sequence[Section], name: str) -> None:
    if sum(len(section.starts) for section in sections) > MOST_SLOTS_A_DAY:
        raise Invalid(field=name, reason="too_many_slots", maximum=MOST_SLOTS_A_DAY)


def _overlap(one: Section, other: Section) -> bool:
    """Whether they give the day two answers; the day as one slot leaves room for nothing else."""
    whole = one.minutes is None or other.minutes is None
    return whole or (one.start < other.end and other.start < one.end)


def _overlap_in_days(one: WeeklyRule, other: WeeklyRule) -> bool:
    one_until, other_until = one.valid_until or date.max, other.valid_until or date.max
    return one.valid_from <= other_until and other.valid_from <= one_until
