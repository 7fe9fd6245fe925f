"""Closing statements in words, for operators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from flask import url_for
from flask_babel import gettext as _

from booking.settlement.statements import Stated, StatementRow, StatementView
from marketplace.web import booking_words
from marketplace.web.console.books.amounts import effect, sums
from marketplace.web.language import by_language
from marketplace.web.parts import Pill


@dataclass(frozen=True)
class StatementLineRow:
    """A statement in the list."""

    url: str
    day: date
    provider: str
    delivered: str
    units: int
    balance: Pill
    open: int


@dataclass(frozen=True)
class StatementPage:
    """A statement. `states` are (state, ours, theirs); `theirs` None where the provider could not be read."""

    row: StatementLineRow
    zone: str
    made_at: datetime
    read_at: datetime | None
    states: tuple[tuple[str, int, int | None], ...]
    ours_money: str
    theirs_money: str | None
    unmatched: int
    open_effect: str
    lines: tuple[Stated, ...]
    total: int
    money: str
    corrected: str
    corrected_units: int
    csv_url: str


def statement_row(it: StatementRow) -> StatementLineRow:
    """A line of the list."""
    content = it.content
    return StatementLineRow(
        url_for("console.statement", statement=it.id),
        it.day,
        by_language(it.provider_name),
        sums(content.get("ours", {}).get("money", {})),
        content.get("ours", {}).get("units", 0),
        _balance(content.get("balance")),
        content.get("open", {}).get("count", 0),
    )


def _balance(balance: Mapping[str, int] | None) -> Pill:
    if balance is None:
        return Pill(_("Their side was not read"), "wait", icon="info")
    if any(balance.values()):
        off = {currency: minor for currency, minor in balance.items() if minor}
        return Pill(_("Off by %(sum)s", sum=sums(off, signed=True)), "bad", icon="circle-alert")
    return Pill(_("Balanced"), "ok", icon="check")


def statement(view: StatementView) -> StatementPage:
    """The page of one statement."""
    content = view.row.content
    ours, theirs, open_ = content.get("ours", {}), content.get("theirs"), content.get("open", {})
    names = sorted({*ours.get("states", {}), *(theirs or {}).get("states", {})}, key=booking_words.order)
    states = tuple(
        (
            booking_words.provider_word(name),
            ours.get("states", {}).get(name, 0),
            None if theirs is None else theirs.get("states", {}).get(name, 0),
        )
        for name in names
    )
    amounts = [effect(open_.get("units", 0), minor, currency) for currency, minor in open_.get("money", {}).items()]
    return StatementPage(
        row=statement_row(view.row),
        zone=view.row.time_zone,
        made_at=view.row.made_at,
        read_at=datetime.fromisoformat(theirs["read_at"]) if theirs and theirs.get("read_at") else None,
        states=states,
        ours_money=sums(ours.get("money", {})),
        theirs_money=None if theirs is None else sums(theirs.get("money", {})),
        unmatched=(theirs or {}).get("unmatched", 0),
        open_effect=" ".join(amounts),
        lines=tuple(view.lines),
        total=view.total,
        money=sums(view.money),
        corrected=sums(view.corrected, signed=True),
        corrected_units=view.corrected_units,
        csv_url=url_for("console.statement_csv", statement=view.row.id),
    )
