"""Own figures and closing statements in words, for the provider."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import url_for
from flask_babel import gettext as _

from booking.settlement.figures import Figures
from booking.settlement.statements import Stated, StatementRow, StatementView
from marketplace.web import booking_words
from marketplace.web.formats import money, number, span
from marketplace.web.language import by_language

NONE = "–"


@dataclass(frozen=True)
class Tile:
    """One figure: what it is of, the figure, and what stands behind it. `bars` are (words, share of 100, count)."""

    label: str
    figure: str
    note: str
    bars: tuple[tuple[str, int, int], ...] = ()


@dataclass(frozen=True)
class StatementLine:
    """A statement in the list."""

    url: str
    day: date
    insurer: str
    delivered: str
    units: int


@dataclass(frozen=True)
class StatementPage:
    """A statement: sums of what was delivered that day and of corrections, and the first of its lines."""

    line: StatementLine
    zone: str
    made_at: datetime
    money: str
    units: int
    corrected: str
    corrected_units: int
    lines: tuple[tuple[Stated, str], ...]
    total: int
    csv_url: str


def tiles(it: Figures) -> tuple[Tile, ...]:
    """The figures as they are shown; a dash where there is nothing to count."""
    answered = it.confirmed + it.refused
    return (
        Tile(
            _("Requests answered"),
            _percent(answered, it.asked),
            _("%(part)s of %(all)s", part=number(answered), all=number(it.asked)),
            _bars(it.asked, (_("Confirmed"), it.confirmed), (_("Refused"), it.refused)),
        ),
        Tile(
            _("Half of the answers came within"),
            _took(it.median),
            _("Nine in ten within %(time)s", time=_took(it.most)),
        ),
        Tile(
            _("Confirmed visits that took place"),
            _percent(it.came, it.visits),
            _("%(part)s of %(all)s", part=number(it.came), all=number(it.visits)),
            _bars(it.visits, (_("Cancelled"), it.cancelled), (_("Nobody came"), it.no_show)),
        ),
        Tile(
            _("Reports on time"),
            _percent(it.on_time, it.reports),
            _("%(part)s of %(all)s", part=number(it.on_time), all=number(it.reports)),
            _bars(it.reports, (_("Late"), it.late), (_("Owed"), it.reports - it.on_time - it.late)),
        ),
    )


def row(it: StatementRow) -> StatementLine:
    """A line of the list."""
    ours = it.content.get("ours", {})
    url = url_for("desk.statement", statement=it.id)
    return StatementLine(url, it.day, by_language(it.insurer_name), _sums(ours.get("money", {})), ours.get("units", 0))


def statement(view: StatementView) -> StatementPage:
    """The page of one statement."""
    return StatementPage(
        line=row(view.row),
        zone=view.row.time_zone,
        made_at=view.row.made_at,
        money=_sums(view.money),
        units=view.units,
        corrected=_sums(view.corrected),
        corrected_units=view.corrected_units,
        lines=tuple((it, booking_words.provider_word(it.state)) for it in view.lines),
        total=view.total,
        csv_url=url_for("desk.statement_csv", statement=view.row.id),
    )


def _sums(by_currency: Mapping[str, int]) -> str:
    """Money by currency in one text."""
    shown = (
        ("−" if minor < 0 else "") + money(abs(minor), currency) for currency, minor in sorted(by_currency.items())
    )
    return " + ".join(shown) or money(0)


def _percent(part: int, of: int) -> str:
    return f"{_share(part, of)}%" if of else NONE


def _bars(of: int, *parts: tuple[str, int]) -> tuple[tuple[str, int, int], ...]:
    """The parts of a whole; none where there is nothing to share."""
    return tuple((label, _share(part, of), part) for label, part in parts) if of else ()


def _share(part: int, of: int) -> int:
    """In hundredths, rounded down: all of them is 100, and nothing less is."""
    return part * 100 // of


def _took(time: timedelta | None) -> str:
    return NONE if time is None else span(time.total_seconds())
