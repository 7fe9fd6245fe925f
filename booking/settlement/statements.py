"""Closing statements as operators read them: the list, one day, and its lines as a table for a spreadsheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, and_, func, select, true

from booking.models import Booking, ProviderBooking
from booking.settlement.models import ClosingStatement, StatementLine
from marketplace.catalog.models import Insurer, Provider
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound
from marketplace.core.paging import Page, decode_cursor, encode_cursor
from marketplace.core.spreadsheet import spreadsheet
from marketplace.core.text import Text
from vip import roles
from vip.principal import Principal

COLUMNS = (
    "day", "provider", "kind", "booking", "provider_reference", "service_date", "state", "units", "amount_minor",
    "currency",
)  # fmt: skip
_SELECT = (
    select(ClosingStatement, Provider, Insurer)
    .join(Provider, Provider.id == ClosingStatement.provider_id)
    .join(Insurer, Insurer.id == ClosingStatement.insurer_id)
)


@dataclass(frozen=True)
class StatementRow:
    """A statement in the list. `content` as in ClosingStatement."""

    id: str
    provider_code: str
    provider_name: Text
    insurer_name: Text
    day: date
    time_zone: str
    made_at: datetime
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Stated:
    """A line of a statement. `correction` if its booking is of an earlier day or was stated before."""

    booking: str
    provider_reference: str
    service_date: date
    state: str
    units: int
    amount_minor: int
    currency: str
    correction: bool


@dataclass(frozen=True)
class StatementView:
    """One statement with the first of its `lines`; `total` is how many there are. `units` and `money` are sums of all
    lines that are no corrections, `corrected_units` and `corrected` of all corrections."""

    row: StatementRow
    lines: Sequence[Stated]
    total: int
    units: int
    money: Mapping[str, int]
    corrected_units: int
    corrected: Mapping[str, int]


def statements(principal: Principal, *, cursor: str | None, limit: int, provider: str = "") -> Page[StatementRow]:
    """The insurer's statements, the newest day first."""
    of_provider = Provider.code == provider if provider else true()
    return _listed(and_(_of_insurer(principal), of_provider), cursor, limit)


def own_statements(provider_id: int, *, cursor: str | None, limit: int) -> Page[StatementRow]:
    """The provider's statements (internal id), of all insurers, the newest day first."""
    return _listed(ClosingStatement.provider_id == provider_id, cursor, limit)


def _listed(whose: ColumnElement[bool], cursor: str | None, limit: int) -> Page[StatementRow]:
    query = _SELECT.where(whose)
    if cursor is not None:
        (last,) = decode_cursor(cursor, (int,))
        query = query.where(ClosingStatement.id < last)
    with reading() as session:
        rows = session.execute(query.order_by(ClosingStatement.id.desc()).limit(limit + 1)).all()
    found = [_row(row.ClosingStatement, row.Provider, row.Insurer) for row in rows[:limit]]
    return Page(found, encode_cursor([rows[limit - 1].ClosingStatement.id]) if rows[limit:] else None)


def statement(principal: Principal, statement_id: str, *, most: int) -> StatementView:
    """One statement with at most `most` of its lines. Raises NotFound."""
    return _view(_find(_of_insurer(principal), statement_id), most)


def own_statement(provider_id: int, statement_id: str, *, most: int) -> StatementView:
    """One of the provider's statements, in the same form. Raises NotFound."""
    return _view(_find(ClosingStatement.provider_id == provider_id, statement_id), most)


def _view(row: Row[ClosingStatement, Provider, Insurer], most: int) -> StatementView:
    found, provider, insurer = row
    with reading() as session:
        sums = session.execute(
            select(
                StatementLine.correction,
                StatementLine.currency,
                func.count().label("number"),
                func.sum(StatementLine.units).label("units"),
                func.sum(StatementLine.amount_minor).label("minor"),
            )
            .where(StatementLine.statement_id == found.id)
            .group_by(StatementLine.correction, StatementLine.currency)
        ).all()
    return StatementView(
        row=_row(found, provider, insurer),
        lines=_lines(found.id, most),
        total=sum(row.number for row in sums),
        units=int(sum(row.units for row in sums if not row.correction)),
        money={row.currency: int(row.minor) for row in sums if not row.correction},
        corrected_units=int(sum(row.units for row in sums if row.correction)),
        corrected={row.currency: int(row.minor) for row in sums if row.correction},
    )


def statement_csv(principal: Principal, statement_id: str) -> tuple[str, str]:
    """A file name and all lines as CSV (RFC 4180, UTF-8 with a byte order mark for spreadsheets). Raises NotFound."""
    return _csv(_find(_of_insurer(principal), statement_id), "provider")


def own_statement_csv(provider_id: int, statement_id: str) -> tuple[str, str]:
    """The same of one of the provider's statements, whose name has the insurer's code. Raises NotFound."""
    return _csv(_find(ClosingStatement.provider_id == provider_id, statement_id), "insurer")


def _csv(row: Row[ClosingStatement, Provider, Insurer], named: Literal["provider", "insurer"]) -> tuple[str, str]:
    found, provider, insurer = row
    lines = (
        (
            found.day.isoformat(),
            provider.code,
            "correction" if stated.correction else "delivered",
            stated.booking,
            stated.provider_reference,
            stated.service_date.isoformat(),
            stated.state,
            stated.units,
            stated.amount_minor,
            stated.currency,
        )
        for stated in _lines(found.id, None)
    )
    code = provider.code if named == "provider" else insurer.code
    return f"statement-{code}-{found.day.isoformat()}.csv", spreadsheet(COLUMNS, lines)


def _lines(statement_id: int, most: int | None) -> list[Stated]:
    query = (
        select(StatementLine, Booking.reference, ProviderBooking.reference.label("theirs"))
        .join(Booking, Booking.id == StatementLine.booking_id)
        .outerjoin(ProviderBooking, (ProviderBooking.booking_id == Booking.id) & (ProviderBooking.role == "current"))
        .where(StatementLine.statement_id == statement_id)
        .order_by(StatementLine.correction, StatementLine.service_date, StatementLine.id)
    )
    with reading() as session:
        rows = session.execute(query if most is None else query.limit(most)).all()
    return [
        Stated(
            row.reference,
            row.theirs or "",
            row.StatementLine.service_date,
            row.StatementLine.state,
            row.StatementLine.units,
            row.StatementLine.amount_minor,
            row.StatementLine.currency,
            row.StatementLine.correction,
        )
        for row in rows
    ]


def _find(whose: ColumnElement[bool], statement_id: str) -> Row[ClosingStatement, Provider, Insurer]:
    with reading() as session:
        row = session.execute(_SELECT.where(ClosingStatement.public_id == statement_id, whose)).one_or_none()
    if row is None:
        raise NotFound()
    return row


def _of_insurer(principal: Principal) -> ColumnElement[bool]:
    roles.require(principal, "books")
    return ClosingStatement.insurer_id == principal.insurer_id


def _row(found: ClosingStatement, provider: Provider, insurer: Insurer) -> StatementRow:
    return StatementRow(
        id=found.public_id,
        provider_code=provider.code,
        provider_name=Text(provider.name_zh, provider.name_en),
        insurer_name=Text(insurer.name_zh, insurer.name_en),
        day=found.day,
        time_zone=found.time_zone,
        made_at=found.made_at,
        content=found.content,
    )
