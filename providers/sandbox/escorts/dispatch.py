"""Who goes where: somebody of the staff who is free is named soon after the confirmation, and her day goes by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from providers.sandbox import bookings
from providers.sandbox.bookings import Desk
from providers.sandbox.consultations.say import draw
from providers.sandbox.escorts import papers, script, staff, visits
from providers.sandbox.escorts.staff import Worker
from providers.sandbox.faults import TEST_PREFIX, chance
from providers.sandbox.ledger import Row, Transaction
from providers.sandbox.problems import Problem

PREFIX = "escort."
"""How planned actions of this room begin."""
CAUSES = ("ill", "late", "other")
CANCELS_BEFORE = timedelta(hours=1)
TRY_AGAIN_SECONDS = 60.0
KINDS = ("assigned", "released", *(step.kind for step in script.DAY), "back_home")


def look_again(desk: Desk, *, replan: bool = False) -> None:
    """Something was booked, moved or cancelled. With `replan` what waits is given new times, by the settings of now."""
    if desk.account.escorts is None:
        return
    with desk.ledger.transaction() as tx:
        tend(desk, tx)
        going = f"v.account = ? AND {visits.LIVE}"
        for visit in visits.select(tx, going, (desk.account.code,)) if replan else ():
            if visit["worker"] is not None:
                _plan_next(desk, tx, visit)
            elif desk.account.escorts.assign_after is not None and not visit["our_reference"].startswith(TEST_PREFIX):
                bookings.plan(desk, tx, visit["reference"], PREFIX + "assign", desk.account.escorts.assign_after)
    desk.sender.wake()


def tend(desk: Desk, tx: Transaction) -> None:
    """Plan for bookings that were confirmed, and anew for those that were moved."""
    way = desk.account.escorts
    if way is None:
        return
    offered = ", ".join("?" * len(way.offers))
    fresh = tx.execute(
        f"SELECT * FROM booking b LEFT JOIN visit v USING (account, reference) WHERE b.account = ? AND {visits.LIVE}"
        f" AND b.status <> 'requested' AND b.offer IN ({offered}) AND (v.reference IS NULL OR v.place <> b.slot)",
        (desk.account.code, *way.offers),
    ).fetchall()
    for row in fresh:
        tx.execute(
            "INSERT INTO visit (account, reference, place) VALUES (?, ?, ?)"
            " ON CONFLICT DO UPDATE SET place = excluded.place, planned = planned + 1",
            (row["account"], row["reference"], row["slot"]),
        )
        if way.assign_after is not None and not row["our_reference"].startswith(TEST_PREFIX):
            bookings.plan(desk, tx, row["reference"], PREFIX + "assign", way.assign_after)


def carry_out(desk: Desk, tx: Transaction, reference: str, action: str) -> None:
    """A planned action whose time has come; nothing if the visit has gone another way meanwhile."""
    found = visits.select(tx, f"v.account = ? AND v.reference = ? AND {visits.LIVE}", (desk.account.code, reference))
    (what, _, about), visit = action.removeprefix(PREFIX).partition(":"), next(iter(found), None)
    if what == "reword":
        visits.reword(desk, tx, visits.find(desk, tx, reference), int(about), {})
    elif visit is None:
        return
    elif what == "assign":
        _assign(desk, tx, visit)
    elif what == "cancel":
        bookings.move(desk, tx, reference, "cancel", "no_escort")
    elif what == "step" and about == f"{visit['planned']}":
        step(desk, tx, visit)


def _assign(desk: Desk, tx: Transaction, visit: Row) -> None:
    """Name who goes to a visit; who was named before goes if she can. Where nobody can, it is tried again."""
    keeps = visit["worker"] is not None and visit["worker"] in {each.code for each in free(desk, tx, visit)}
    if not keeps:
        try:
            visit = assign(desk, tx, visit)
        except Problem:
            bookings.plan(desk, tx, visit["reference"], PREFIX + "assign", TRY_AGAIN_SECONDS)
            return
    if desk.faults.take("escort", ("escort_cancels",), visit["our_reference"]) is not None:
        before = datetime.fromisoformat(visit["starts_at"]) - CANCELS_BEFORE
        _plan_at(desk, tx, visit, "cancel", before)
    if not keeps or visit["done"] < script.after(script.COMES[-1]):
        _plan_next(desk, tx, visits.alter(desk, tx, visit["reference"], done=0))


def assign(desk: Desk, tx: Transaction, visit: Row, wanted: str = "", word: str = "") -> Row:
    """Name somebody else than before, or who is `wanted`. Raises Problem 409 where nobody is free."""
    if wanted:
        worker = staff.find(tx, desk.account.code, wanted)
    elif desk.faults.take("escort", ("escort_double",), visit["our_reference"]) is not None:
        worker = _busy(desk, tx, visit) or next(iter(free(desk, tx, visit)), None)
    else:
        others = [each for each in free(desk, tx, visit) if each.code != visit["worker"]]
        worker = next(iter(others), None)
    if worker is None:
        raise Problem(409, "nobody_free", "Nobody of the staff can go")
    before, number = visit["safe_word"], int(chance(desk.account, visit["reference"]) * len(script.SAFE_WORDS))
    words = (*script.SAFE_WORDS[number:], *script.SAFE_WORDS[:number])
    said = word or next(each for each in words if each != before)
    visit = visits.alter(desk, tx, visit["reference"], worker=worker.code, safe_word=said, done=0)
    visits.add(desk, tx, visit, "assigned", worker.code, {"worker": staff.shown(worker), "safe_word": said})
    return visit


def release(desk: Desk, tx: Transaction, visit: Row, cause: str) -> Row:
    """Who was named does not go, and nobody else is named. Raises Problem 409 where nobody was, 422."""
    if visit["worker"] is None:
        raise Problem(409, "wrong_state", "Nobody is assigned")
    if cause not in CAUSES:
        raise Problem(422, "invalid", f"cause is one of {', '.join(CAUSES)}")
    visits.add(desk, tx, visit, "released", visit["worker"], {"cause": cause})
    return visits.alter(desk, tx, visit["reference"], worker=None, planned=visit["planned"] + 1)


def free(desk: Desk, tx: Transaction, visit: Row) -> list[Worker]:
    """Who of the pool's staff has nothing else in the window, who was wished for first, then by the work they have."""
    have: dict[str, int] = {}
    busy = set()
    for other in visits.select(tx, f"v.account = ? AND v.worker IS NOT NULL AND {visits.LIVE}", (visit["account"],)):
        have[other["worker"]] = have.get(other["worker"], 0) + 1
        if other["reference"] != visit["reference"] and _overlap(other, visit):
            busy.add(other["worker"])
    wished = json.loads(visit["answers"]).get("escort_sex")
    able = [each for each in staff.everybody(tx, visit["account"]) if each.active and each.pool == visit["pool"]]
    return sorted(
        (each for each in able if each.code not in busy),
        key=lambda each: (wished not in (None, each.sex), have.get(each.code, 0), each.code),
    )


def _busy(desk: Desk, tx: Transaction, visit: Row) -> Worker | None:
    """Somebody who is elsewhere in the window."""
    for other in visits.select(tx, f"v.account = ? AND v.worker IS NOT NULL AND {visits.LIVE}", (visit["account"],)):
        if other["reference"] != visit["reference"] and _overlap(other, visit):
            return staff.find(tx, desk.account.code, other["worker"])
    return None


def _overlap(one: Row, other: Row) -> bool:
    moments = [datetime.fromisoformat(each) for it in (one, other) for each in (it["starts_at"], it["ends_at"])]
    return moments[0] < moments[3] and moments[2] < moments[1]


def _plan_next(desk: Desk, tx: Transaction, visit: Row) -> None:
    """Have what the script has next be done in its time; not where a fault says so, and never of itself in tests."""
    way, done = desk.account.escorts, visit["done"]
    if way is None or done >= len(script.DAY) or visit["our_reference"].startswith(TEST_PREFIX):
        return
    comes, late = script.DAY[done], 0.0
    if done == 0:
        fault = desk.faults.take("escort", ("escort_late", "escort_absent"), visit["our_reference"])
        if fault is not None and fault.fault == "escort_absent":
            return
        late = 0.0 if fault is None else fault.seconds
        visit = visits.alter(desk, tx, visit["reference"], late=late)
    starts, ends = (datetime.fromisoformat(visit[name]) for name in ("starts_at", "ends_at"))
    at = starts - timedelta(seconds=comes.before) + comes.part * (ends - starts) + timedelta(seconds=visit["late"])
    if way.every is not None:
        at = desk.ledger.now() + timedelta(seconds=way.every + late)
    visit = visits.alter(desk, tx, visit["reference"], planned=visit["planned"] + 1)
    _plan_at(desk, tx, visit, f"step:{visit['planned']}", at)


def _plan_at(desk: Desk, tx: Transaction, visit: Row, action: str, at: datetime) -> None:
    way, now = desk.account.escorts, desk.ledger.now()
    seconds = (at - now).total_seconds()
    if action == "cancel" and way is not None and way.every is not None:
        seconds = way.every
    bookings.plan(desk, tx, visit["reference"], PREFIX + action, max(0.0, seconds))


def step(desk: Desk, tx: Transaction, visit: Row) -> dict[str, Any]:
    """What the script has next, done by who goes; then the next is planned. Raises Problem 409 where all is done or
    nobody goes."""
    if visit["worker"] is None or visit["done"] >= len(script.DAY):
        raise Problem(409, "wrong_state", "Nobody goes, or all is done")
    kind, ours = script.DAY[visit["done"]].kind, visit["our_reference"]
    if kind == "arrived" and desk.faults.take("escort", ("escort_swapped",), ours) is not None:
        before, visit = visit["worker"], assign(desk, tx, visit)
        line = do(desk, tx, visit, kind, before)
        _plan_next(desk, tx, visit)
        return line
    if kind == "arrived" and desk.faults.take("escort", ("escort_released",), ours) is not None:
        release(desk, tx, visit, "ill")
        return {}
    content: dict[str, Any] = {}
    if kind == "met" and desk.faults.take("escort", ("escort_wrong_code",), ours) is not None:
        content = {"position": None, "accuracy_m": None, "code": "0000"}
    line = do(desk, tx, visit, kind, visit["worker"], content)
    _plan_next(desk, tx, visits.alter(desk, tx, visit["reference"], done=script.after(kind)))
    return line


def do(
    desk: Desk, tx: Transaction, visit: Row, kind: str, escort: str, content: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A deed of an escort: the script's, but for the `content` that is given; what is None there is left out. Moves the
    booking where who goes did it."""
    said = {**script.content_of(kind), **(content or {})}
    if script.pictured(kind) and "picture" not in said:
        said |= draw(desk, tx, visit, papers.sheet(visit["reference"], kind))
    line = visits.add(desk, tx, visit, kind, escort, {name: each for name, each in said.items() if each is not None})
    move, row = script.MOVES.get(kind), bookings.find(desk, tx, visit["reference"])
    goes_on = escort == visit["worker"] and row["status"] != "fulfilled"
    if move is not None and goes_on and row["status"] in bookings.MOVES[move][0]:
        bookings.move(desk, tx, visit["reference"], move)
    return line


def order(desk: Desk, tx: Transaction, reference: str, kind: str) -> dict[str, Any]:
    """One of KINDS in a test booking, now. Raises Problem."""
    tend(desk, tx)
    visit = visits.find(desk, tx, reference)
    if kind == "assigned":
        assign(desk, tx, visit)
        return {}
    if kind == "released":
        release(desk, tx, visit, "ill")
        return {}
    if visit["worker"] is None:
        raise Problem(409, "wrong_state", "Nobody is assigned")
    return do(desk, tx, visit, kind, visit["worker"])
