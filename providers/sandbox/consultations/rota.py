"""Who answers whom, and when: a free doctor takes the next one who waits, and answers when the account's time is up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.sandbox import bookings
from providers.sandbox.bookings import DEAD, Desk, Reply
from providers.sandbox.consultations import cases, doctors, drawing, script
from providers.sandbox.consultations.doctors import Doctor
from providers.sandbox.consultations.practice import Practice
from providers.sandbox.consultations.say import draw, reword, say
from providers.sandbox.faults import TEST_PREFIX, chance
from providers.sandbox.ledger import Row, Transaction
from providers.sandbox.problems import Problem

PREFIX = "consultation."
"""How planned actions of this room begin."""
ORDERS = ("say", "picture", "summarise")
"""What a doctor may be told to do in a consultation."""
_WAITING = (
    f"{cases.IN_HAND} AND c.doctor IS NULL AND c.waits_since IS NOT NULL AND b.status <> 'requested'"
    f" AND b.our_reference NOT LIKE '{TEST_PREFIX}%'"  # in tests doctors speak to order alone
    " ORDER BY c.flagged DESC, c.waits_since, c.number"
)
_HAVE = (
    "SELECT c.doctor, count(*) AS patients FROM consultation c JOIN booking b USING (account, reference)"
    f" WHERE {cases.IN_HAND} AND c.doctor IS NOT NULL GROUP BY c.doctor"
)


def cancel(desk: Desk, key: str, wish: Mapping[str, Any]) -> Reply:
    """Cancel as any booking; with the fault `answer_first` the doctor is a moment quicker than the customer."""
    if desk.faults.take("cancel", ("answer_first",), wish["our_reference"]) is not None:
        with desk.ledger.transaction() as tx:
            ours = f"{cases.IN_HAND} AND b.our_reference = ?"
            for case in cases.select(tx, ours, (desk.account.code, wish["our_reference"])):
                order(desk, tx, case, "say")
    reply = bookings.cancel(desk, key, wish)
    look_again(desk)
    return reply


def order(desk: Desk, tx: Transaction, case: Row, what: str) -> None:
    """One of ORDERS: the script's next words, a picture, the end with a summary. Raises Problem 409 when it is over."""
    roster = [each for each in doctors.everybody(tx, desk.account.code) if each.active]
    if case["closed_at"] is not None or case["status"] in DEAD or not roster:
        raise Problem(409, "wrong_state", "The consultation is over, or there is no doctor")
    clinician = case["doctor"] or _able(roster, case)[0].code
    cases.alter(desk, tx, case["reference"], doctor=clinician)
    case = cases.find(desk, tx, case["reference"])
    if what == "say":
        answer(desk, tx, case)
        return
    if what == "picture":
        say(desk, tx, case, clinician, draw(desk, tx, case, drawing.chart(case["reference"], case["answers"])))
    said_by_hand(desk, tx, case, clinician)
    if what == "summarise":
        sum_up(desk, tx, cases.find(desk, tx, case["reference"]))


def look_again(desk: Desk, *, replan: bool = False) -> None:
    """Somebody may have become free. With `replan` answers that wait are given new times, by the settings of now."""
    if desk.account.consultations is None:
        return
    with desk.ledger.transaction() as tx:
        assign(desk, tx)
        waiting = f"{cases.IN_HAND} AND c.doctor IS NOT NULL AND c.waits_since IS NOT NULL ORDER BY c.number"
        for case in cases.select(tx, waiting, (desk.account.code,)) if replan else ():
            plan_answer(desk, tx, case)
    desk.sender.wake()


def assign(desk: Desk, tx: Transaction) -> None:
    """Give those who wait to doctors who are free: emergencies first, then by how long they wait."""
    practice = desk.account.consultations
    waiting = cases.select(tx, _WAITING, (desk.account.code,)) if practice is not None else []
    if practice is None or not waiting:
        return
    have = {row["doctor"]: int(row["patients"]) for row in tx.execute(_HAVE, (desk.account.code,))}
    roster = [doctor for doctor in doctors.everybody(tx, desk.account.code) if doctor.active]
    for case in waiting:
        able = [each for each in _able(roster, case) if have.get(each.code, 0) < practice.at_once]
        if able:
            taken = min(able, key=lambda each: (have.get(each.code, 0), each.code))
            have[taken.code] = have.get(taken.code, 0) + 1
            cases.alter(desk, tx, case["reference"], doctor=taken.code)
            plan_answer(desk, tx, cases.find(desk, tx, case["reference"]))


def _able(roster: list[Doctor], case: Row) -> list[Doctor]:
    """Of her department and language; where nobody is, of her language; else everybody."""
    speak = [each for each in roster if case["language"] in each.languages]
    return [each for each in speak if case["department"] in each.departments] or speak or roster


def plan_answer(desk: Desk, tx: Transaction, case: Row) -> None:
    """Have the doctor answer in the account's time; never, where it has none or a fault says so."""
    practice = desk.account.consultations
    late = desk.faults.take("answer", ("answer_late", "answer_never"), case["our_reference"])
    if practice is None or practice.answer_after is None or (late is not None and late.fault == "answer_never"):
        return
    seconds = _wait(desk, practice, case, "answer") + (late.seconds if late is not None else 0)
    _plan(desk, tx, case, "answer", seconds)


def _wait(desk: Desk, practice: Practice, case: Row, what: str) -> float:
    first, last = practice.answer_after or (0.0, 0.0)
    return first + (last - first) * chance(desk.account, f"{what} {case['number']} {case['answers']}")


def _plan(desk: Desk, tx: Transaction, case: Row, action: str, seconds: float) -> None:
    if case["our_reference"].startswith(TEST_PREFIX):
        return
    cases.alter(desk, tx, case["reference"], answer_due=desk.ledger.timestamp() + seconds)
    bookings.plan(desk, tx, case["reference"], PREFIX + action, seconds)


def carry_out(desk: Desk, tx: Transaction, reference: str, action: str) -> None:
    """A planned action whose time has come; nothing if the consultation has gone another way meanwhile."""
    case, (what, _, number) = cases.get(tx, desk.account.code, reference), action.removeprefix(PREFIX).partition(":")
    if case is None:
        return
    if what == "reword":
        reword(desk, tx, case, int(number), script.changed(case["language"]))
        return
    waits, due = (
        case["waits_since"] is not None,
        case["answer_due"] is not None and case["answer_due"] <= desk.ledger.timestamp(),
    )
    if not due or case["doctor"] is None or case["closed_at"] is not None or case["status"] in DEAD:
        return
    if what == "answer" and waits:
        answer(desk, tx, case)
    elif what == "sum_up" and not waits:
        sum_up(desk, tx, case)


def answer(desk: Desk, tx: Transaction, case: Row) -> None:
    """The doctor says what the script has for what she was told since her last answer, perhaps with a picture."""
    practice, clinician = desk.account.consultations, doctors.find(tx, case["account"], case["doctor"])
    if practice is None:
        return
    if clinician is None:  # struck off the roster meanwhile: somebody else takes her patient
        cases.alter(desk, tx, case["reference"], doctor=None)
        assign(desk, tx)
        return
    heard = tx.execute(
        "SELECT * FROM heard WHERE account = ? AND reference = ? AND position > ? ORDER BY position",
        (case["account"], case["reference"], case["answered"]),
    ).fetchall()
    last = case["answers"] + 1 >= practice.turns
    pictured = chance(desk.account, f"picture {case['number']} {case['answers']}") < practice.pictures
    say(desk, tx, case, clinician.code, {"text": script.answer(case, clinician, heard, last=last, pictured=pictured)})
    if pictured:
        say(desk, tx, case, clinician.code, draw(desk, tx, case, drawing.chart(case["reference"], case["answers"])))
    answered = heard[-1]["position"] if heard else case["answered"]
    cases.alter(desk, tx, case["reference"], answers=case["answers"] + 1, answered=answered, waits_since=None)
    in_service(desk, tx, case)
    case = cases.find(desk, tx, case["reference"])
    _plan(desk, tx, case, "sum_up", _wait(desk, practice, case, "summary") if last else practice.patience)


def said_by_hand(desk: Desk, tx: Transaction, case: Row, clinician: str) -> None:
    """A doctor has answered by the control: nothing is due until the customer goes on."""
    doctor = case["doctor"] or clinician
    cases.alter(desk, tx, case["reference"], doctor=doctor, waits_since=None, answer_due=None)
    in_service(desk, tx, case)


def in_service(desk: Desk, tx: Transaction, case: Row) -> None:
    """The booking is in service from the first answer on."""
    if case["status"] in ("requested", "confirmed", "checked_in"):
        row = bookings.write(desk, tx, case["reference"], {"status": "in_service"})
        bookings.announce(desk, tx, "booking.in_service", row)


def sum_up(desk: Desk, tx: Transaction, case: Row) -> None:
    """Close it with a summary, or without one if a fault says so; who waits is next."""
    if desk.faults.take("answer", ("no_summary",), case["our_reference"]) is None:
        first = tx.execute(
            "SELECT text FROM heard WHERE account = ? AND reference = ? AND text <> '' ORDER BY position LIMIT 1",
            (case["account"], case["reference"]),
        ).fetchone()
        words = "" if first is None else str(first["text"])
        say(desk, tx, case, case["doctor"], {"summary": script.summary(case, words)})
    cases.end(desk, tx, cases.find(desk, tx, case["reference"]), "doctor")
