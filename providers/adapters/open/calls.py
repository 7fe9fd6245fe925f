"""The open protocol's calls, and what an answer to a command means:

2xx about our booking                     Confirmed or Accepted
problem+json of 4xx                       Refused; 404 on a cancel NotFound
429, 503 with Retry-After                 RetryAfter: the contract says that nothing was taken
401, 403                                  RetryAfter: the provider did not look at the command because of our key, so
                                          the customer was refused nothing; an operator has to fix it
no connection came about                  RetryAfter
a key used before with another body       Unknown: something exists under the key
everything else                           Unknown: time-out, 5xx, 3xx, broken JSON, another reference, a 4xx that a
                                          gateway and not the provider may have said
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marketplace.core import clock
from marketplace.core.logging import get_logger
from providers.adapters import fields
from providers.adapters.http import Deadline, HttpClient, NoAnswer, Reply
from providers.adapters.open_wire import read_booking
from providers.port import (
    Accepted,
    Answer,
    ComeBackLater,
    Confirmed,
    Connection,
    CursorLost,
    NotAuthorised,
    ProviderError,
    Refused,
    RetryAfter,
    Unknown,
)

REFUSALS = ("sold_out", "closed", "not_eligible", "too_late", "unknown_slot")
REUSED = "idempotency_key_reused"
UNREACHABLE_SECONDS = 5.0
UNAUTHORISED_SECONDS = 60.0
PROBLEM = "application/problem+json"

log = get_logger(__name__)


class OpenCalls:
    """The calls of one provider. `connection.secret` is the API key."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        headers = {"Authorization": f"Bearer {connection.secret}", "Accept": f"application/json, {PROBLEM}"}
        self._http = HttpClient(
            connection.provider,
            connection.base_url,
            headers,
            connection.deadline_seconds,
            networks=connection.networks,
        )

    def _command(self, path: str, key: str, payload: Mapping[str, Any]) -> Reply | RetryAfter | Unknown:
        try:
            reply = self._http.call(
                "POST", path, deadline=self._http.deadline(), payload=payload, headers={"Idempotency-Key": key}
            )
        except NoAnswer as error:
            return Unknown(error.reason) if error.sent else RetryAfter(UNREACHABLE_SECONDS, reached=False)
        return self._come_back(reply) or reply

    def _come_back(self, reply: Reply) -> RetryAfter | None:
        if reply.status in (401, 403):
            log.error("provider.key_not_accepted", provider=self._connection.provider, status=reply.status)
            return RetryAfter(UNAUTHORISED_SECONDS)
        wait = reply.come_back(clock.now())
        return None if wait is None else RetryAfter(wait)

    def _page(self, path: str, params: Mapping[str, str], cursor: str | None, page: str | None) -> dict[str, Any]:
        tokens = {name: value for name, value in (("cursor", cursor), ("page", page)) if value is not None}
        return self._read(path, {**params, **tokens}, self._http.deadline()).json()

    def _read(self, path: str, params: Mapping[str, str], deadline: Deadline) -> Reply:
        reply = self._http.call("GET", path, deadline=deadline, params=params)
        if reply.status == 400 and reply.content_type == PROBLEM and reply.json().get("code") == "bad_cursor":
            raise CursorLost("the cursor is not known any more")
        wait = reply.come_back(clock.now())
        if wait is not None:
            raise ComeBackLater(f"status {reply.status}", wait)
        if reply.status in (401, 403):
            raise NotAuthorised(f"status {reply.status}")
        if reply.status != 200:
            raise ProviderError(f"status {reply.status}")
        return reply


def answer_from(
    answer: Reply | RetryAfter | Unknown,
    our_reference: str,
    wanted: Mapping[int, tuple[str, ...]],
    slot: str | None = None,
) -> Answer:
    """What an HTTP reply says of the command. `wanted`: the booking statuses that each HTTP status may carry; a reply
    that does not suit it, or the booking of ours, is Unknown."""
    if not isinstance(answer, Reply):
        return answer
    if 400 <= answer.status < 500:
        return refusal(answer)
    if answer.status not in wanted:
        return Unknown(f"status {answer.status}")
    try:
        body = answer.json()
        booking = read_booking(body)
        answer_by = fields.moment(body, "answer_by")
        at_slot = slot is None or answer.status == 202 or fields.text(body, "slot") == slot
    except ProviderError as error:
        return Unknown(str(error))
    if (booking.our_reference or "") != our_reference:
        return Unknown("an answer without our reference")
    if not at_slot or booking.status not in wanted[answer.status]:
        return Unknown(f"status {answer.status} with a booking that does not suit it")
    if answer.status == 202 or (slot is not None and booking.status == "requested"):
        return Accepted(booking.reference, booking.version, answer_by)
    return Confirmed(booking.reference, booking.version, booking.starts_at)


def refusal(reply: Reply, *, reused: Refused | None = None) -> Refused | Unknown:
    """What a 4xx says. `reused`: what it means that the key was used before with another body, if not that something
    exists under it."""
    if reply.content_type != PROBLEM or reply.status == 408:
        return Unknown(f"status {reply.status}")
    try:
        problem = reply.json()
    except NoAnswer as error:
        return Unknown(error.reason)
    code = problem.get("code")
    if code == REUSED:
        return reused or Unknown("the key was used before with another body")
    return Refused(code if code in REFUSALS else "other", str(problem.get("title", ""))[:200])
