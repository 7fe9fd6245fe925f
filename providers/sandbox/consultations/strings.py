"""Strings to pull on doctors, in tests and demonstrations: a line, an answer, an end, the roster. This machine only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, g, jsonify, request

from providers.sandbox.bookings import DEAD, Desk
from providers.sandbox.consultations import cases, doctors, drawing, rota, say
from providers.sandbox.consultations.practice import read_roster
from providers.sandbox.control import control, read_wish
from providers.sandbox.ledger import Row, Transaction
from providers.sandbox.problems import Problem

CONTENTS = ("text", "picture", "summary")
_SHOWN = (
    *("reference", "our_reference", "status", "department", "language", "doctor", "answers", "closed_at", "closed_by"),
    *("waits_since", "answer_due"),
)


@control.get("/accounts/<code>/consultations")
def list_consultations() -> Response:
    """All, the oldest first, with what was `heard` and `said`; `our_reference` narrows it."""
    desk, wanted = _desk(), request.args.get("our_reference")
    with desk.ledger.reading() as tx:
        condition = "c.account = ? AND (b.our_reference = ? OR ? IS NULL) ORDER BY c.number"
        found = cases.select(tx, condition, (desk.account.code, wanted, wanted))
        return jsonify(consultations=[_shown(tx, case) for case in found])


@control.post("/accounts/<code>/consultations/<reference>/say")
def say_line(reference: str) -> Response:
    """A line now: `text`, `picture` (true) or `summary` (an object), of `clinician` (who has her in hand, else the
    first of the roster). It is said whatever the state is, and moves a booking that goes on."""
    desk, wish = _desk(), read_wish()
    with desk.ledger.transaction() as tx:
        case = cases.find(desk, tx, reference)
        clinician = str(wish.get("clinician") or case["doctor"] or _first(tx, desk))
        line = say.say(desk, tx, case, clinician, _content(desk, tx, case, wish))
        if case["closed_at"] is None and case["status"] not in DEAD:
            rota.said_by_hand(desk, tx, case, clinician)
            if line["kind"] == "summary":
                cases.end(desk, tx, cases.find(desk, tx, reference), "doctor")
    rota.look_again(desk)
    return jsonify(line)


@control.post("/accounts/<code>/consultations/<reference>/answer")
def answer(reference: str) -> Response:
    """The script's next answer now. Raises Problem 409 when it is over."""
    desk = _desk()
    with desk.ledger.transaction() as tx:
        rota.order(desk, tx, cases.find(desk, tx, reference), "say")
        shown = _shown(tx, cases.find(desk, tx, reference))
    desk.sender.wake()
    return jsonify(shown)


@control.post("/accounts/<code>/consultations/<reference>/close")
def close(reference: str) -> Response:
    """End it now with the script's summary (409 when it is over), or without one (`summary`: false)."""
    desk, wish = _desk(), read_wish()
    with desk.ledger.transaction() as tx:
        case = cases.find(desk, tx, reference)
        if wish.get("summary") is not False:
            rota.order(desk, tx, case, "summarise")
        elif case["closed_at"] is None and case["status"] not in DEAD:
            cases.end(desk, tx, case, "doctor")
        shown = _shown(tx, cases.find(desk, tx, reference))
    rota.look_again(desk)
    return jsonify(shown)


@control.patch("/accounts/<code>/consultations/<reference>/lines/<int:number>")
def reword(reference: str, number: int) -> Response:
    """Other words (`text`) under the number of a line that was told."""
    desk, wish = _desk(), read_wish()
    with desk.ledger.transaction() as tx:
        line = say.reword(desk, tx, cases.find(desk, tx, reference), number, str(wish.get("text", "")))
    desk.sender.wake()
    return jsonify(line)


@control.get("/accounts/<code>/doctors")
def list_doctors() -> Response:
    """The roster, with who has left."""
    desk = _desk()
    with desk.ledger.reading() as tx:
        return jsonify(doctors=[vars(each) for each in doctors.everybody(tx, desk.account.code)])


@control.put("/accounts/<code>/doctors")
def replace_doctors() -> Response:
    """Another roster: `doctors` as in the configuration file."""
    desk = _desk()
    wanted = read_roster(desk.account.code, read_wish().get("doctors"))
    with desk.ledger.transaction() as tx:
        doctors.replace(tx, desk.account.code, wanted)
    rota.look_again(desk)
    return jsonify(doctors=[vars(each) for each in wanted])


@control.patch("/accounts/<code>/doctors/<doctor>")
def change_doctor(doctor: str) -> Response:
    """Another name, title or licence; `active` false takes her off the roster; a new code adds one."""
    desk = _desk()
    with desk.ledger.transaction() as tx:
        changed = doctors.change(tx, desk.account.code, doctor, read_wish())
    rota.look_again(desk)
    return jsonify(vars(changed))


def _desk() -> Desk:
    desk: Desk = g.desk
    if desk.account.consultations is None:
        raise Problem(404, "no_consultations", "This account has no doctors")
    return desk


def _first(tx: Transaction, desk: Desk) -> str:
    return next((each.code for each in doctors.everybody(tx, desk.account.code) if each.active), say.STRANGER)


def _content(desk: Desk, tx: Transaction, case: Row, wish: Mapping[str, Any]) -> dict[str, Any]:
    given = [name for name in CONTENTS if wish.get(name)]
    if len(given) != 1:
        raise Problem(422, "invalid", f"Give one of {', '.join(CONTENTS)}")
    if given == ["picture"]:
        return say.draw(desk, tx, case, drawing.chart(case["reference"], case["answers"]))
    return {given[0]: wish[given[0]]}


def _shown(tx: Transaction, case: Row) -> dict[str, Any]:
    heard = tx.execute(
        "SELECT id, seq, at, flagged, text, length(picture) AS bytes FROM heard WHERE account = ? AND reference = ?"
        " ORDER BY position",
        (case["account"], case["reference"]),
    )
    return {
        **{name: case[name] for name in _SHOWN},
        "flagged": bool(case["flagged"]),
        "heard": [dict(row) for row in heard],
        "said": list(say.lines_after(tx, case, 0, -1)),
    }
