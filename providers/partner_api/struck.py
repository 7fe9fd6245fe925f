"""What faults of a rehearsal do to a call about a test booking: they lose our answer, hold it back, or let the customer
be faster. What the program asked and was answered is noted for its timeline."""

from __future__ import annotations

import hashlib
import time

from flask import Response, g, request

from booking.faults import strike
from booking.faults.kinds import Kind
from booking.faults.strike import Armed
from booking.twins.act import cancel_as_customer
from marketplace.clients.owners import ProvidersProgram
from marketplace.core import clock
from marketplace.core.errors import Refusal

UNAVAILABLE = 503
pause = time.sleep


def before_call(caller: ProvidersProgram) -> None:
    """Look whether a fault strikes this call; where the customer is to be faster than an answer, she is now."""
    armed = strike.fault_of(caller.provider_id, str((request.view_args or {}).get("booking_id", "")))
    if armed is None:
        return
    g.fault = armed
    if armed.kind is Kind.GONE and request.method == "POST" and strike.take(armed, now=clock.now()):
        _customer_cancels(armed)


def after_call(answer: Response) -> Response:
    """The answer as the fault has it: ours, later, or none."""
    armed: Armed | None = g.get("fault")
    if armed is None:
        return answer
    if request.method == "GET":
        strike.note(armed, "partner", strike.READ, {"status": answer.status_code}, now=clock.now())
        return answer
    strike.note(armed, "partner", "answered", _said(answer), now=clock.now())
    if answer.status_code >= 300 or armed.kind not in (Kind.LOST_ANSWER, Kind.LATE):
        return answer
    if not strike.take(armed, now=clock.now()):
        return answer
    if armed.kind is Kind.LATE:
        _customer_cancels(armed)
        pause(armed.seconds)
        return answer
    strike.note(armed, "us", "answer_lost", _said(answer) | {"seconds": armed.seconds}, now=clock.now())
    pause(armed.seconds)
    return Response("", UNAVAILABLE, mimetype="text/plain")


def _customer_cancels(armed: Armed) -> None:
    try:
        cancel_as_customer(armed.provider_id, armed.booking, now=clock.now())
    except Refusal as refused:
        strike.note(armed, "us", "not_cancelled", {"code": refused.code}, now=clock.now())
    else:
        strike.note(armed, "customer", "cancelled", {}, now=clock.now())


def _said(answer: Response) -> dict[str, object]:
    """What was asked (the last part of its path), under which key, and what came of it."""
    key = hashlib.sha256(request.headers.get("Idempotency-Key", "").encode()).hexdigest()[:12]
    problem = answer.get_json(silent=True) if answer.status_code >= 400 else None
    code = problem.get("code", "") if isinstance(problem, dict) else ""
    asked = request.path.partition(f"/{(request.view_args or {}).get('booking_id')}/")[2]
    return {"answer": asked, "key": key, "status": answer.status_code, **({"code": code} if code else {})}
