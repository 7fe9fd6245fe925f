"""Carrying a test out: claim, call, settle. No transaction is open while the system is called.

A test only reads, so one whose lease has passed is carried out again, by whoever comes first.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from booking.calls.join import System, connection_to
from booking.joining.models import SystemTest
from booking.joining.outcomes import Outcome, outcome_of
from booking.joining.secret import KEPT, RECORD
from marketplace.catalog.models import Provider
from marketplace.core.crypto import Unreadable, unseal_master
from marketplace.core.database.db import transaction
from marketplace.core.database.retention import forget
from marketplace.core.errors import Refusal
from marketplace.core.logging import get_logger
from marketplace.core.one_by_one import RUN_SECONDS
from marketplace.core.strictjson import made_storable
from marketplace.core.text import Text
from providers.adapters.http import NoAnswer, Reply, overhear
from providers.port import Connection, ProviderAdapter, ProviderError, try_out
from providers.registry import connect

log = get_logger(__name__)

LEASE = timedelta(minutes=2)
"""Longer than the calls of a test take, each of them ten seconds at most."""
AT_ONCE = 4
"""So many tests run beside each other: one that waits for its system's answer keeps no other provider waiting."""
MOST_TRIES = 3
MOST_CALLS = 10
"""Of the calls of one test, so many are shown."""
LONGEST_ASKED = 120
FORGOTTEN_AFTER = timedelta(days=90)
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class _Claimed:
    """A test that this process carries out. `adapter` is None where its values cannot be used."""

    id: int
    public_id: str
    tries: int
    adapter: ProviderAdapter | None = field(repr=False)
    zone: str


@dataclass(frozen=True)
class _Came:
    """What came of it."""

    outcome: Outcome
    milliseconds: int | None = None
    calls: tuple[Mapping[str, Any], ...] = ()
    missing: tuple[Text, ...] = ()


def carry_out_tests(clock: Clock, *, seconds: float = RUN_SECONDS) -> dict[str, int]:
    """Carry out the tests that are asked for, the oldest first and AT_ONCE beside each other. None begins after so many
    `seconds`. Returns counts by outcome."""
    until = time.monotonic() + seconds
    first = _claim(clock())
    if first is None:
        return {}
    with ThreadPoolExecutor(AT_ONCE, "system_test") as pool:
        runs = [pool.submit(_one_after_another, claimed, clock, until) for claimed in (first, *[None] * (AT_ONCE - 1))]
    return dict(sum((run.result() for run in runs), Counter[str]()))


def _one_after_another(claimed: _Claimed | None, clock: Clock, until: float) -> Counter[str]:
    """One thread's tests, of which `claimed` is the first."""
    counts = Counter[str]()
    while (claimed := claimed or _claim(clock())) is not None:
        counts[_settle(claimed, _tried(claimed, clock()), clock())] += 1
        if time.monotonic() > until:
            break
        claimed = None
    return counts


def forget_tests(*, now: datetime) -> dict[str, int]:
    """Erase the secrets that were kept for their hour, and forget tests of long ago; returns counts."""
    old = (SystemTest.secret_sealed.is_not(None), SystemTest.asked_at <= now - KEPT)
    with transaction() as session:
        erased = session.execute(
            update(SystemTest).where(*old).values(secret_sealed=None).returning(SystemTest.id)
        ).all()
    forgotten = forget(SystemTest.id, SystemTest.asked_at, now - FORGOTTEN_AFTER, 500)
    return {"erased": len(erased), "forgotten": forgotten}


def _claim(now: datetime) -> _Claimed | None:
    """The test that waits longest; None if there is none. One that was stopped too often is given up."""
    free = or_(SystemTest.state == "queued", (SystemTest.state == "running") & (SystemTest.lease_until <= now))
    with transaction() as session:
        request = session.scalar(
            select(SystemTest).where(free).order_by(SystemTest.id).limit(1).with_for_update(skip_locked=True)
        )
        if request is None:
            return None
        request.state, request.tries, request.lease_until = "running", request.tries + 1, now + LEASE
        provider = session.get_one(Provider, request.provider_id)
        adapter = _adapter(session, request, provider, now)
        return _Claimed(request.id, request.public_id, request.tries, adapter, provider.time_zone)


def _adapter(session: Session, row: SystemTest, provider: Provider, now: datetime) -> ProviderAdapter | None:
    """The adapter with the proposed values, which were judged when the test was asked for."""
    if row.asked_at <= now - KEPT:
        return None
    try:
        secret = "" if row.secret_sealed is None else unseal_master(row.secret_sealed, RECORD.format(row.public_id))
        link: Connection = connection_to(session, provider, System(row.adapter, row.base_url, row.settings, secret))
        return connect(row.adapter, link)
    except (Refusal, Unreadable, KeyError, ValueError) as wrong:
        log.warning("system_test.unusable", test=row.public_id, reason=type(wrong).__name__)
        return None


def _tried(claimed: _Claimed, now: datetime) -> _Came:
    """Call the system."""
    if claimed.tries > MOST_TRIES:
        return _Came(Outcome.GIVEN_UP)
    if claimed.adapter is None:
        return _Came(Outcome.UNUSABLE)
    missing: tuple[Text, ...] = ()
    began = time.monotonic()
    with _heard() as calls:
        try:
            missing = tuple(try_out(claimed.adapter, now.astimezone(ZoneInfo(claimed.zone)).date()))
            outcome = Outcome.MISSING if missing else Outcome.FIT
        except ProviderError as problem:
            outcome = outcome_of(problem, calls)
        except Exception as broken:  # whatever the system said, it is that provider's and holds up no other's test
            log.exception("system_test.broken", test=claimed.public_id, error=type(broken).__name__, exc_info=False)
            outcome = Outcome.NOT_UNDERSTOOD
    return _Came(outcome, round((time.monotonic() - began) * 1000), tuple(calls[:MOST_CALLS]), missing)


@contextmanager
def _heard() -> Iterator[list[dict[str, Any]]]:
    """What is asked of the system meanwhile, and the status that came, without bodies, headers and parameters."""
    calls: list[dict[str, Any]] = []

    def heard(asked: str, _parts: Mapping[str, Any], came: Reply | NoAnswer) -> None:
        status = came.status if isinstance(came, Reply) else None
        calls.append({"asked": made_storable(asked.partition("?")[0][:LONGEST_ASKED]), "status": status})

    token = overhear.set(heard)
    try:
        yield calls
    finally:
        overhear.reset(token)


def _settle(claimed: _Claimed, came: _Came, now: datetime) -> str:
    """Record the end; `overtaken` if somebody else has the test since, and nothing is recorded."""
    mine = (SystemTest.id == claimed.id, SystemTest.tries == claimed.tries, SystemTest.state == "running")
    end: dict[str, Any] = {
        "state": "done",
        "lease_until": None,
        "finished_at": now,
        "outcome": came.outcome.value,
        "milliseconds": came.milliseconds,
        "calls": list(came.calls),
        "missing": [{name: made_storable(text) for name, text in each._asdict().items()} for each in came.missing],
    }
    if came.outcome is not Outcome.FIT:
        end["secret_sealed"] = None
    with transaction() as session:
        ended = session.execute(update(SystemTest).where(*mine).values(**end).returning(SystemTest.id)).one_or_none()
    outcome = "overtaken" if ended is None else came.outcome.value
    log.info("system_test.ended", test=claimed.public_id, outcome=outcome, ms=came.milliseconds)
    return outcome
