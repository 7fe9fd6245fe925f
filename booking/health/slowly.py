"""Which providers answer more slowly than they usually do, as customers are told before they choose.

Told is only what is known: where too little came within a day, or too little is known of what is usual, nothing is
said. Days on which a provider is closed are left out, in what is judged and in what is usual. The row of the provider
says it, so that it costs a search nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from booking.answering.queue import unanswered
from booking.calls.breaker import Call
from booking.calls.models import ProviderBreaker
from booking.calls.waiting_commands import waiting_since
from booking.health import histogram
from booking.health.answers import ANSWERS
from booking.health.models import ASKED
from booking.health.open_days import OpenDays, open_days
from booking.health.usual import note_usual
from booking.models import Booking, BookingHistory
from booking.offers.answers_slowly import AnswersSlowly, SlowReason
from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading, transaction
from marketplace.core.logging import get_logger

log = get_logger(__name__)

LATELY = timedelta(days=1)
"""So far back is looked: over a whole day of those on which it works, whose night is in what is usual as well, and not
from midnight on."""
LEAST_LATELY = 5
"""Of so many requests it must be known how long they take."""
TIMES, MORE = 2.0, timedelta(minutes=15)
"""Slow is what takes twice as long as usual, and a quarter of an hour longer."""
PART_OF_PLEDGE = 0.5
"""Slow is, where nothing is known of what is usual, what takes half of the time in which an answer is promised."""
OPEN_FOR = timedelta(minutes=1)
"""So long the breaker of commands must be open: one that opens for a moment delays nobody noticeably."""


def note_slow(*, now: datetime) -> dict[str, int]:
    """Find who answers slowly and write it down. Returns how many providers do, and how many rows changed."""
    note_usual(now=now)
    with reading() as session:
        known = {
            row.id: row
            for row in session.execute(
                select(Provider.id, Provider.code, Provider.answers_slowly_since, Provider.answers_slowly_reason)
            )
        }
        found = slow_providers(session, now=now)
    changed = 0
    for provider_id, before in known.items():
        slow = found.get(provider_id)
        reason = slow.reason.value if slow else None
        if reason == before.answers_slowly_reason:
            continue
        with transaction() as session:
            session.execute(
                update(Provider)
                .where(Provider.id == provider_id)
                .values(answers_slowly_since=slow.since if slow else None, answers_slowly_reason=reason)
            )
        log.info("provider.answers_slowly", provider=before.code, reason=reason or "over")
        changed += 1
    return {"slow": len(found), "changed": changed}


def slow_providers(session: Session, *, now: datetime) -> dict[int, AnswersSlowly]:
    """Who answers slowly (internal ids), with the gravest reason. A provider whose places are ours (`allotment`) is not
    among them: its bookings are confirmed at once."""
    providers = session.scalars(select(Provider).where(~Provider.allotment)).all()
    unreached = _not_reached(session, now)
    not_taken = waiting_since(session, now=now)
    slower = _slower(session, providers, now)
    found: dict[int, AnswersSlowly] = {}
    for each in providers:
        if each.paused_at is not None:
            found[each.id] = AnswersSlowly(each.paused_at, SlowReason.PAUSED)
        elif each.id in unreached:
            found[each.id] = AnswersSlowly(unreached[each.id], SlowReason.NOT_REACHED)
        elif each.id in not_taken:
            found[each.id] = AnswersSlowly(not_taken[each.id], SlowReason.NOT_TAKEN)
        elif each.id in slower:
            found[each.id] = AnswersSlowly(now, SlowReason.SLOWER)
    return found


def _not_reached(session: Session, now: datetime) -> dict[int, datetime]:
    rows = session.execute(
        select(ProviderBreaker.provider_id, ProviderBreaker.opened_at).where(
            ProviderBreaker.call == Call.COMMANDS.value, ProviderBreaker.opened_at <= now - OPEN_FOR
        )
    )
    return {row.provider_id: row.opened_at for row in rows}


def _slower(session: Session, providers: Sequence[Provider], now: datetime) -> set[int]:
    """Those of whose requests of the last day at least half were slow. What still waits is one of them, slow as soon as
    it has waited for that long; as long as it has not, nothing more is known of it, and it counts as quick."""
    limits = {
        each.id: slow_from(each.usual_answer_ms, timedelta(hours=each.answer_hours)).total_seconds() * 1000
        for each in providers
    }
    days = open_days(session, limits, now=now)
    answered = _answered(session, limits, days, now)
    waits = _waiting(session, days, now)
    slow = set[int]()
    for provider_id, limit in limits.items():
        number, late = answered.get(provider_id, (0, 0))
        ages = waits.get(provider_id, ())
        overdue = sum(age >= limit for age in ages)
        known, every = number + overdue, number + len(ages)
        if known >= LEAST_LATELY and 2 * (late + overdue) >= every:
            slow.add(provider_id)
    return slow


def judged(session: Session, providers: Sequence[Provider], now: datetime) -> set[int]:
    """Those of whose answers of the last day enough are known to say whether it is slow (internal ids)."""
    limits = dict.fromkeys((each.id for each in providers), 0.0)
    answered = _answered(session, limits, open_days(session, limits, now=now), now)
    return {provider_id for provider_id, (number, _late) in answered.items() if number >= LEAST_LATELY}


def slow_from(usual_ms: int | None, pledge: timedelta) -> timedelta:
    """From how long an answer is slow; `usual_ms` as in the provider's row."""
    if usual_ms is None:
        return pledge * PART_OF_PLEDGE
    normal = timedelta(milliseconds=usual_ms)
    return max(normal * TIMES, normal + MORE)


_ANSWERED = text(
    f"""
    SELECT c.provider_id, sum(c.calls)::bigint AS number,
           sum((SELECT coalesce(sum(one), 0) FROM unnest(c.histogram[l.step + 1 :]) AS u(one)))::bigint AS late
      FROM provider_call_count c
      JOIN unnest(CAST(:providers AS bigint[]), CAST(:steps AS bigint[]), CAST(:since AS timestamptz[]))
           AS l(provider_id, step, since) USING (provider_id)
     WHERE c.call = '{ANSWERS}' AND c.at > :first AND c.at > l.since AND c.at <= :now
     GROUP BY c.provider_id
    """
)


def _answered(
    session: Session, limits: Mapping[int, float], days: Mapping[int, OpenDays], now: datetime
) -> dict[int, tuple[int, int]]:
    """How many answers of the last day each provider gave, and how many of them took its limit (milliseconds)."""
    steps = [histogram.first_step(limit) for limit in limits.values()]
    since = [days[provider_id].back(now, LATELY) for provider_id in limits]
    values = {"providers": list(limits), "steps": steps, "since": since, "first": min(since, default=now), "now": now}
    return {row.provider_id: (row.number, row.late) for row in session.execute(_ANSWERED, values)}


def _waiting(session: Session, days: Mapping[int, OpenDays], now: datetime) -> dict[int, list[float]]:
    """For how long (milliseconds) each provider's open requests have waited for its answer."""
    asked = (
        select(func.max(BookingHistory.at))
        .where(BookingHistory.booking_id == Booking.id, text(ASKED))
        .correlate(Booking)
        .scalar_subquery()
    )
    found: dict[int, list[float]] = defaultdict(list)
    for row in session.execute(select(Booking.provider_id, asked.label("asked_at")).where(unanswered())):
        if row.asked_at is not None and row.provider_id in days:
            found[row.provider_id].append(days[row.provider_id].within(row.asked_at, now).total_seconds() * 1000)
    return found
