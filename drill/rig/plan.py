"""What will go wrong and when: all of it follows from the seed.

The plan can be had again from the same seed; how it meets the running processes cannot, since threads, disks and
networks take their own time. A seed that failed is therefore likely, not certain, to fail again.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

POSTGRESQL = "postgresql"
SANDBOX, DAYS = "sandbox", "sandbox-days"
WEBS = ("web-1", "web-2")
WORKERS = ("worker-1", "worker-2")

_KILLS = {**dict.fromkeys(WEBS, 14), **dict.fromkeys(WORKERS, 19), POSTGRESQL: 24, SANDBOX: 7, DAYS: 4}
REST = {**dict.fromkeys(WEBS, 5.0), **dict.fromkeys(WORKERS, 3.0), POSTGRESQL: 5.0, SANDBOX: 3.0, DAYS: 3.0}
"""Seconds a process is left alone after its own kill, and at work after its start, so that the next kill hits work."""

_BETWEEN = (1.6, 4.6)
_CALM = 2.0

_ANY = ("reserve", "reserve", "reserve", "change", "change", "cancel", "cancel")

# (fault, commands it may be switched on for, weight, seconds from and to). The seconds of a late commit stay below
# the settle window that the stage gives its providers: what is later than that, no marketplace can know.
_FAULTS: tuple[tuple[str, tuple[str, ...], int, tuple[float, float]], ...] = (
    ("commit_then_hang", _ANY, 4, (4.0, 6.0)),
    ("late_commit", _ANY, 4, (1.0, 4.0)),
    ("commit_then_drop", (*_ANY, "*"), 4, (0.0, 0.0)),
    ("error_after_commit", _ANY, 4, (0.0, 0.0)),
    ("error_before_commit", (*_ANY, "bookings"), 2, (0.0, 0.0)),
    ("broken_json", (*_ANY, "look_up", "bookings", "*"), 4, (0.0, 0.0)),
    ("no_reference", _ANY, 2, (0.0, 0.0)),
    ("slow", (*_ANY, "look_up", "*"), 3, (0.3, 2.5)),
    ("drip", ("reserve", "cancel"), 1, (0.0, 0.0)),
    ("redirect", ("reserve", "cancel", "look_up"), 1, (0.0, 0.0)),
    ("sold_out", ("reserve", "change"), 2, (0.0, 0.0)),
    ("sold_out", ("decide",), 2, (0.0, 0.0)),
    ("rate_limited", (*_ANY, "look_up", "*"), 3, (0.0, 0.0)),
    ("unavailable", ("reserve", "cancel", "bookings", "slots"), 2, (0.0, 0.0)),
    ("webhook_duplicate", ("*",), 3, (0.0, 0.0)),
    ("webhook_late", ("*",), 3, (1.0, 8.0)),
    ("webhook_reorder", ("*",), 3, (0.0, 0.0)),
    ("webhook_drop", ("*",), 3, (0.0, 0.0)),
)
_FEEDS = ("slots", "bookings", "reports")
_BROKEN_FOR, _STORM_FOR = (12.0, 25.0), (6.0, 12.0)
"""Seconds: long enough that the breaker of a feed opens, and that calls come back more than once into the storm."""
_SILENT_FOR = 15.0
_POISONED = ("slots", "bookings", "bookings", "reports")
_MOVES = {"cancel": 5, "check_in": 1, "fulfil": 3, "no_show": 2}


@dataclass(frozen=True)
class Kill:
    """kill -9 of `what`, so many seconds after the beginning."""

    at: float
    what: str


@dataclass(frozen=True)
class Fault:
    """A fault of a provider, on from `at` to `until`; the rest is what the sandbox's control wants to know."""

    at: float
    until: float
    provider: str
    fault: str
    command: str
    probability: float
    seconds: float
    retry_after: int = 1
    outage: bool = False

    @property
    def body(self) -> dict[str, object]:
        """The body for the sandbox's control."""
        return {
            "fault": self.fault,
            "command": self.command,
            "times": None,
            "probability": self.probability,
            "seconds": self.seconds,
            "retry_after": self.retry_after,
            "seed": f"{self.provider} {self.at}",
        }


@dataclass(frozen=True)
class ProviderMove:
    """The provider does something with one of its bookings by itself; `dice` in [0, 1) says with which."""

    at: float
    provider: str
    action: str
    dice: float


@dataclass(frozen=True)
class Stray:
    """A booking that nobody here asked for appears at the provider, beside one of ours that `dice` chooses."""

    at: float
    provider: str
    dice: float


@dataclass(frozen=True)
class Silence:
    """From `at` to `until` the database accepts connections and answers nothing."""

    at: float
    until: float


@dataclass(frozen=True)
class Plan:
    """A whole drill. Everything is in the order of its time."""

    seed: int
    seconds: float
    customers: int
    kills: Sequence[Kill] = field(default=())
    faults: Sequence[Fault] = field(default=())
    moves: Sequence[ProviderMove] = field(default=())
    strays: Sequence[Stray] = field(default=())
    silences: Sequence[Silence] = field(default=())

    def dice(self, name: str) -> random.Random:
        """Dice of an actor's own, so that one actor's luck does not depend on another's pace."""
        return random.Random(f"{self.seed}/{name}")


def make_plan(seed: int, seconds: float, providers: Sequence[str], customers: int) -> Plan:
    """The plan of a seed for so many seconds; the beginning of a longer plan equals a shorter one of the same seed."""
    return Plan(
        seed,
        seconds,
        customers,
        _kills(random.Random(f"{seed}/kills"), seconds),
        _faults(seed, seconds, providers),
        _moves(random.Random(f"{seed}/moves"), seconds, providers),
        _strays(random.Random(f"{seed}/strays"), seconds, providers),
        _silences(random.Random(f"{seed}/silences"), seconds),
    )


def _kills(dice: random.Random, seconds: float) -> list[Kill]:
    found: list[Kill] = []
    last = dict.fromkeys(_KILLS, -60.0)
    at = _CALM + dice.uniform(0, 1)
    while at < seconds:
        rested = [what for what in _KILLS if at - last[what] >= REST[what]]
        if rested:
            what = dice.choices(rested, [_KILLS[each] for each in rested])[0]
            last[what] = at
            found.append(Kill(round(at, 3), what))
        at += dice.uniform(*_BETWEEN)
    return found


def _faults(seed: int, seconds: float, providers: Sequence[str]) -> list[Fault]:
    """Each provider has its own run of faults, up to three at a time, with some honest moments between them."""
    found: list[Fault] = []
    for provider in providers:
        for track in (1, 2):
            dice = random.Random(f"{seed}/faults/{provider}/{track}")
            at = dice.uniform(0, 4)
            while at < seconds:
                until = at + dice.uniform(2, 7)
                found.append(_fault(dice, provider, at, until))
                at = until + dice.uniform(0.5, 6)
        found += _poisoned(random.Random(f"{seed}/poison/{provider}"), provider, seconds)
        found += _outages(random.Random(f"{seed}/outages/{provider}"), provider, seconds)
    return sorted(found, key=lambda fault: fault.at)


def _fault(dice: random.Random, provider: str, at: float, until: float) -> Fault:
    fault, commands, _, seconds = dice.choices(_FAULTS, [weight for _, _, weight, _ in _FAULTS])[0]
    return Fault(
        at=round(at, 3),
        until=round(until, 3),
        provider=provider,
        fault=fault,
        command=dice.choice(commands),
        probability=round(dice.uniform(0.3, 1.0), 2),
        seconds=round(dice.uniform(*seconds), 2),
    )


def _poisoned(dice: random.Random, provider: str, seconds: float) -> list[Fault]:
    """Pages with a row that cannot be read, on dice of their own: what else a seed plans is what it was before."""
    found: list[Fault] = []
    at = dice.uniform(0, 10)
    while at < seconds:
        until = at + dice.uniform(2, 6)
        probability = round(dice.uniform(0.3, 1.0), 2)
        feed = dice.choice(_POISONED)
        found.append(Fault(round(at, 3), round(until, 3), provider, "poisoned_row", feed, probability, 0.0))
        at = until + dice.uniform(2, 10)
    return found


def _outages(dice: random.Random, provider: str, seconds: float) -> list[Fault]:
    """In turn, on dice of their own: a feed that answers nothing but 500, and 429 with Retry-After to every call."""
    found: list[Fault] = []
    at = dice.uniform(3, 15)
    while at < seconds:
        until = at + dice.uniform(*_BROKEN_FOR)
        found.append(_outage(provider, at, until, "error_before_commit", dice.choice(_FEEDS)))
        at = until + dice.uniform(3, 10)
        until = at + dice.uniform(*_STORM_FOR)
        if at < seconds:
            found.append(_outage(provider, at, until, "rate_limited", "*", retry_after=dice.randint(1, 4)))
        at = until + dice.uniform(20, 40)
    return found


def _outage(provider: str, at: float, until: float, fault: str, command: str, *, retry_after: int = 1) -> Fault:
    return Fault(round(at, 3), round(until, 3), provider, fault, command, 1.0, 0.0, retry_after, outage=True)


def _strays(dice: random.Random, seconds: float, providers: Sequence[str]) -> list[Stray]:
    found: list[Stray] = []
    at = dice.uniform(10, 20)
    while at < seconds:
        found.append(Stray(round(at, 3), dice.choice(list(providers)), dice.random()))
        at += dice.uniform(15, 40)
    return found


def _silences(dice: random.Random, seconds: float) -> list[Silence]:
    """The first one within half a minute, so that a drill of a minute has one; then one every minute and a half."""
    found: list[Silence] = []
    at = dice.uniform(15, 30)
    while at < seconds:
        found.append(Silence(round(at, 3), round(at + _SILENT_FOR, 3)))
        at += _SILENT_FOR + dice.uniform(60, 100)
    return found


def _moves(dice: random.Random, seconds: float, providers: Sequence[str]) -> list[ProviderMove]:
    found: list[ProviderMove] = []
    at = _CALM + dice.uniform(0, 3)
    while at < seconds:
        action = dice.choices(list(_MOVES), list(_MOVES.values()))[0]
        found.append(ProviderMove(round(at, 3), dice.choice(list(providers)), action, dice.random()))
        at += dice.uniform(1, 5)
    return found
