"""Our books against the providers' ledgers, and against what was acknowledged to customers.

Works on plain rows, so that each rule can be tried without a database or a provider.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from drill.judge.books import Difference
from drill.judge.journal import Acknowledged

_THERE = {"confirmed", "checked_in", "in_service", "fulfilled", "no_show"}
_ENDED = {"cancelled", "rejected", "expired", "entered_in_error"}


@dataclass(frozen=True)
class Ours:
    """One of our bookings. `slot` and `pool` are the provider's names of the place it holds, blank if it holds none;
    `starts` is the moment in UTC or, for a whole day, its date."""

    id: str
    customer: str
    provider: str
    state: str
    version: int
    starts: str
    slot: str = ""
    pool: str = ""


@dataclass(frozen=True)
class Theirs:
    """One booking in a provider's ledger, by the provider's reference; `ours` is the reference we gave."""

    reference: str
    provider: str
    ours: str
    status: str
    live: bool
    starts: str
    slot: str
    pool: str


@dataclass(frozen=True)
class Step:
    """One line of a booking's history: from this version on it was in `state`. Where its time changed, `before` and
    `after` are the starts."""

    version: int
    state: str
    before: str = ""
    after: str = ""


def moment(starts_at: str | datetime | None, service_date: object) -> str:
    """A start as both sides can tell it: in UTC, or the date of a whole day."""
    if starts_at is None:
        return str(service_date)
    at = datetime.fromisoformat(starts_at) if isinstance(starts_at, str) else starts_at
    return at.astimezone(UTC).isoformat()


def with_providers(ours: Sequence[Ours], theirs: Sequence[Theirs], places: Mapping[str, int]) -> list[Difference]:
    """Each booking that is valid here lives there exactly once at the same time and place, and nothing else lives
    there but no-shows of dates that were given up; no slot was given away more often than it has places."""
    there: dict[tuple[str, str], list[Theirs]] = defaultdict(list)
    standing = _standing(ours, theirs)
    for booking in standing:
        there[booking.provider, booking.ours].append(booking)
    found: list[Difference] = []
    for own in ours:
        found += _pair(own, there.pop((own.provider, own.id), []))
    for nobodys in there.values():
        found += [Difference("theirs only", each.reference, {"ours": each.ours, "at": each.slot}) for each in nobodys]
    return [*found, *_oversold(theirs, places), *_sold(ours, standing)]


def _standing(ours: Sequence[Ours], theirs: Sequence[Theirs]) -> list[Theirs]:
    """What lives there. Where a booking of ours is there more than once, and is no no-show, a no-show there is of a
    date that it has left: nobody had to come."""
    times = Counter((booking.provider, booking.ours) for booking in theirs)
    missed = {(own.provider, own.id) for own in ours if own.state == "no_show"}
    left = {booking for booking, there in times.items() if there > 1} - missed
    return [
        each for each in theirs if each.live and not (each.status == "no_show" and (each.provider, each.ours) in left)
    ]


def _pair(own: Ours, live: Sequence[Theirs]) -> Iterator[Difference]:
    references = ", ".join(each.reference for each in live)
    if own.state in _ENDED and live:
        yield Difference("lives there, ended here", own.id, {"state": own.state, "theirs": references})
    elif own.state in _THERE and not live:
        yield Difference("ours only", own.id, {"state": own.state, "provider": own.provider})
    elif len(live) > 1:
        yield Difference("twice there", own.id, {"theirs": references})
    elif own.state in _THERE:
        other = live[0]
        if other.status != own.state:
            yield Difference("state differs", own.id, {"ours": own.state, "theirs": other.status})
        if (other.slot, other.starts) != (own.slot, own.starts):
            yield Difference("time differs", own.id, {"ours": own.slot, "theirs": other.slot})
    elif own.state not in _ENDED and live and live[0].starts != own.starts:
        yield Difference("time differs", own.id, {"ours": own.starts, "theirs": live[0].starts})


def _oversold(theirs: Sequence[Theirs], places: Mapping[str, int]) -> Iterator[Difference]:
    for (_, pool, slot), sold in Counter((each.provider, each.pool, each.slot) for each in theirs if each.live).items():
        if sold > places[pool]:
            yield Difference("sold more than there are places", slot, {"sold": sold, "places": places[pool]})


def _sold(ours: Sequence[Ours], theirs: Sequence[Theirs]) -> Iterator[Difference]:
    """Places per slot, counted on both sides; `theirs` is what lives there."""
    here = Counter((own.provider, own.slot) for own in ours if own.slot)
    there = Counter((each.provider, each.slot) for each in theirs)
    for provider, slot in sorted(here.keys() | there.keys()):
        if here[provider, slot] != there[provider, slot]:
            facts = {"ours": here[provider, slot], "theirs": there[provider, slot]}
            yield Difference("places differ", slot, facts)


@dataclass(frozen=True)
class Record:
    """What our books keep of the past: each booking's history, the kinds of changes and cancels ever asked for it, and
    who waits or waited in line (the entries' ids)."""

    history: Mapping[str, Sequence[Step]]
    asked: Mapping[str, Set[str]]
    waiting: Set[str] = frozenset()


def with_customers(ours: Sequence[Ours], answers: Sequence[Acknowledged], record: Record) -> list[Difference]:
    """Everything that was acknowledged to a customer is there."""
    known = {own.id: own for own in ours}
    made: dict[str, str] = {}
    found: list[Difference] = []
    for each in answers:
        if each.what == "wait":
            if each.booking not in record.waiting:
                found.append(Difference("acknowledged and lost", each.booking, {"told": each.what}))
            continue
        own = known.get(each.booking)
        if own is None or own.customer != each.customer:
            found.append(Difference("acknowledged and lost", each.booking, {"told": each.what, "state": each.state}))
            continue
        if each.key and made.setdefault(each.key, each.booking) != each.booking:
            found.append(Difference("one key made two bookings", each.booking, {"other": made[each.key]}))
        found += _honoured(each, own, record.history[each.booking], record.asked.get(each.booking, set()))
    return found


def _honoured(answer: Acknowledged, own: Ours, history: Sequence[Step], asked: Set[str]) -> Iterator[Difference]:
    facts = {"told": answer.what, "state": answer.state, "version": answer.version}
    then = [step.state for step in history if not answer.version or step.version <= answer.version]
    if answer.version > own.version:
        yield Difference("acknowledged and undone", own.id, {**facts, "version now": own.version})
    elif answer.what == "hold":
        if "held" not in then:
            yield Difference("acknowledged and undone", own.id, facts)
    elif not then or then[-1] != answer.state:
        yield Difference("told a state it was not in", own.id, {**facts, "was": then[-1] if then else "nothing"})
    if answer.starts and answer.starts != (starts := _starts(own, history, answer.version)):
        yield Difference("told a time it did not have", own.id, {**facts, "told": answer.starts, "was": starts})
    if answer.state in _ENDED and own.state != answer.state:
        yield Difference("acknowledged and undone", own.id, {**facts, "state now": own.state})
    if answer.change and answer.change not in asked:
        yield Difference("acknowledged and lost", own.id, {**facts, "change": answer.change})


def _starts(own: Ours, history: Sequence[Step], version: int) -> str:
    """The start that a booking had at a version."""
    moved = [step for step in history if step.after]
    then = [step.after for step in moved if step.version <= version]
    later = [step.before for step in moved if step.version > version]
    return [*then[-1:], *later[:1], own.starts][0]


_OURS = """
    SELECT b.public_id AS id, c.public_id AS customer, p.code AS provider, b.state, b.version, b.starts_at,
           b.service_date, coalesce(s.external_ref, '') AS slot, coalesce(l.external_ref, '') AS pool
      FROM booking b JOIN customer c ON c.id = b.customer_id JOIN provider p ON p.id = b.provider_id
      LEFT JOIN slot_claim k ON k.booking_id = b.id AND k.live
      LEFT JOIN slot s ON s.id = k.slot_id LEFT JOIN capacity_pool l ON l.id = s.pool_id
"""


def read_ours(connection: psycopg.Connection[Any]) -> list[Ours]:
    """All our bookings; one with two places comes twice."""
    return [
        Ours(
            row.id,
            row.customer,
            row.provider,
            row.state,
            row.version,
            moment(row.starts_at, row.service_date),
            row.slot,
            row.pool,
        )
        for row in connection.execute(_OURS).fetchall()
    ]


def read_record(connection: psycopg.Connection[Any]) -> Record:
    """All of the past."""
    waiting = connection.execute("SELECT public_id FROM waiting_entry").fetchall()
    return Record(_history(connection), _asked(connection), {row.public_id for row in waiting})


def _history(connection: psycopg.Connection[Any]) -> dict[str, list[Step]]:
    found: dict[str, list[Step]] = defaultdict(list)
    for row in connection.execute(
        "SELECT b.public_id AS id, h.version, h.to_state, h.facts FROM booking_history h"
        " JOIN booking b ON b.id = h.booking_id ORDER BY h.booking_id, h.version"
    ).fetchall():
        times = [row.facts.get(when) or {} for when in ("before", "after")]
        before, after = (moment(t.get("starts_at"), t.get("service_date")) if t else "" for t in times)
        found[row.id].append(Step(row.version, row.to_state, before, after))
    return found


def _asked(connection: psycopg.Connection[Any]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for row in connection.execute(
        "SELECT b.public_id AS id, r.kind FROM change_request r JOIN booking b ON b.id = r.booking_id"
    ).fetchall():
        found[row.id].add(row.kind)
    return found


_REPLACED = re.compile(r"^(bkg_[0-9a-z]+)-[0-9]+$")
"""Where a provider has no call for a change, the booking that replaces one carries our number with a suffix."""


def own_number(our_reference: str | None) -> str:
    """Our booking's public id in what a provider keeps of it; blank for none."""
    return _REPLACED.sub(r"\1", our_reference or "")


def read_theirs(provider: str, ledger: Sequence[Mapping[str, Any]]) -> list[Theirs]:
    """A provider's ledger as the sandbox's control tells it."""
    return [
        Theirs(
            reference=row["reference"],
            provider=provider,
            ours=own_number(row["our_reference"]),
            status=row["status"],
            live=row["live"],
            starts=moment(row["starts_at"], row["service_date"]),
            slot=row["slot"],
            pool=row["pool"],
        )
        for row in ledger
    ]
