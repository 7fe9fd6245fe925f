"""Reports as the pages show them: what needs a look first, each value against its range, then all by group."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _

from booking.reports.box import ReportCard, ReportView
from booking.reports.reading.read import Reading
from booking.reports.reading.vocabulary import vocabulary
from booking.reports.versions import Change
from booking.views.cards import BookingCard
from marketplace.catalog.kinds import words_of
from marketplace.web import formats
from marketplace.web.kind_words import nouns
from marketplace.web.language import by_language
from marketplace.web.parts import Link, Person, Pill
from marketplace.web.people import face, relation_word
from marketplace.web.place_words import site_name, site_of
from marketplace.web.reports import words


@dataclass(frozen=True)
class ReportRow:
    """A line of the reports list; `ready` False while it is still to come (`due` by then)."""

    id: str
    title: str
    person: Person
    place: str
    day: date
    ready: bool
    abnormal: int = 0
    total: int = 0
    due: date | None = None
    pill: Pill | None = None
    booking_url: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Range:
    """Where a value lies, in percent of the bar: the reference from `low` to `high`, the value at `at`; all 0–100."""

    low: float
    high: float
    at: float


@dataclass(frozen=True)
class Item:
    """One result. `value`, `unit` and `reference` are as delivered; `flag` is a Pill when out of range; `note` is what
    the provider remarked on it.

    `ours` is the value in our unit where that is another one, `our_reference` our ordinary range where it says more,
    `source` what decided whether the value is out of range, `marked` a mark of the provider's that we can't read.
    `change` says what a corrected version changed.
    """

    name: str
    value: str
    unit: str = ""
    reference: str = ""
    flag: Pill | None = None
    range: Range | None = None
    meaning: str = ""
    note: str = ""
    about: str = ""
    ours: str = ""
    our_reference: str = ""
    source: str = ""
    change: str = ""
    trend_url: str = ""
    critical: bool = False
    marked: str = ""


@dataclass(frozen=True)
class Section:
    name: str
    items: tuple[Item, ...]
    abnormal: int = 0


@dataclass(frozen=True)
class PaperRow:
    """A paper of a report: what it is, how large, where it opens."""

    name: str
    size: str
    url: str


@dataclass(frozen=True)
class ReportPage:
    """A report. `partial` while results are still to come; `conclusion_lang` is a BCP 47 tag where the conclusion may
    be in another language than the page.

    `versions` lead to all versions, the newest first; `older` says that this is not the newest. `removed` are results
    that this version left out. `outstanding` are parts still to come, by `due`.
    """

    id: str
    title: str
    person: Person
    place: str
    day: date
    version: int
    abnormal: tuple[Item, ...]
    sections: tuple[Section, ...]
    total: int
    conclusion: str
    document_url: str = ""
    document_name: str = ""
    corrected: bool = False
    partial: bool = False
    conclusion_lang: str = ""
    papers: tuple[PaperRow, ...] = ()
    versions: tuple[Link, ...] = ()
    older: bool = False
    changed: int = 0
    removed: tuple[str, ...] = ()
    outstanding: tuple[str, ...] = ()
    due: date | None = None
    late: bool = False
    compare_url: str = ""
    kind: str = ""
    missing: int = 0
    left_out: int = 0


USUAL = ("", "normal")
_HAN = re.compile(r"[\u3400-\u9fff]")
_MARGIN = 0.45
"""How much of the reference's width is shown to each side of it."""


def row(card: ReportCard) -> ReportRow:
    """A report that is here, as a line of the list."""
    return ReportRow(
        card.id,
        by_language(card.offer_name),
        person(card.beneficiary_id, card.beneficiary_name, card.relation),
        site_name(card.site),
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
        by_language(card.offer_name),
        person(card.beneficiary_id, card.beneficiary_name, card.relation),
        site_of(card.site),
        card.service_date,
        False,
        due=formats.last_day(card.report_due_at, card.time_zone),
        pill=Pill(_("Late"), "bad", icon="clock") if late else Pill(_("To come"), "wait", icon="clock"),
        booking_url=url,
        kind=card.kind,
    )


def page(view: ReportView, links: Callable[[str, str], str]) -> ReportPage:
    """A report in full. `links` makes the address of a `trend` (by item), a `version`, `compare` and `document`."""
    shown = [
        (result, item(result, view.kind, view.changes.by_place.get(place), _trend(result, links)))
        for place, result in enumerate(view.results)
    ]
    return ReportPage(
        id=view.id,
        title=by_language(words_of(view.kind).report),
        person=person(view.beneficiary_id, view.beneficiary_name, view.relation),
        place=site_name(view.site),
        day=view.service_date,
        version=view.version,
        abnormal=tuple(it for result, it in shown if result.to_look_at),
        sections=_sections(shown),
        total=len(shown),
        conclusion=view.conclusion,
        document_url=links("document", "") if (shown or view.document_type) and view.version == view.newest else "",
        document_name=_("Original report as PDF") if view.document_type == "application/pdf" else _("Report as PDF"),
        corrected=view.state == "corrected" and view.version == view.newest,
        partial=bool(view.versions) and view.versions[0].status == "partial" and view.version == view.newest,
        conclusion_lang="zh-CN" if _HAN.search(view.conclusion) else "",
        versions=_versions(view, links),
        older=view.version < view.newest,
        changed=len(view.changes.by_place),
        removed=tuple(words.name_of(result) for result in view.changes.removed),
        outstanding=tuple(by_language(part) for part in view.outstanding),
        due=formats.last_day(view.due_at, view.time_zone),
        late=view.late,
        compare_url=links("compare", ""),
        kind=view.kind,
        missing=view.missing,
        left_out=view.left_out,
    )


def _trend(result: Reading, links: Callable[[str, str], str]) -> str:
    return links("trend", result.item) if result.item else ""


def _versions(view: ReportView, links: Callable[[str, str], str]) -> tuple[Link, ...]:
    if len(view.versions) < 2:
        return ()
    return tuple(
        Link(
            _("Version %(number)d, %(date)s", number=it.version, date=formats.date_of(it.issued_at)),
            links("version", str(it.version)),
            it.version == view.version,
        )
        for it in view.versions
    )


def item(result: Reading, kind: str, change: Change | None = None, trend_url: str = "") -> Item:
    """One result; its bar only where value and reference are numbers."""
    by_us = result.judged_by == "our_range"
    drawn = (
        bar(result.our_value, result.our_low, result.our_high) if by_us else bar(result.number, result.low, result.high)
    )
    return Item(
        name=words.name_of(result),
        value=words.value_of(result.value),
        unit=words.unit_of(result.unit),
        reference=words.value_of(result.range_text) or reference(result.low, result.high),
        flag=flag(result.judged, result.critical),
        range=drawn,
        meaning=words.meaning_of(result),
        note=result.note,
        about=words.about(result.item),
        ours=_ours(result),
        our_reference=_our_reference(result),
        source=_source(result, kind),
        change=_changed(change),
        trend_url=trend_url,
        critical=result.critical,
        marked="" if result.flag or not result.mark else _("Mark: %(mark)s", mark=result.mark[:40]),
    )


def ours(result: Reading, value: float | None) -> str:
    """A value in the item's unit, as many digits as people use: `5.12 mmol/L`."""
    known = vocabulary().items.get(result.item)
    if known is None or value is None or not math.isfinite(value):
        return ""
    return f"{result.bound}{value:.{known.digits}f} {words.unit_of(known.unit)}".strip()


def _ours(result: Reading) -> str:
    return ours(result, result.our_value) if result.converted else ""


def _our_reference(result: Reading) -> str:
    """Our range, where the provider gave none, or gave one in a unit that we don't use."""
    if result.our_low is None and result.our_high is None:
        return ""
    if (result.low is not None or result.high is not None or result.range_text) and not result.converted:
        return ""
    return f"{reference(result.our_low, result.our_high)} {words.unit_of(result.our_unit)}".strip()


def _source(result: Reading, kind: str) -> str:
    texts = {
        "provider_flag": _("Marked by %(place)s.", **nouns(kind)),
        "provider_range": _("Judged by %(place)s's own range.", **nouns(kind)),
        "provider_words": _("Judged by %(place)s's own words.", **nouns(kind)),
        "our_range": _("%(Place)s gave no range; judged by the ordinary one for this sex and age.", **nouns(kind)),
    }
    return texts.get(result.judged_by, "") if result.to_look_at or result.judged_by == "our_range" else ""


def _changed(change: Change | None) -> str:
    if change is None:
        return ""
    if change.before is None:
        return _("New in this version")
    old = f"{words.value_of(change.before.value)} {words.unit_of(change.before.unit)}".strip()
    return _("Changed in this version; before: %(old)s", old=old)


def reference(low: float | None, high: float | None) -> str:
    """`3.9 至 6.1`, `up to 3.4`, or nothing."""
    if low is not None and high is not None:
        return _("%(low)s to %(high)s", low=plain(low), high=plain(high))
    if high is not None:
        return _("up to %(high)s", high=plain(high))
    return "" if low is None else _("from %(low)s", low=plain(low))


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


def _sections(shown: Sequence[tuple[Reading, Item]]) -> tuple[Section, ...]:
    """By our groups, in their order; what we don't know stands in the provider's own sections, as delivered."""
    grouped: dict[tuple[str, str], list[tuple[Reading, Item]]] = {}
    for result, it in shown:
        group = result.group or words.SECTION_GROUPS.get(result.section, "")
        grouped.setdefault((group, "" if group else result.section), []).append((result, it))
    order = list(vocabulary().groups)

    def place(key: tuple[str, str]) -> tuple[int, bool]:
        return (order.index(key[0]) if key[0] else len(order)), not key[1]

    return tuple(
        Section(
            words.group_name(group) if group else words.section_of(section) or _("Other results"),
            tuple(it for _result, it in grouped[(group, section)]),
            sum(result.to_look_at for result, _it in grouped[(group, section)]),
        )
        for group, section in sorted(grouped, key=place)
    )


def flag(judged: str, critical: bool = False) -> Pill | None:
    """What a value outside its range is called."""
    if critical:
        return Pill(_("Critical"), "bad", icon="triangle-alert")
    if judged in USUAL:
        return None
    texts = {"high": _("High"), "low": _("Low"), "abnormal": _("Unusual")}
    return Pill(texts.get(judged, _("Unusual")), "bad", icon="triangle-alert")


def _state(state: str, version: int) -> Pill | None:
    if state == "partial":
        return Pill(_("In part"), "wait", icon="clock")
    if state == "corrected":
        return Pill(_("Corrected, version %(version)d", version=version), "wait", icon="info")
    return None


def person(public_id: str, name: str, relation: str) -> Person:
    """A member of the family, as reports name her."""
    return Person(public_id, name, relation_word(relation), face(relation, name), is_self=relation == "self")


def plain(value: float) -> str:
    """A number without needless digits."""
    return f"{value:.10g}"
