"""Strings to pull on escorts, in tests and demonstrations: a line, the next step, the staff. This machine only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Response, g, jsonify, request

from providers.sandbox.bookings import Desk
from providers.sandbox.consultations import say
from providers.sandbox.control import control, read_wish
from providers.sandbox.escorts import dispatch, staff, visits
from providers.sandbox.ledger import Row, Transaction
from providers.sandbox.problems import Problem

_SHOWN = (
    "reference",
    "our_reference",
    "status",
    "pool",
    "starts_at",
    "ends_at",
    "worker",
    "safe_word",
    "done",
    "planned",
    "late",
)
_OF_LINES = (
    *("worker", "safe_word", "cause", "position", "accuracy_m", "code", "words", "cost", "picture"),
    *("at", "id", "seq", "kind", "reference", "our_reference"),
)


@control.get("/accounts/<code>/escorts")
def list_escorts() -> Response:
    """All, the oldest first, with what was asked for and all `lines`; `our_reference` narrows it."""
    desk, ours = _desk(), request.args.get("our_reference")
    with desk.ledger.reading() as tx:
        condition = "v.account = ? AND (b.our_reference = ? OR ? IS NULL) ORDER BY b.created_at, b.seq"
        found = visits.select(tx, condition, (desk.account.code, ours, ours))
        return jsonify(escorts=[_shown(tx, visit) for visit in found])


@control.post("/accounts/<code>/escorts/<reference>/lines")
def add_line(reference: str) -> Response:
    """A line now: its `kind` as the script has it, with what is given in place of the script's; `escort` who did it
    (else who goes). Of `assigned`: `escort` who comes (else somebody else who is free), `safe_word`; of `released`:
    `cause`. Deeds are taken from anybody and whatever the booking's state is."""
    desk, wish = _desk(), read_wish()
    kind, escort = str(wish.pop("kind", "")), wish.pop("escort", None)
    if not set(wish) <= set(_OF_LINES):
        raise Problem(422, "invalid", f"A line has kind, escort and some of {', '.join(_OF_LINES)}")
    with desk.ledger.transaction() as tx:
        dispatch.tend(desk, tx)
        visit = visits.find(desk, tx, reference)
        if kind == "assigned" and "worker" not in wish:
            dispatch.assign(desk, tx, visit, str(escort or ""), str(wish.get("safe_word") or ""))
        elif kind == "released":
            dispatch.release(desk, tx, visit, str(wish.get("cause", "other")))
        else:
            dispatch.do(desk, tx, visit, kind, str(escort or visit["worker"] or visits.STRANGER), wish)
        line = say.lines_after(tx, visit, 0, -1)[-1]
    desk.sender.wake()
    return jsonify(line)


@control.post("/accounts/<code>/escorts/<reference>/next")
def next_step(reference: str) -> Response:
    """What the script has next, now. Raises Problem 409 when nobody goes or all is done."""
    desk = _desk()
    with desk.ledger.transaction() as tx:
        line = dispatch.step(desk, tx, visits.find(desk, tx, reference))
    desk.sender.wake()
    return jsonify(line)


@control.patch("/accounts/<code>/escorts/<reference>/lines/<int:number>")
def alter_line(reference: str, number: int) -> Response:
    """Another content under the number of a line that was told; without any, another time."""
    desk, wish = _desk(), read_wish()
    with desk.ledger.transaction() as tx:
        line = visits.reword(desk, tx, visits.find(desk, tx, reference), number, wish)
    desk.sender.wake()
    return jsonify(line)


@control.delete("/accounts/<code>/escorts/<reference>/pictures/<identifier>")
def lose_picture(reference: str, identifier: str) -> tuple[str, int]:
    """A picture that was announced does not come."""
    desk = _desk()
    with desk.ledger.transaction() as tx:
        visit = visits.find(desk, tx, reference)
        gone = tx.execute(
            "DELETE FROM drawing WHERE account = ? AND reference = ? AND id = ?",
            (visit["account"], reference, identifier),
        ).rowcount
    if not gone:
        raise Problem(404, "unknown_picture", "There is no such picture")
    return "", 204


@control.get("/accounts/<code>/staff")
def list_staff() -> Response:
    """The staff, with who has left."""
    desk = _desk()
    with desk.ledger.reading() as tx:
        return jsonify(staff=[vars(each) for each in staff.everybody(tx, desk.account.code)])


@control.patch("/accounts/<code>/staff/<worker>")
def change_worker(worker: str) -> Response:
    """Another name, sex or qualification; `active` false: she goes nowhere any more; a new code adds one."""
    desk = _desk()
    with desk.ledger.transaction() as tx:
        changed = staff.change(tx, desk.account.code, worker, read_wish())
    return jsonify(vars(changed))


def _desk() -> Desk:
    desk: Desk = g.desk
    if desk.account.escorts is None:
        raise Problem(404, "no_escorts", "This account sends no escorts")
    return desk


def _shown(tx: Transaction, visit: Row) -> Mapping[str, Any]:
    told = {name: json.loads(visit[name] or "null") for name in ("answers", "venue")}
    return {**{name: visit[name] for name in _SHOWN}, **told, "lines": list(say.lines_after(tx, visit, 0, -1))}
