"""Consultations as the protocol has them: /p/<account>/consultations and the roster."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, g, request

from providers.sandbox import faults
from providers.sandbox.bookings import Desk, Reply
from providers.sandbox.consultations import cases, doctors, hear, rota, say
from providers.sandbox.problems import Problem
from providers.sandbox.wire import answered, as_json, check_person, read_body, read_key, read_number

consultations = Blueprint("consultations", __name__, url_prefix="/p/<code>")
PAGE_SIZE = 200
LARGEST_BODY = 8 * 1024 * 1024


def has_doctors() -> None:
    """What an account without doctors does not answer. Raises Problem 404."""
    if g.desk.account.consultations is None:
        raise Problem(404, "http_error", "Not Found")


def _answer(command: str, about: str, process: Callable[[], Response]) -> Response:
    desk: Desk = g.desk
    return faults.answer(desk.faults.take(command, about=about), process)


@consultations.post("/consultations")
def begin() -> Response:
    """Begin a consultation."""
    desk, key = g.desk, read_key()
    body = read_body("our_reference", "offer", "department", "language")
    check_person(body)
    return _answer("open", body["our_reference"], lambda: answered(cases.open_case(desk, key, body)))


@consultations.post("/consultations/<reference>/messages")
def take(reference: str) -> Response:
    """What the customer said."""
    request.max_content_length = LARGEST_BODY
    desk, key, body = g.desk, read_key(), read_body("id", "our_reference", "sent_at")
    if key != body["id"]:
        raise Problem(422, "invalid", "The Idempotency-Key of a message is its id")
    return _answer("post", body["our_reference"], lambda: answered(hear.hear(desk, key, reference, body)))


@consultations.get("/consultations/<reference>/messages")
def lines(reference: str) -> Response:
    """What doctors said, by number."""
    after, limit = read_number("after", 0, 0, 2**31 - 1), read_number("limit", PAGE_SIZE, 1, PAGE_SIZE)
    with g.desk.ledger.reading() as tx:
        case = cases.find(g.desk, tx, reference)
        found = say.lines_after(tx, case, after, limit + 1)
    page = {"messages": found[:limit], "next": found[limit - 1]["seq"] if len(found) > limit else None}
    return _answer("messages", case["our_reference"], lambda: as_json(page))


@consultations.post("/consultations/<reference>/close")
def close(reference: str) -> Response:
    """It is over at the customer's side."""
    desk, key, body = g.desk, read_key(), read_body("our_reference", "reason")

    def process() -> Response:
        reply: Reply = cases.close_case(desk, key, reference, body)
        rota.look_again(desk)
        return answered(reply)

    return _answer("close", body["our_reference"], process)


@consultations.get("/consultations/<reference>/pictures/<identifier>")
def picture(reference: str, identifier: str) -> Response:
    """A picture that a doctor sent."""
    with g.desk.ledger.reading() as tx:
        case = cases.find(g.desk, tx, reference)
        content = say.picture(tx, case, identifier)
    if content is None:
        raise Problem(404, "unknown_picture", "There is no such picture")
    return _answer("picture", case["our_reference"], lambda: Response(content, content_type="image/png"))


@consultations.get("/clinicians")
def roster() -> Response:
    """Who may answer."""
    with g.desk.ledger.reading() as tx:
        known = [doctors.shown(each) for each in doctors.everybody(tx, g.desk.account.code) if each.active]
    return _answer("clinicians", "", lambda: as_json({"clinicians": known}))
