"""A silent or busy provider: when a command is asked about again, or sent again."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from booking.actors import SYSTEM
from booking.calls.breaker import pause
from booking.models import Booking, ProviderTask
from booking.states import BookingState
from booking.transition import move, touch

UNKNOWN_BACKOFF = (1, 2, 5, 10, 20, 30, 60)
"""Seconds between look-ups of an open outcome; the last repeats."""


def queue_unsent(task: ProviderTask, now: datetime, seconds: float, *, reached: bool) -> None:
    """The provider took nothing of a command that it has never been sent before: queue it as if unsent."""
    task.state = "queued"
    task.first_sent_at = None
    task.lease_until = None
    task.run_after = now + pause(seconds)
    task.last_error = "retry_after" if reached else "unreached"
    task.silent_since = task.silent_since or now


def leave_unknown(session: Session, task: ProviderTask, booking: Booking, detail: str, now: datetime) -> None:
    """Record that the outcome of a command is unknown, with the reason; it is looked up after `backoff`."""
    if task.unknown_since is None and task.change_request_id is not None and task.last_error != detail:
        touch(booking, now=now)  # an open page shows that the answer is being looked up
    task.last_error = detail[:200]
    look_up_later(session, task, booking, now + backoff(task), now)


def look_up_later(session: Session, task: ProviderTask, booking: Booking, at: datetime, now: datetime) -> None:
    """Let the outcome of a command be looked up at `at`; a booking that awaits the provider becomes outcome_unknown."""
    task.state = "unknown"
    task.unknown_since = task.unknown_since or now
    task.silent_since = task.silent_since or now
    task.lease_until = None
    task.run_after = at
    if task.command == "reserve" and booking.state is BookingState.AWAITING_PROVIDER:
        move(session, booking, BookingState.OUTCOME_UNKNOWN, actor=SYSTEM, now=now, cause="no_clear_answer")


def backoff(task: ProviderTask) -> timedelta:
    """The pause before the next look-up, longer with each try."""
    return timedelta(seconds=UNKNOWN_BACKOFF[min(task.tries, len(UNKNOWN_BACKOFF)) - 1])


def queue_again(task: ProviderTask, now: datetime) -> None:
    """Queue a command that had no effect at the provider: it is sent again at once under the same key."""
    task.state = "queued"
    task.first_sent_at = None
    task.unknown_since = None
    task.lease_until = None
    task.last_error = ""
    task.run_after = now
