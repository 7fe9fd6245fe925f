"""What a test may come to, told from what the adapter raised and what was heard of its calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from providers.adapters.http import NOT_PUBLIC, TOO_LATE, NoAnswer
from providers.port import ComeBackLater, NotAuthorised, Oversize, ProviderError


class Outcome(StrEnum):
    """The end of a test. Only what is `fit` can be connected."""

    FIT = "fit"
    MISSING = "missing"
    """It can be reached, and lacks something that we need."""
    NOT_AUTHORISED = "not_authorised"
    ASKS_TO_WAIT = "asks_to_wait"
    NOT_PUBLIC = "not_public"
    """Its name leads to an address that we may not call."""
    TOO_LATE = "too_late"
    UNREACHABLE = "unreachable"
    """No connection came about: nothing was sent."""
    TLS = "tls"
    """Its certificate is not one that we trust, or it speaks no TLS there."""
    NO_ANSWER = "no_answer"
    NOT_THERE = "not_there"
    """There is a server, and nothing of this protocol at the address."""
    STATUS = "status"
    """It answered with a status that is none of those of the protocol."""
    NOT_UNDERSTOOD = "not_understood"
    """It answered, and what it said is not of this protocol."""
    UNUSABLE = "unusable"
    """The values cannot be used any more, or the secret was erased before it was tried."""
    GIVEN_UP = "given_up"
    """The worker was stopped in the middle of it, several times."""


def outcome_of(problem: ProviderError, calls: Sequence[Mapping[str, Any]]) -> Outcome:
    """What a test came to that ended with `problem`, after these `calls` (booking.joining.carry_out)."""
    if isinstance(problem, NotAuthorised):
        return Outcome.NOT_AUTHORISED
    if isinstance(problem, ComeBackLater):
        return Outcome.ASKS_TO_WAIT
    if isinstance(problem, Oversize):
        return Outcome.NOT_UNDERSTOOD
    last = calls[-1]["status"] if calls else None
    if isinstance(problem, NoAnswer) and last is None:
        return _silence(problem)
    if last == 404:
        return Outcome.NOT_THERE
    return Outcome.NOT_UNDERSTOOD if last is None or 200 <= last < 300 else Outcome.STATUS


def _silence(problem: NoAnswer) -> Outcome:
    if problem.reason == NOT_PUBLIC:
        return Outcome.NOT_PUBLIC
    if problem.reason == TOO_LATE:
        return Outcome.TOO_LATE
    if problem.reason == "SSLError":
        return Outcome.TLS
    return Outcome.NO_ANSWER if problem.sent else Outcome.UNREACHABLE
