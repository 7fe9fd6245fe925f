"""Reports as the pages show them: what needs a look first, each value against its range, then all by section."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from flask_babel import gettext as _

from booking.report_box import Item as Result
from booking.report_box import ReportCard, ReportView
from booking.view import BookingCard
from marketplace.web import report_words as words
from marketplace.web.presenters.people import by_language, face, relation_word
from marketplace.web.view_models import Item, Person, Pill, Range, ReportPage, ReportRow, Section

USUAL = ("", "normal")
_HAN = re.compile(r"[\u3400-\u9fff]")
_MARGIN = 0.45
"""How much of the reference's width is shown to each side of it."""


def row(card: ReportCard) -> ReportRow:
    """A report that is here, as a line of the list."""
    return ReportRow(
        card.id,
        by_language(card.offer_name["zh"], card.offer_name["en"]),
        _person(card.beneficiary_id, card.beneficiary_name, card.relation),
        card.site,
        card.service_date,
        True,
        card.abnormal,
        card.items,
        pill=_state(card.state, card.version),
    )


def awaited(card: BookingCard, url: str) -> ReportRow:
    """A report that is still to come, as a line that leads to its booking."""
    late = card.report_state == "overdue"
    return ReportRow(
        card.id,
        by_language(card.offer_name["zh"], card.offer_name["en"]),
        _person(card.beneficiary_id, card.beneficiary_name, card.relation),
        str(card.site["name"]),
        card.service_date,
        False,
        pill=Pill(_("Late"), "bad", icon="clock") if late else Pill(_("To come"), "wait", icon="clock"),
        booking_url=url,
    )


def page(view: ReportView, document_url: str) -> ReportPage:
    """A report in full."""
    shown = [(result, item(result)) for result in view.results]
    return ReportPage(
        id=view.id,
        title=_("Health check report"),
        person=_person(view.beneficiary_id, view.beneficiary_name, view.relation),
        place=view.site,
        day=view.service_date,
        version=view.version,
        abnormal=tuple(it for result, it in shown if result.flag not in USUAL),
        sections=_sections(shown),
        total=len(shown),
        conclusion=view.conclusion,
        document_url=document_url,
        corrected=view.state == "corrected",
        partial=view.state == "partial",
        conclusion_lang="zh-CN" if _HAN.search(view.conclusion) else "",
    )


def item(result: Result) -> Item:
    """One result; its bar only where value and reference are numbers."""
    return Item(
        name=words.name_of(result.loinc, result.name),
        value=words.value_of(result.value),
        unit=words.unit_of(result.unit),
        reference=reference(result.low, result.high),
        flag=_flag(result.flag),
        range=bar(result.number, result.low, result.high),
        meaning=words.meaning_of(result.loinc, result.flag),
        note=result.note,
    )


def reference(low: float | None, high: float | None) -> str:
    """`3.9 至 6.1`, `up to 3.4`, or nothing."""
    if low is not None and high is not None:
        return _("%(low)s to %(high)s", low=_plain(low), high=_plain(high))
    if high is not None:
        return _("up to %(high)s", high=_plain(high))
    return "" if low is None else _("from %(low)s", low=_plain(low))


def bar(number: float | None, low: float | None, high: float | None) -> Range | None:
    """Where `number` lies, in percent of a bar that shows the whole reference and the value, with some room beside."""
    if number is None or (low is None and high is None):
        return None
    if low is not None and high is not None:
        first, last = low - _MARGIN * (high - low), high + _MARGIN * (high - low)
    else:
        first, last = (0.0, high * 1.6) if high is not None else (0.0, (low or 0.0) * 2)
    room = (last - first) * 0.08
    first, last = min(first, number - room), max(last, number + room)
    if number >= 0 and (low is None or low >= 0):
        first = max(first, 0.0)
    span = last - first
    if not (span > 0 and math.isfinite(span)):
        return None

    def place(value: float) -> float:
        return round(min(100.0, max(0.0, 100 * (value - first) / span)), 1)

    return Range(place(first if low is None else low), place(last if high is None else high), place(number))


def _sections(shown: Sequence[tuple[Result, Item]]) -> tuple[Section, ...]:
    """By the provider's own sections, those with something to look at first; what has none comes last."""
    grouped: dict[str, list[tuple[Result, Item]]] = {}
    for result, it in shown:
        grouped.setdefault(result.section, []).append((result, it))
    names = sorted(grouped, key=lambda name: not name)
    return tuple(
        Section(
            words.section_of(name) or _("Other results"),
            tuple(it for _result, it in grouped[name]),
            sum(result.flag not in USUAL for result, _it in grouped[name]),
        )
        for name in names
    )


def _flag(flag: str) -> Pill | None:
    if flag in USUAL:
        return None
    told = {"high": _("High"), "low": _("Low"), "abnormal": _("Unusual")}
    return Pill(told.get(flag, _("Unusual")), "bad", icon="triangle-alert")


def _state(state: str, version: int) -> Pill | None:
    if state == "partial":
        return Pill(_("In part"), "wait", icon="clock")
    if state == "corrected":
        return Pill(_("Corrected, version %(version)d", version=version), "wait", icon="info")
    return None


def _person(public_id: str, name: str, relation: str) -> Person:
    return Person(public_id, name, relation_word(relation), face(relation, name), is_self=relation == "self")


def _plain(value: float) -> str:
    return f"{value:.10g}"
