"""Escorts as the protocol has them: /p/<account>/escorts."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, g

from providers.sandbox import faults
from providers.sandbox.bookings import Desk
from providers.sandbox.consultations import say
from providers.sandbox.ledger import Row, Transaction
from providers.sandbox.problems import Problem
from providers.sandbox.wire import as_json, read_number

escorts = Blueprint("escorts", __name__, url_prefix="/p/<code>/escorts")
PAGE_SIZE = 200


def sends_escorts() -> None:
    """What an account without escorts does not answer. Raises Problem 404."""
    if g.desk.account.escorts is None:
        raise Problem(404, "http_error", "Not Found")


def _answer(command: str, about: str, process: Callable[[], Response]) -> Response:
    desk: Desk = g.desk
    return faults.answer(desk.faults.take(command, about=about), process)


def _booked(tx: Transaction, reference: str) -> Row:
    """The booking of an escort, named to somebody or not yet. Raises Problem 404."""
    found: Row | None = tx.execute(
        "SELECT * FROM booking WHERE account = ? AND reference = ?", (g.desk.account.code, reference)
    ).fetchone()
    if found is None or found["offer"] not in g.desk.account.escorts.offers:
        raise Problem(404, "unknown_booking", "There is no such escort")
    return found


@escorts.get("/<reference>/lines")
def lines(reference: str) -> Response:
    """What was done, by number."""
    after, limit = read_number("after", 0, 0, 2**31 - 1), read_number("limit", PAGE_SIZE, 1, PAGE_SIZE)
    with g.desk.ledger.reading() as tx:
        booking = _booked(tx, reference)
        found = say.lines_after(tx, booking, after, limit + 1)
    page = {"lines": found[:limit], "next": found[limit - 1]["seq"] if len(found) > limit else None}
    return _answer("lines", booking["our_reference"], lambda: as_json(page))


@escorts.get("/<reference>/pictures/<identifier>")
def picture(reference: str, identifier: str) -> Response:
    """A picture that an escort took."""
    with g.desk.ledger.reading() as tx:
        booking = _booked(tx, reference)
        content = say.picture(tx, booking, identifier)
    if content is None:
        raise Problem(404, "unknown_picture", "There is no such picture")
    return _answer("paper", booking["our_reference"], lambda: Response(content, content_type="image/jpeg"))
