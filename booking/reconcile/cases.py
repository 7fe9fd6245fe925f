"""Discrepancies as operators see them: the list with its filters, and one with both sides, its effect and history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from booking.discrepancies import Discrepancy
from booking.feeds.models import DeliveredRow
from booking.models import Booking, BookingHistory, ProviderBooking, ProviderTask
from booking.outbox import UNFINISHED
from booking.ownership import VIEWED, record_look
from booking.reconcile.models import ReconcileRun
from booking.reconcile.offered_repairs import Action, as_case, offered
from booking.reconcile.strays import being_cancelled
from booking.transition import WISHES
from marketplace.catalog.models import Provider
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from marketplace.core.paging import Page, decode_cursor, encode_cursor
from marketplace.core.text import Text
from vip import roles
from vip.models import Operator
from vip.principal import Principal

MOST_LINES = 20


@dataclass(frozen=True)
class DiscrepancyView:
    """A discrepancy in the list. `subject` is a provider's reference or a public id; `reference` the booking's number,
    None without a booking. `units` and `money_minor` are the provider's books less ours."""

    id: str
    kind: str
    subject: str
    reference: str | None
    provider_code: str
    provider_name: Text
    opened_at: datetime
    closed_at: datetime | None = None
    resolution: str = ""
    units: int = 0
    money_minor: int = 0
    currency: str = ""


@dataclass(frozen=True)
class Filter:
    """Which discrepancies to list: open or closed ones, of a kind and a provider's code (blank: all)."""

    closed: bool = False
    kind: str = ""
    provider: str = ""


@dataclass(frozen=True)
class Counts:
    """How many open discrepancies there are, by kind and by provider's code, and how many closed ones."""

    kinds: Mapping[str, int]
    providers: Mapping[str, tuple[Text, int]]
    open: int
    closed: int


@dataclass(frozen=True)
class OurSide:
    """Our booking in a discrepancy. `references` are the provider's references and the role of each."""

    id: str
    reference: str
    state: str
    service_date: date
    starts_at: datetime | None
    time_zone: str
    offer: Text
    price_minor: int
    currency: str
    references: Mapping[str, str]


@dataclass(frozen=True)
class HistoryLine:
    """One event: the booking changed its state (`what` is the new one), or a repair was made (`what` is the action)."""

    at: datetime
    what: str
    repair: bool
    actor_kind: str
    actor: str
    cause: str = ""


@dataclass(frozen=True)
class CaseView:
    """One discrepancy in full. `commands` are those on their way to the provider, as (command, state). `asking` is true
    while the worker is still to ask the provider again, `cancelling` while it is to be cancelled there as nobody's.
    `delivered`: what the provider delivered can be read (booking.reconcile.delivered). `for_the_house`: as in Case."""

    discrepancy: DiscrepancyView
    facts: Mapping[str, Any]
    note: str
    ours: OurSide | None
    lines: Sequence[HistoryLine]
    commands: Sequence[tuple[str, str]]
    asking: bool
    cancelling: bool
    actions: Sequence[Action]
    delivered: bool = False
    for_the_house: bool = False


def discrepancies(
    principal: Principal, *, cursor: str | None, limit: int, wanted: Filter | None = None
) -> Page[DiscrepancyView]:
    """Discrepancies, newest first: those of the operator's insurer, and those that belong to no
    booking of ours."""
    wanted = wanted or Filter()
    query = (
        select(Discrepancy, Provider, Booking.reference)
        .join(Provider, Provider.id == Discrepancy.provider_id)
        .outerjoin(Booking, Booking.id == Discrepancy.booking_id)
        .where(
            Discrepancy.closed_at.is_not(None) if wanted.closed else Discrepancy.closed_at.is_(None),
            seen_by(principal),
        )
    )
    if wanted.kind:
        query = query.where(Discrepancy.kind == wanted.kind)
    if wanted.provider:
        query = query.where(Provider.code == wanted.provider)
    if cursor is not None:
        (last_id,) = decode_cursor(cursor, (int,))
        query = query.where(Discrepancy.id < last_id)
    with reading() as session:
        rows = session.execute(query.order_by(Discrepancy.id.desc()).limit(limit + 1)).all()
    found = [_difference(row.Discrepancy, row.Provider, row.reference) for row in rows[:limit]]
    return Page(found, encode_cursor([rows[limit - 1].Discrepancy.id]) if rows[limit:] else None)


def counts(principal: Principal) -> Counts:
    """The choices of the filters, with the number of open discrepancies for each."""
    base = (
        select(Discrepancy.kind, Provider, func.count().label("number"))
        .join(Provider, Provider.id == Discrepancy.provider_id)
        .outerjoin(Booking, Booking.id == Discrepancy.booking_id)
        .where(seen_by(principal))
    )
    with reading() as session:
        rows = session.execute(
            base.where(Discrepancy.closed_at.is_(None)).group_by(Discrepancy.kind, Provider.id)
        ).all()
        closed = session.scalar(
            select(func.count())
            .select_from(Discrepancy)
            .outerjoin(Booking, Booking.id == Discrepancy.booking_id)
            .where(seen_by(principal), Discrepancy.closed_at.is_not(None))
        )
    kinds: dict[str, int] = {}
    providers: dict[str, tuple[Text, int]] = {}
    for row in rows:
        kinds[row.kind] = kinds.get(row.kind, 0) + row.number
        name = Text(row.Provider.name_zh, row.Provider.name_en)
        providers[row.Provider.code] = (name, providers.get(row.Provider.code, (name, 0))[1] + row.number)
    return Counts(dict(sorted(kinds.items())), dict(sorted(providers.items())), sum(kinds.values()), closed or 0)


def find_case(principal: Principal, case_id: str) -> Discrepancy:
    """The discrepancy that an operator may see and repair: of her insurer, or without a booking. Raises NotFound."""
    query = (
        select(Discrepancy)
        .outerjoin(Booking, Booking.id == Discrepancy.booking_id)
        .where(Discrepancy.public_id == case_id, seen_by(principal))
    )
    with reading() as session:
        found = session.scalar(query)
    if found is None:
        raise NotFound()
    return found


def case(principal: Principal, case_id: str, *, now: datetime) -> CaseView:
    """One discrepancy in full. Audited as a look at the booking that it is about, if it is known. Raises NotFound."""
    found = find_case(principal, case_id)
    with transaction() as session:
        provider = session.get_one(Provider, found.provider_id)
        booking = session.get(Booking, found.booking_id) if found.booking_id is not None else None
        if booking is not None:
            record_look(session, principal, VIEWED, booking.public_id, now, case=found.public_id)
        asking, cancelling = _asking(session, found), being_cancelled(session, found)
        settles = as_case(session, found, booking)
        lines = [*_moves(session, booking), *_repairs(session, found)]
        return CaseView(
            discrepancy=_difference(found, provider, booking.reference if booking is not None else None),
            facts=found.facts,
            note=found.note,
            ours=_our_side(booking, _roles(session, booking)) if booking is not None else None,
            lines=sorted(lines, key=lambda line: line.at, reverse=True)[:MOST_LINES],
            commands=_commands(session, booking),
            asking=asking,
            cancelling=cancelling,
            actions=[each for each in offered(settles, now=now) if each != "cancel_there" or not cancelling],
            delivered=session.get(DeliveredRow, found.id) is not None,
            for_the_house=settles.for_the_house,
        )


def _roles(session: Session, booking: Booking) -> dict[str, str]:
    """What the provider has for the booking: references, and what each is to us."""
    known = select(ProviderBooking.reference, ProviderBooking.role).where(ProviderBooking.booking_id == booking.id)
    return {row.reference: row.role for row in session.execute(known)}


def _commands(session: Session, booking: Booking | None) -> list[tuple[str, str]]:
    """What is on its way to the provider, in order."""
    if booking is None:
        return []
    on_the_way = select(ProviderTask.command, ProviderTask.state).where(
        ProviderTask.booking_id == booking.id, ProviderTask.state.in_(UNFINISHED)
    )
    return [(row.command, row.state) for row in session.execute(on_the_way.order_by(ProviderTask.seq))]


def _moves(session: Session, booking: Booking | None) -> list[HistoryLine]:
    """The booking's newest moves."""
    if booking is None:
        return []
    history = select(BookingHistory).where(BookingHistory.booking_id == booking.id, BookingHistory.cause.not_in(WISHES))
    return [
        HistoryLine(move.at, move.to_state, False, move.actor_kind, move.actor, move.cause)
        for move in session.scalars(history.order_by(BookingHistory.version.desc()).limit(MOST_LINES))
    ]


def _repairs(session: Session, found: Discrepancy) -> list[HistoryLine]:
    """The newest lines of the audit about the case."""
    rows = session.execute(
        select(AuditLine, Operator.name)
        .outerjoin(Operator, Operator.public_id == AuditLine.actor)
        .where(AuditLine.subject == found.public_id)
        .order_by(AuditLine.id.desc())
        .limit(MOST_LINES)
    )
    lines = [(row.AuditLine, row.name or "") for row in rows]
    return [HistoryLine(it.at, it.facts.get("repair", it.action), True, "operator", name) for it, name in lines]


def _asking(session: Session, found: Discrepancy) -> bool:
    """Whether the worker is still to ask the provider again."""
    run = select(ReconcileRun.id).where(ReconcileRun.case_id == found.id, ReconcileRun.state.in_(("queued", "running")))
    return session.scalar(run) is not None


def _our_side(booking: Booking, references: Mapping[str, str]) -> OurSide:
    offer = booking.snapshot.get("offer", {})
    return OurSide(
        id=booking.public_id,
        reference=booking.reference,
        state=booking.state.value,
        service_date=booking.service_date,
        starts_at=booking.starts_at,
        time_zone=booking.time_zone,
        offer=Text.of(offer),
        price_minor=booking.price_minor,
        currency=booking.currency,
        references=references,
    )


def _difference(row: Discrepancy, provider: Provider, reference: str | None) -> DiscrepancyView:
    return DiscrepancyView(
        id=row.public_id,
        kind=row.kind,
        subject=row.subject,
        reference=reference,
        provider_code=provider.code,
        provider_name=Text(provider.name_zh, provider.name_en),
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        resolution=row.resolution,
        units=row.quota_units,
        money_minor=row.money_minor,
        currency=row.currency,
    )


def seen_by(principal: Principal) -> ColumnElement[bool]:
    """The condition that the operator may see a discrepancy, with its booking joined if it has one: of her insurer, or
    without a booking at a live provider. Raises NotFound without the duty."""
    roles.require(principal, "books")
    twins = select(Provider.id).where(Provider.twin_of.is_not(None))
    return or_(
        and_(Booking.id.is_(None), Discrepancy.provider_id.not_in(twins)), Booking.insurer_id == principal.insurer_id
    )
