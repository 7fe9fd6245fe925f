"""Misbehaviour to order. A fault waits for a command, then changes how it is carried out or answered."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from flask import Response, request

from providers.sandbox.config import Account
from providers.sandbox.poison import poison
from providers.sandbox.problems import Problem

COMMANDS = (
    *("reserve", "change", "cancel", "decline", "look_up"),
    *("slots", "bookings", "reports", "report", "document", "*"),
    *("open", "post", "close", "messages", "picture", "clinicians"),
    *("lines", "paper"),
)
ON_ANSWERS = (
    "commit_then_hang",  # carried out, then nothing for `seconds`
    "late_commit",  # nothing for `seconds`, then carried out, whoever still listens
    "commit_then_drop",  # carried out, then the connection is cut
    "error_after_commit",  # carried out, then 500
    "error_before_commit",  # 500, nothing carried out
    "broken_json",  # carried out, then half an answer
    "garbage",  # carried out, then the page of some gateway instead of the answer, with 200
    "no_reference",  # carried out, answered without our reference
    "slow",  # carried out and answered after `seconds`
    "sold_out",  # reserve and change: refused at once; with command "decide": accepted, then rejected
    "rate_limited",  # 429 with Retry-After, nothing carried out
    "unavailable",  # 503 with Retry-After, nothing carried out
    "drip",  # the answer at one byte a second
    "bomb",  # `megabytes` of spaces, compressed
    "redirect",  # 307 to another address of this server
    "poisoned_row",  # slots, bookings and reports: one row of the page breaks the contract
)
ON_WEBHOOKS = ("webhook_duplicate", "webhook_late", "webhook_reorder", "webhook_drop")
ON_DOCTORS = (
    "answer_late",  # the next answer comes `seconds` later than it would
    "answer_never",  # and does not come at all
    "answer_first",  # a cancel finds that the doctor has answered a moment before
    "line_twice",  # a line is told by two events of their own
    "line_changed",  # after `seconds` it has other words under the same number
    "line_unreadable",  # it is of a kind that the contract does not know
    "line_stranger",  # it names a doctor who is not on the roster
    "line_gap",  # its number leaves one out
    "no_summary",  # a consultation is closed without one
)
ON_ESCORTS = (
    "escort_late",  # all that she does is `seconds` later
    "escort_absent",  # she is named and does nothing
    "escort_cancels",  # the booking is cancelled an hour before it begins
    "escort_swapped",  # somebody else is named while she is on the way, who says that she arrived all the same
    "escort_released",  # she does not go on, and nobody else is named
    "escort_double",  # who is elsewhere at that time is named, if anybody is
    "escort_wrong_code",  # that she met the person is proved by a code that is not the person's
)
ON_DECISIONS = ("undecided",)  # with command "decide": what was accepted stays as it is
FAULTS = ON_ANSWERS + ON_WEBHOOKS + ON_DOCTORS + ON_ESCORTS + ON_DECISIONS
TEST_PREFIX = "kit-"
"""How the marketplace's references of test bookings begin."""


class BadFault(ValueError):
    """A fault that does not exist or cannot be had this way."""


@dataclass
class Fault:
    """`times`: how often it strikes, None for ever. `probability` of striking each time, by dice from `seed`. For
    faults of webhooks, `command` is the kind of event. `about`: only commands about what begins so, blank for all."""

    fault: str
    command: str = "*"
    times: int | None = 1
    probability: float = 1.0
    seconds: float = 30.0
    retry_after: int = 1
    megabytes: int = 64
    seed: str = "1"
    about: str = ""
    id: int = 0
    struck: int = 0
    dice: random.Random = field(default_factory=random.Random, repr=False)


class Faults:
    """The faults switched on for one account; kept in memory, so a restart switches them off."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._last_id = 0

    def add(self, wish: dict[str, Any]) -> dict[str, Any]:
        """Switch one on. Raises BadFault."""
        try:
            fault = Fault(**{name: value for name, value in wish.items() if name not in ("id", "struck", "dice")})
        except TypeError as error:
            raise BadFault("unknown property of a fault") from error
        if fault.fault not in FAULTS:
            raise BadFault(f"fault must be one of {', '.join(FAULTS)}")
        for number in (fault.probability, fault.seconds, fault.retry_after, fault.megabytes, fault.times or 0):
            if isinstance(number, bool) or not isinstance(number, (int, float)) or number < 0:
                raise BadFault("times, probability, seconds, retry_after and megabytes are numbers, 0 or more")
        deciding = fault.command == "decide" and fault.fault in ("sold_out", *ON_DECISIONS)
        free = fault.fault in ON_WEBHOOKS + ON_DOCTORS + ON_ESCORTS
        if (fault.command not in COMMANDS and not deciding and not free) or (
            fault.fault in ON_DECISIONS and not deciding
        ):
            raise BadFault(f"command must be one of {', '.join(COMMANDS)}, or decide for sold_out and undecided")
        fault.dice = random.Random(fault.seed)
        with self._lock:
            self._last_id += 1
            fault.id = self._last_id
            self._faults.append(fault)
        return describe(fault)

    def list(self) -> list[dict[str, Any]]:
        """All that are on or were used up, with the times each has struck."""
        with self._lock:
            return [describe(fault) for fault in self._faults]

    def clear(self) -> None:
        """Switch all off."""
        with self._lock:
            self._faults.clear()

    def take(self, command: str, kinds: tuple[str, ...] = ON_ANSWERS, about: str = "") -> Fault | None:
        """The fault that strikes this command, counted as struck."""
        with self._lock:
            for fault in self._faults:
                if fault.fault not in kinds or fault.times == 0 or not about.startswith(fault.about):
                    continue
                if fault.command != command and (fault.command != "*" or command == "decide"):
                    continue
                if fault.dice.random() < fault.probability:
                    fault.struck += 1
                    fault.times = None if fault.times is None else fault.times - 1
                    return fault
        return None


def describe(fault: Fault) -> dict[str, Any]:
    """The fault as the control API shows it."""
    return {name: value for name, value in vars(fault).items() if name != "dice"}


def chance(account: Account, about: str) -> float:
    """A number in [0, 1) that is the same for the same seed and subject, whatever happened before."""
    digest = hashlib.sha256(f"{account.seed}|{account.code}|{about}".encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56


def by_manner(account: Account, command: str, about: str) -> Fault | None:
    """What a moody provider does to this command of itself."""
    if account.manner != "moody" or command not in ("reserve", "change", "cancel"):
        return None
    if chance(account, f"error {command} {about}") < account.dice.get("error_after_commit", 0.0):
        return Fault("error_after_commit", command)
    if chance(account, f"slow {command} {about}") < account.dice.get("slow", 0.0):
        return Fault("slow", command, seconds=0.2 + 1.3 * chance(account, f"how slow {about}"))
    return None


@dataclass(frozen=True)
class Voice:
    """How a protocol says no, says that something broke, and leaves our reference out of an answer."""

    refuse: Callable[[Fault], Response]
    broke: Callable[[], Response]
    without_reference: Callable[[Response], Response]


def answer(fault: Fault | None, process: Callable[[], Response], voice: Voice | None = None) -> Response:
    """Carry out the command as the fault wants it. `process` commits and returns the honest answer; `voice` is the
    protocol's, that of problem+json if none is given."""
    if fault is None:
        return process()
    voice = voice or PROBLEMS
    if fault.fault == "error_before_commit":
        return voice.broke()
    if fault.fault in ("rate_limited", "unavailable", "sold_out"):
        return voice.refuse(fault)
    if fault.fault == "late_commit":
        time.sleep(fault.seconds)
    response = process()
    if fault.fault in ("slow", "commit_then_hang"):
        time.sleep(fault.seconds)
    elif fault.fault == "commit_then_drop":
        request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    elif fault.fault == "error_after_commit":
        return voice.broke()
    elif fault.fault == "no_reference":
        return voice.without_reference(response)
    else:
        return _spoil(fault, response)
    return response


def _broke() -> Response:
    return Problem(500, "internal", "Something went wrong").response()


def _refuse(fault: Fault) -> Response:
    if fault.fault == "sold_out":
        return Problem(409, "sold_out", "No place is left").response()
    status, code = (429, "rate_limited") if fault.fault == "rate_limited" else (503, "unavailable")
    response = Problem(status, code, "Come back later").response()
    response.headers["Retry-After"] = str(fault.retry_after)
    return response


def _without_reference(response: Response) -> Response:
    document = response.get_json(silent=True)
    kept = {name: value for name, value in (document or {}).items() if name != "our_reference"}
    return Response(json.dumps(kept, ensure_ascii=False), response.status_code, content_type=response.content_type)


PROBLEMS = Voice(_refuse, _broke, _without_reference)


def _spoil(fault: Fault, response: Response) -> Response:
    if fault.fault == "broken_json":
        response.set_data(response.get_data()[: len(response.get_data()) // 2])
    elif fault.fault == "garbage":
        response = Response("<html><body>Please try again later</body></html>", 200, content_type="text/html")
    elif fault.fault == "redirect":
        response = Response(b"", 307, headers={"Location": request.url_root + "_control/health"})
    elif fault.fault == "poisoned_row":
        poison(response, fault.dice)
    elif fault.fault == "bomb":
        response = _bomb(fault, response)
    elif fault.fault == "drip":
        data = response.get_data()
        dripping = Response(_drip(data), response.status_code, content_type=response.content_type)
        dripping.headers["Content-Length"] = str(len(data))
        return dripping
    return response


def _drip(data: bytes) -> Iterator[bytes]:
    for position in range(len(data)):
        yield data[position : position + 1]
        time.sleep(1)


def _bomb(fault: Fault, response: Response) -> Response:
    packed = gzip.compress(b" " * (fault.megabytes * 2**20), compresslevel=6)
    return Response(
        packed, response.status_code, headers={"Content-Encoding": "gzip"}, content_type=response.content_type
    )
