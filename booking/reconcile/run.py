"""A reconciliation run: fetch all of a provider's bookings in the window, compare them with ours, examine each suspect.

Runs are started at intervals, or by an operator; at most one runs for a provider at a time. If the list cannot be read
to its end the run fails: an incomplete list is never compared.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import exists, func, literal_column, select

from booking.actors import CLOCK, Actor
from booking.calls.connections import ProviderConnection
from booking.discrepancies import Discrepancy
from booking.feeds.unreadable import close_read, end_full_read, mostly_unreadable, record_rows
from booking.models import Booking, Feed, ProviderBooking, ProviderTask
from booking.outbox import UNFINISHED
from booking.reconcile.compare import KINDS, Found, Kind, Ours, compare, newest
from booking.reconcile.examine import Suspect, examine
from booking.reconcile.queue import NAMELESS, LostLease, Run, begin, due, end, go_on
from booking.references import named
from marketplace.catalog.kinds import has_times
from marketplace.catalog.models import Provider
from marketplace.core.clock import today
from marketplace.core.database.db import reading
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import one_by_one
from providers.port import ProviderAdapter, ProviderError
from providers.reported import RemoteBooking, UnreadableRow

log = get_logger(__name__)

PAST = timedelta(days=35)
AHEAD = timedelta(days=400)
MOST_PAGES = 10_000
MOST_SUSPECTS = 2_000
"""How many suspects one run examines; the next run continues with the rest."""

DAYS_STORED = 8
"""How many past days of the provider's list are stored with the run, for closing statements that are made late."""

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Row:
    """A booking of ours in the window, with what a closing statement needs."""

    ours: Ours
    id: int
    insurer_id: int
    price_minor: int
    currency: str


def run_due(
    provider: ProviderConnection, adapter: ProviderAdapter, *, every: timedelta, clock: Clock
) -> dict[str, int]:
    """Carry out the queued runs, then one more if `every` has passed since the last. Returns counts.

    Raises ProviderError if the provider's list cannot be read; the run is recorded as failed.
    """
    counts = Counter[str]()
    while (run := begin(provider.id, None, now=clock())) is not None:
        counts.update(carry_out(provider, adapter, run, clock=clock))
    if due(provider.id, every, clock()) and (run := begin(provider.id, CLOCK, now=clock())) is not None:
        counts.update(carry_out(provider, adapter, run, clock=clock))
    return dict(counts)


def run_now(
    provider: ProviderConnection, adapter: ProviderAdapter, by: Actor, *, clock: Clock
) -> dict[str, int] | None:
    """Carry out a run at once. Returns counts, None if another one is running. Raises ProviderError."""
    run = begin(provider.id, by, now=clock())
    return None if run is None else carry_out(provider, adapter, run, clock=clock)


def carry_out(provider: ProviderConnection, adapter: ProviderAdapter, run: Run, *, clock: Clock) -> dict[str, int]:
    """Carry out a run that has begun, and record how it ended. Returns counts. Raises ProviderError, LostLease."""
    try:
        if run.case_id is None:
            counts, theirs = _everything(provider, adapter, run, clock)
        else:
            counts, theirs = _one_case(provider, adapter, run, clock), {}
    except ProviderError as problem:
        end(run, "failed", clock(), reason=str(problem)[:200] or type(problem).__name__)
        raise
    end(run, "done", clock(), counts=dict(counts), theirs=theirs)
    log.info("reconcile.done", provider=provider.code, run=run.public_id, **counts)
    return dict(counts)


def _everything(
    provider: ProviderConnection, adapter: ProviderAdapter, run: Run, clock: Clock
) -> tuple[Counter[str], dict[str, list[dict[str, Any]]]]:
    began = clock()
    day = today(provider.connection.time_zone, began)
    theirs, unreadable = _fetch(adapter, run, day - PAST, day + AHEAD, clock)
    _record(provider.id, theirs, unreadable, began)
    rows = [_unless_unreadable(row, unreadable) for row in our_bookings(provider.id, day - PAST, day + AHEAD)]
    counts = Counter(listed=len(theirs), compared=sum(not row.ours.busy for row in rows))
    if unreadable:
        counts["unreadable"] = len(unreadable)
    if any(row.nameless for row in unreadable):
        counts[NAMELESS] = sum(row.nameless for row in unreadable)
    suspects = _suspects(provider.id, rows, theirs, unreadable)
    counts["found"] = len(suspects)
    counts.update(_examine(provider, adapter, run, suspects[:MOST_SUSPECTS], clock))
    counts["left"] = max(0, len(suspects) - MOST_SUSPECTS)
    return counts, _their_days(rows, theirs, day)


def _record(
    provider_id: int, theirs: Sequence[RemoteBooking], unreadable: Sequence[UnreadableRow], began: datetime
) -> None:
    """Record what could not be read of the whole list, and close what could."""
    record_rows(provider_id, Feed.BOOKINGS, unreadable, now=began)
    close_read(provider_id, Feed.BOOKINGS, [remote.reference for remote in theirs], now=began)
    end_full_read(provider_id, Feed.BOOKINGS, nameless=any(row.nameless for row in unreadable), now=began)


def _unless_unreadable(row: Row, unreadable: Sequence[UnreadableRow]) -> Row:
    """Our booking, not to be compared if the provider lists something about it that could not be read."""
    if any(each.reference in row.ours.references or _about(each) == row.ours.booking for each in unreadable):
        return replace(row, ours=replace(row.ours, busy=True))
    return row


def _about(row: UnreadableRow) -> str | None:
    return named(row.our_reference)[0] or None


def _fetch(
    adapter: ProviderAdapter, run: Run, start: date, end: date, clock: Clock
) -> tuple[list[RemoteBooking], list[UnreadableRow]]:
    """All of the provider's bookings from `start` to `end`, and the rows that could not be read. Raises ProviderError
    if the list cannot be read to its end, or most of it cannot be."""
    theirs: list[RemoteBooking] = []
    unreadable: list[UnreadableRow] = []
    page: str | None = None
    for _ in range(MOST_PAGES):
        part = adapter.bookings_in(start, end, page)
        theirs.extend(part.bookings)
        unreadable.extend(part.unreadable)
        go_on(run, clock())
        page = part.next
        if page is None and mostly_unreadable(len(theirs), len(unreadable)):
            raise ProviderError("most of the list cannot be read")
        if page is None:
            return newest(theirs), unreadable
    raise ProviderError("a list without an end")


def our_bookings(provider_id: int, start: date, end: date) -> list[Row]:
    """Our bookings with a service date from `start` to `end`, both included, as of one moment (one statement)."""
    busy = exists().where(ProviderTask.booking_id == Booking.id, ProviderTask.state.in_(UNFINISHED))
    known = (
        select(func.jsonb_object_agg(ProviderBooking.reference, ProviderBooking.role))
        .where(ProviderBooking.booking_id == Booking.id)
        .scalar_subquery()
    )
    with reading() as session:
        rows = session.execute(
            select(
                Booking.id,
                Booking.public_id,
                Booking.insurer_id,
                Booking.state,
                Booking.service_date,
                Booking.starts_at,
                Booking.kind,
                Booking.price_minor,
                Booking.currency,
                Provider.allotment,
                busy.label("busy"),
                func.coalesce(known, literal_column("'{}'::jsonb")).label("known"),
            )
            .join(Provider, Provider.id == Booking.provider_id)
            .where(Booking.provider_id == provider_id, Booking.service_date.between(start, end))
            .order_by(Booking.id)
        ).all()
    return [
        Row(
            Ours(
                row.public_id,
                row.state,
                row.service_date,
                row.starts_at,
                row.known,
                row.allotment,
                row.busy,
                timeless=not has_times(row.kind),
            ),
            row.id,
            row.insurer_id,
            row.price_minor,
            row.currency,
        )
        for row in rows
    ]


def _suspects(
    provider_id: int, rows: Sequence[Row], theirs: Sequence[RemoteBooking], unreadable: Sequence[UnreadableRow]
) -> list[Suspect]:
    """What differs between the lists, and every open discrepancy, which may have ended. What the provider lists and
    could not be read is not absent: nothing is judged by that, and nothing at all is absent from a list with a row that
    cannot be named."""
    hidden = {each.reference for each in unreadable} | {_about(each) for each in unreadable}
    complete = not any(each.nameless for each in unreadable)
    ids = {row.ours.booking: row.id for row in rows}
    listed: dict[str, list[RemoteBooking]] = defaultdict(list)
    for remote in theirs:
        listed[named(remote.our_reference)[0]].append(remote)
    suspects: dict[tuple[Kind, str], Suspect] = {}
    for found in compare([row.ours for row in rows], theirs, complete=complete):
        suspects[found.key] = _suspect(found, ids, listed)
    for case in open_cases(provider_id):
        if hidden.intersection((case.reference, case.our_reference)) - {None}:
            continue
        suspects.setdefault((case.kind, case.subject), case)
    return list(suspects.values())


def _suspect(found: Found, ids: Mapping[str, int], listed: Mapping[str, list[RemoteBooking]]) -> Suspect:
    ours = found.booking or (named(found.theirs.our_reference)[0] if found.theirs is not None else None)
    entries = tuple(listed.get(ours or "", ())) if ours else tuple([found.theirs] if found.theirs else [])
    return Suspect(found.kind, found.subject, ids.get(found.booking or ""), ours, found.reference, entries)


def open_cases(provider_id: int, case_id: int | None = None) -> list[Suspect]:
    """The open discrepancies of a provider that a comparison can explain, or one of them."""
    query = (
        select(Discrepancy, Booking.public_id)
        .outerjoin(Booking, Booking.id == Discrepancy.booking_id)
        .where(Discrepancy.provider_id == provider_id, Discrepancy.closed_at.is_(None), Discrepancy.kind.in_(KINDS))
        .order_by(Discrepancy.id)
    )
    if case_id is not None:
        query = query.where(Discrepancy.id == case_id)
    with reading() as session:
        return [_case(row.Discrepancy, row.public_id) for row in session.execute(query)]


def _case(case: Discrepancy, booking: str | None) -> Suspect:
    theirs = case.kind in ("theirs_only", "duplicate_there")
    reference = case.subject if theirs else case.facts.get("reference")
    ours = booking or case.facts.get("our_reference") or None
    return Suspect(case.kind, case.subject, case.booking_id, ours, reference)  # type: ignore[arg-type]


def _one_case(provider: ProviderConnection, adapter: ProviderAdapter, run: Run, clock: Clock) -> Counter[str]:
    return _examine(provider, adapter, run, open_cases(provider.id, run.case_id), clock)


def _examine(
    provider: ProviderConnection, adapter: ProviderAdapter, run: Run, suspects: Sequence[Suspect], clock: Clock
) -> Counter[str]:
    """Examine each suspect; one that cannot be decided is left for the next run. Returns counts by verdict."""

    def judge(row: tuple[str, Suspect]) -> str:
        go_on(run, clock())
        return examine(provider, adapter, row[1], clock=clock)

    rows = [(f"{suspect.kind}:{suspect.subject}", suspect) for suspect in suspects]
    return one_by_one(f"reconcile:{provider.code}", rows, judge, ends=(ProviderError, LostLease))


def _their_days(rows: Sequence[Row], theirs: Sequence[RemoteBooking], today: date) -> dict[str, list[dict[str, Any]]]:
    """The last days of the provider's list: for each service date, insurer (0: unknown), status and currency, how many
    bookings and their money at the prices stored with ours."""
    by_reference = {reference: row for row in rows for reference in row.ours.references}
    by_id = {row.ours.booking: row for row in rows}
    sums: dict[tuple[str, int, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for remote in theirs:
        if remote.service_date is None or not today - timedelta(days=DAYS_STORED) <= remote.service_date <= today:
            continue
        row = by_reference.get(remote.reference) or by_id.get(named(remote.our_reference)[0])
        key = (
            remote.service_date.isoformat(),
            row.insurer_id if row else 0,
            remote.status,
            row.currency if row else "",
        )
        sums[key][0] += 1
        sums[key][1] += row.price_minor if row else 0
    days: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for (day, insurer, status, currency), (number, minor) in sorted(sums.items()):
        days[day].append(
            {"insurer": insurer, "status": status, "currency": currency, "count": number, "amount_minor": minor}
        )
    return dict(days)
