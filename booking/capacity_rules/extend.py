"""Making a pool's slots from its rules, for as many days as its horizon has: after each change, and each night.

The slots are published as a provider's program would publish them (`booking.sync.publish`), so that nothing is unsold
and what older rules made never overwrites what newer ones did. The same rules lead to the same slots, however often
they are published and wherever it was broken off before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select, update

from booking.capacity_rules.calendars import rules_of, slots_from
from booking.capacity_rules.holidays import public_holidays
from booking.capacity_rules.models import PoolCalendar
from booking.capacity_rules.plan import PlannedSlot, planned
from booking.models import Slot
from booking.sync.publish import Call, publish_slots
from marketplace.catalog.models import CapacityPool, Provider, Site
from marketplace.core.clock import today
from marketplace.core.database.db import reading, transaction
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import RUN_SECONDS, one_by_one
from providers.registry import answering_here
from providers.reported import RemoteSlot

log = get_logger(__name__)

Clock = Callable[[], datetime]

LEASE = timedelta(seconds=60)
"""How long a process that was killed while it published keeps others from it; the versions guard the slots anyway."""
ROUNDS = 5
"""How often the rules may change while they are published before that is left for the next time."""


@dataclass(frozen=True)
class _Work:
    """What is published: the lines, and under which lease."""

    provider_id: int
    lease: int
    version: int
    on: date
    edition: str
    lines: Sequence[RemoteSlot]


def extend_calendars(*, now: datetime, clock: Clock | None = None) -> dict[str, int]:
    """Publish all calendars whose slots in the books are not those of today and of the newest rules. Returns counts.
    `clock` as of `publish_calendar`."""
    local_day = func.date(func.timezone(Site.time_zone, now))
    behind = or_(
        PoolCalendar.published_version.is_distinct_from(PoolCalendar.version),
        PoolCalendar.published_on.is_(None),
        PoolCalendar.published_on < local_day,
        PoolCalendar.published_edition != public_holidays().edition,
    )
    with reading() as session:
        due = session.scalars(
            select(PoolCalendar.pool_id)
            .join(CapacityPool, CapacityPool.id == PoolCalendar.pool_id)
            .join(Site, Site.id == CapacityPool.site_id)
            .join(Provider, Provider.id == CapacityPool.provider_id)
            .where(behind, Provider.adapter.in_(answering_here()), _unleased(now))
            .order_by(PoolCalendar.pool_id)
        ).all()
    work = Counter(
        one_by_one("calendars", due, lambda pool: publish_calendar(pool, now=now, clock=clock), seconds=RUN_SECONDS)
    )
    return dict(work)


def publish_calendar(pool_id: int, *, now: datetime, clock: Clock | None = None) -> str:
    """Publish a pool's slots by its rules as they are now. `published`; `busy` where another process is at it, or the
    rules change all the time: the next run carries on. Each lease begins when `clock` says that it is taken, which in a
    long run is later than `now` (None: then). Raises Busy, TooMany; what was published until then stays."""
    for _ in range(ROUNDS):
        work = _begin(pool_id, now if clock is None else clock())
        if work is None:
            return "busy"
        answers = publish_slots(Call(work.provider_id, "calendar", None, now, keeps_sold=True), work.lines)
        wrong = sum(each.status in ("refused", "outdated") for each in answers)
        if wrong:
            log.warning("calendar.not_applied", pool=pool_id, slots=wrong)
        if _end(pool_id, work, complete=wrong == 0):
            return "published" if wrong == 0 else "incomplete"
    return "busy"


def _unleased(now: datetime) -> ColumnElement[bool]:
    return or_(PoolCalendar.lease_until.is_(None), PoolCalendar.lease_until <= now)


def _begin(pool_id: int, now: datetime) -> _Work | None:
    """Take the lease, and read what is to be published under it. None while another has it.

    Slots that a program published for the pool with higher versions count as older than these from now on.
    """
    with transaction() as session:
        calendar = session.scalar(
            select(PoolCalendar)
            .where(PoolCalendar.pool_id == pool_id, _unleased(now))
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        if calendar is None:
            return None
        pool, zone = session.execute(
            select(CapacityPool, Site.time_zone)
            .join(Site, Site.id == CapacityPool.site_id)
            .where(CapacityPool.id == pool_id)
        ).one()
        on, holidays = today(zone, now), public_holidays()
        known = slots_from(session, pool_id, on)
        calendar.version = max([calendar.version, *(each.version for each in known)])
        calendar.lease, calendar.lease_until = calendar.lease + 1, now + LEASE
        wanted = list(planned(rules_of(session, calendar), holidays, zone, on))
        lines = lines_of(pool.external_ref, wanted, known, calendar.version)
        return _Work(pool.provider_id, calendar.lease, calendar.version, on, holidays.edition, lines)


def _end(pool_id: int, work: _Work, *, complete: bool) -> bool:
    """Note what was published and give the lease back. Whether nothing is left to do: the rules haven't changed and
    nobody has taken the lease meanwhile."""
    with transaction() as session:
        published = {
            "published_version": work.version if complete else PoolCalendar.published_version,
            "published_on": work.on,
            "published_edition": work.edition,
        }
        version = session.scalar(
            update(PoolCalendar)
            .where(PoolCalendar.pool_id == pool_id, PoolCalendar.lease == work.lease)
            .values(lease_until=None, **published)
            .returning(PoolCalendar.version)
        )
    return version == work.version


def lines_of(pool: str, wanted: Sequence[PlannedSlot], known: Sequence[Slot], version: int) -> list[RemoteSlot]:
    """What to publish so that a pool whose slots are `known` has those that are `wanted`, and no other open one.

    A slot that is there at that time already, whoever made it, is taken over with what is sold of it. Where something
    is, its end stays as it was promised. What isn't wanted any more is closed and keeps its figure.
    """
    standing: dict[object, Slot] = {}
    for slot in sorted(known, key=lambda each: (each.closed, -each.taken, each.id)):
        standing.setdefault((slot.service_date, slot.starts_at), slot)
    used, lines = set[int](), []
    for each in wanted:
        there, ends_at = standing.get(each.key), each.ends_at
        if there is not None:
            used.add(there.id)
            ends_at = there.ends_at if there.taken else each.ends_at
        reference = reference_of(each) if there is None else there.external_ref
        lines.append(RemoteSlot(pool, reference, each.day, each.starts_at, ends_at, each.places, version=version))
    named = {line.reference for line in lines}
    for slot in known:
        if slot.id not in used and not slot.closed and slot.external_ref not in named:
            times = slot.service_date, slot.starts_at, slot.ends_at
            lines.append(RemoteSlot(pool, slot.external_ref, *times, slot.offered, closed=True, version=version))
    return lines


def reference_of(slot: PlannedSlot) -> str:
    """What a new slot is called: the day, and when it begins by the clock on the site's wall."""
    day = slot.day.isoformat()
    return day if slot.minute is None else f"{day}T{slot.minute // 60:02}:{slot.minute % 60:02}"
