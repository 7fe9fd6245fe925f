"""The test mode: what a provider's tester may have done to test bookings, and to them alone
(docs/partner/conformance.md). Test bookings carry a reference of the marketplace's that begins with `kit-`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from providers.sandbox import bookings, secretly, slots
from providers.sandbox.bookings import DEAD, MOVES, Desk
from providers.sandbox.consultations import cases, rota
from providers.sandbox.escorts import dispatch
from providers.sandbox.faults import TEST_PREFIX
from providers.sandbox.ledger import Transaction
from providers.sandbox.problems import Problem

testing = Blueprint("testing", __name__, url_prefix="/p/<code>/test")
ANSWERS = {"hang": "commit_then_hang", "rate_limited": "rate_limited"}
COMMANDS = ("reserve", "open")
LONGEST_SECONDS = 30.0


def suggested(desk: Desk, *, escorts: bool = False) -> tuple[str, str]:
    """(offer, pool) for tests: an offer without rules of a pool that nobody has booked in, if there is such a one.
    `escorts`: one for which somebody is sent; else another one, as long as there is any."""
    found = _suggested(desk, lambda code: desk.account.sends(code) == escorts)
    return found if found[0] or escorts else _suggested(desk, lambda _code: True)


def _suggested(desk: Desk, wanted: Callable[[str], bool]) -> tuple[str, str]:
    live = f"SELECT 1 FROM booking WHERE account = ? AND pool = ? AND status NOT IN {DEAD} LIMIT 1"
    found = ("", "")
    with desk.ledger.reading() as tx:
        for known in slots.known_pools(tx, desk.account.code):
            offers = [code for code, rules in known.pool.offers.items() if not rules and wanted(code)]
            if not known.active or not offers:
                continue
            found = found if found[0] else (offers[0], known.pool.code)
            if tx.execute(live, (desk.account.code, known.pool.code)).fetchone() is None:
                return offers[0], known.pool.code
    return found


def order(desk: Desk, wish: Mapping[str, Any]) -> None:
    """The next reserve of a test booking, or opening of a test consultation, is answered so. Raises Problem 422."""
    does, seconds, command = str(wish.get("does", "")), wish.get("seconds", 1), wish.get("command", "reserve")
    number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and 0 <= seconds <= LONGEST_SECONDS
    if does not in ANSWERS or command not in COMMANDS or not number:
        possible = f"{', '.join(ANSWERS)}, for {' or '.join(COMMANDS)}"
        raise Problem(422, "invalid", f"does is one of {possible}, within {LONGEST_SECONDS:g} s")
    desk.faults.add(
        {
            "fault": ANSWERS[does],
            "command": command,
            "about": TEST_PREFIX,
            "seconds": seconds,
            "retry_after": int(seconds),
        }
    )


def move(desk: Desk, reference: str, action: str) -> None:
    """A test booking goes on, or its report is issued or corrected; in a test consultation a doctor says something, in
    a test escort somebody is named or does something. Raises Problem."""
    escorted = dispatch.KINDS if desk.account.escorts is not None else ()
    actions = (*MOVES, "report", *rota.ORDERS, *escorted)
    if action not in actions:
        raise Problem(404, "unknown_action", f"Actions are {', '.join(actions)}")
    with desk.ledger.transaction() as tx:
        row = _test_booking(desk, tx, reference)
        if action in rota.ORDERS:
            rota.order(desk, tx, cases.find(desk, tx, reference), action)
        elif action in escorted:
            dispatch.order(desk, tx, reference, action)
        elif action == "report":
            bookings.issue_report(desk, tx, row)
        else:
            bookings.move(desk, tx, reference, action)
    desk.sender.wake()


def forget(desk: Desk, reference: str) -> None:
    """Remove a test booking with its reports. Raises Problem."""
    with desk.ledger.transaction() as tx:
        _test_booking(desk, tx, reference)
        secretly.lose(desk, tx, reference)
        tx.execute("DELETE FROM report WHERE account = ? AND booking = ?", (desk.account.code, reference))
        for table in ("planned", "consultation", "heard", "said", "drawing", "visit"):
            tx.execute(f"DELETE FROM {table} WHERE account = ? AND reference = ?", (desk.account.code, reference))


def set_slot(desk: Desk, reference: str, offered: Any, closed: bool) -> None:
    """Another number of places, or not on sale. Raises Problem."""
    if not (offered is None or (type(offered) is int and offered >= 0)):
        raise Problem(422, "invalid", "offered is a number or null")
    with desk.ledger.transaction() as tx:
        found = slots.find(tx, desk.account.code, reference, desk.ledger.now())
        if found is None:
            raise Problem(404, "unknown_slot", "There is no such slot")
        slots.override(tx, desk.account.code, found[1], offered, closed)


def _test_booking(desk: Desk, tx: Transaction, reference: str) -> Any:
    row = bookings.find(desk, tx, reference)
    if not row["our_reference"].startswith(TEST_PREFIX):
        raise Problem(404, "unknown_booking", "There is no such test booking")
    return row


def _wish() -> dict[str, Any]:
    wish = request.get_json(silent=True) if request.data else {}
    if not isinstance(wish, dict):
        raise Problem(400, "invalid", "The body is not a JSON object")
    return wish


@testing.get("")
def info() -> Response:
    """There is a test mode; the offer and the pool to use."""
    offer, pool = suggested(g.desk)
    practice = g.desk.account.consultations
    consultation = None if practice is None else {"offer": practice.offers[0], "department": "general"}
    sent = suggested(g.desk, escorts=True) if g.desk.account.escorts is not None else ("", "")
    escort = {"offer": sent[0], "pool": sent[1]} if sent[0] else None
    return jsonify(offer=offer, pool=pool, consultation=consultation, escort=escort)


@testing.post("/next")
def next_answer() -> tuple[str, int]:
    """How the next test booking is answered."""
    order(g.desk, _wish())
    return "", 204


@testing.post("/bookings/<reference>/<action>")
def move_booking(reference: str, action: str) -> tuple[str, int]:
    """Move a test booking."""
    move(g.desk, reference, action)
    return "", 204


@testing.delete("/bookings/<reference>")
def forget_booking(reference: str) -> tuple[str, int]:
    """Remove a test booking."""
    forget(g.desk, reference)
    return "", 204


@testing.put("/slots/<slot>")
def alter_slot(slot: str) -> tuple[str, int]:
    """Alter a slot."""
    wish = _wish()
    set_slot(g.desk, slot, wish.get("offered"), wish.get("closed") is True)
    return "", 204


@testing.put("/webhooks")
def set_webhooks() -> tuple[str, int]:
    """Where events about test bookings go; null: where all go."""
    url = _wish().get("url")
    if not (url is None or (isinstance(url, str) and url.startswith(("http://", "https://")))):
        raise Problem(422, "invalid", "url is an address or null")
    g.desk.account.test_webhook_url = url or ""
    g.desk.sender.wake()
    return "", 204
