"""The HTTP protocol as this provider speaks it: /p/<account>/…, see docs/provider-protocol.yaml."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from providers.sandbox import bookings, faults, proposals, slots
from providers.sandbox.bookings import Desk, Reply
from providers.sandbox.consultations import (
    rota,
    strings,  # noqa: F401  adds its routes to those of control
)
from providers.sandbox.consultations.routes import consultations, has_doctors
from providers.sandbox.control import control
from providers.sandbox.escorts import (
    dispatch,
    driving,  # noqa: F401  likewise
)
from providers.sandbox.escorts.routes import escorts, sends_escorts
from providers.sandbox.problems import Problem
from providers.sandbox.reports import document, files
from providers.sandbox.reports.report import find_report, listed, reports_since
from providers.sandbox.test_mode import testing
from providers.sandbox.wire import answered, as_json, check_person, read_body, read_date, read_key, read_number

protocol = Blueprint("protocol", __name__, url_prefix="/p/<code>")
MAX_BODY = 1024 * 1024
PAGE_SIZE = 200


def create_app(desks: Mapping[str, Desk]) -> Flask:
    """The server's application over the given accounts."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.extensions["desks"] = desks
    app.register_blueprint(protocol)
    app.register_blueprint(consultations)
    app.register_blueprint(escorts)
    app.register_blueprint(testing)
    app.register_blueprint(control)
    app.register_error_handler(Problem, lambda problem: problem.response())
    app.register_error_handler(HTTPException, _http_problem)
    return app


def _http_problem(error: HTTPException) -> Response:
    return Problem(error.code or 500, "http_error", error.name).response()


@testing.url_value_preprocessor
@consultations.url_value_preprocessor
@escorts.url_value_preprocessor
@protocol.url_value_preprocessor
def _find_account(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    g.desk = current_app.extensions["desks"].get((values or {}).pop("code", ""))


@testing.before_request
@consultations.before_request
@escorts.before_request
@protocol.before_request
def _authorise() -> None:
    given = request.headers.get("Authorization", "").encode()
    keys = g.desk.account.api_keys if g.desk is not None else ()
    if not any([hmac.compare_digest(given, f"Bearer {key}".encode()) for key in keys]):
        raise Problem(401, "unauthorized", "The API key is missing or wrong")


consultations.before_request(has_doctors)
escorts.before_request(sends_escorts)


def _answer(command: str, about: str, process: Callable[[], Response]) -> Response:
    desk: Desk = g.desk
    fault = desk.faults.take(command, about=about) or faults.by_manner(desk.account, command, about)
    return faults.answer(fault, process)


def _tended(reply: Reply) -> Response:
    """The answer, once those who send somebody have looked at what changed."""
    dispatch.look_again(g.desk)
    return answered(reply)


@protocol.get("/slots")
def list_slots() -> Response:
    """Slots of all pools; with `cursor` only what changed."""
    days = read_date(request.args.get("from", ""), "from"), read_date(request.args.get("to", ""), "to")
    tokens = request.args.get("cursor"), request.args.get("page")
    limit = read_number("limit", slots.PAGE_LIMIT, 1, slots.PAGE_LIMIT)
    try:
        page = slots.pull(g.desk.ledger, g.desk.account.code, days, tokens, limit)
    except slots.BadCursor as error:
        raise Problem(400, "bad_cursor", "The cursor or page was not handed out here") from error
    return _answer("slots", "", lambda: as_json(page))


@protocol.post("/bookings")
def reserve() -> Response:
    """Take a place."""
    desk, key, body = g.desk, read_key(), read_body("our_reference", "offer", "pool", "slot")
    check_person(body)
    return _answer("reserve", body["our_reference"], lambda: _tended(bookings.reserve(desk, key, body)))


@protocol.post("/changes")
def change() -> Response:
    """Move a booking to another slot."""
    desk, key, body = g.desk, read_key(), read_body("our_reference", "reference", "slot")
    return _answer("change", key, lambda: _tended(bookings.change(desk, key, body)))


@protocol.post("/bookings/<reference>/proposal/decline")
def decline(reference: str) -> Response:
    """Turn down a proposed time."""
    desk, key, body = g.desk, read_key(), read_body("our_reference", "slot")
    return _answer("decline", key, lambda: answered(proposals.decline(desk, key, reference, body)))


@protocol.post("/cancellations")
def cancel() -> Response:
    """Cancel a booking."""
    desk, key, body = g.desk, read_key(), read_body("our_reference")
    return _answer("cancel", key, lambda: answered(rota.cancel(desk, key, body)))


@protocol.get("/lookup")
def look_up() -> Response:
    """What exists under exactly one of: an idempotency key, a reference, our reference."""
    asked = {name: value for name, value in request.args.items() if value}
    if len(asked) != 1:
        raise Problem(422, "invalid", "Give exactly one of idempotency_key, reference, our_reference")
    account = g.desk.account.code
    with g.desk.ledger.reading() as tx:
        if "idempotency_key" in asked:
            row = bookings.by_key(tx, account, asked["idempotency_key"])
        elif "reference" in asked:
            row = bookings.get(tx, account, asked["reference"])
        else:
            row = next(iter(bookings.by_our_reference(tx, account, asked.get("our_reference", ""))), None)
    found = Problem(404, "unknown_booking", "Not known").response() if row is None else as_json(bookings.shown(row))
    return _answer("look_up", "", lambda: found)


def _changes(name: str, find: Callable[..., list[Any]], show: Callable[[Any], dict[str, Any]]) -> Response:
    text = request.args.get("page") or request.args.get("cursor") or "0"
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Problem(400, "bad_cursor", "The cursor or page was not handed out here")
    limit = read_number("limit", PAGE_SIZE, 1, 1000)
    with g.desk.ledger.reading() as tx:
        rows = find(tx, g.desk.account.code, int(text), limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    token = str(rows[-1]["seq"]) if rows else text
    page = {name: [show(row) for row in rows], "next": token if more else None, "cursor": None if more else token}
    return _answer(name, "", lambda: as_json(page))


@protocol.get("/bookings")
def list_bookings() -> Response:
    """Bookings that changed since a cursor, or all of a range of service dates."""
    if "from" in request.args or "to" in request.args:
        return _bookings_in_days()
    return _changes("bookings", bookings.changed_since, bookings.shown)


def _bookings_in_days() -> Response:
    first, last = (read_date(request.args.get(name, ""), name).isoformat() for name in ("from", "to"))
    limit = read_number("limit", PAGE_SIZE, 1, 1000)
    with g.desk.ledger.reading() as tx:
        rows = bookings.in_days(tx, g.desk.account.code, (first, last), request.args.get("page", ""), limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    page = {
        "bookings": [bookings.shown(row) for row in rows],
        "next": rows[-1]["reference"] if more else None,
        "cursor": None,
    }
    return _answer("bookings", "", lambda: as_json(page))


@protocol.get("/reports")
def list_reports() -> Response:
    """Reports that came or changed since a cursor."""
    return _changes("reports", reports_since, listed)


def _report(reference: str) -> tuple[dict[str, Any], dict[str, Any], tuple[str, bytes]]:
    version = read_number("version", 0, 0, 10**6) or None
    with g.desk.ledger.reading() as tx:
        row = find_report(tx, g.desk.account.code, reference, version)
    if row is None:
        raise Problem(404, "unknown_report", "There is no such report")
    file = _file(g.desk.account.report_file, json.dumps(listed(row)), row["content"])
    return listed(row), json.loads(row["content"]), file


@lru_cache(maxsize=32)
def _file(kind: str, report: str, content: str) -> tuple[str, bytes]:
    about, results = json.loads(report), json.loads(content)
    return files.deliver(kind, lambda: document.draw("安享示范体检中心", about, results), about, results)


@protocol.get("/reports/<reference>")
def get_report(reference: str) -> Response:
    """Items and conclusion; of a report in FHIR they stand in its file alone."""
    report, content, (kind, file) = _report(reference)
    about = {"type": kind, "size": len(file), "sha256": hashlib.sha256(file).hexdigest()}
    inside = kind == "application/fhir+json"
    items, conclusion = ([], "") if inside else (content["items"], content["conclusion"])
    shown = {**report, "items": items, "conclusion": conclusion, "document": about}
    return _answer("report", reference, lambda: as_json(shown))


@protocol.get("/reports/<reference>/document")
def get_document(reference: str) -> Response:
    """The file, a PDF unless the account delivers another form."""
    kind, file = _report(reference)[2]
    return _answer("document", reference, lambda: Response(file, content_type=kind))
