"""The HTTP protocol as this provider speaks it: POST /p/<account>/<method>, see docs/day-capacity-protocol.md."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from providers.sandbox import faults, test_mode
from providers.sandbox.bookings import Desk
from providers.sandbox.control import control
from providers.sandbox.day_capacity import orders
from providers.sandbox.day_capacity.envelope import Failure, Nonces, answer, opened
from providers.sandbox.day_capacity.results import as_told, in_own_words
from providers.sandbox.faults import Fault, Voice
from providers.sandbox.problems import Problem
from providers.sandbox.reports import document
from providers.sandbox.reports.report import find_report, listed

gateway = Blueprint("gateway", __name__, url_prefix="/p/<code>")
MAX_BODY = 1024 * 1024

Process = Callable[[], Any]
"""Carries a call out and returns its `data`."""


def create_app(desks: Mapping[str, Desk]) -> Flask:
    """The server's application over the given accounts."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.extensions["desks"] = desks
    app.extensions["nonces"] = {code: Nonces() for code in desks}
    app.register_blueprint(gateway)
    app.register_blueprint(control)
    app.register_error_handler(Problem, lambda problem: problem.response())
    app.register_error_handler(HTTPException, _http_problem)
    return app


def _http_problem(error: HTTPException) -> Response:
    return Problem(error.code or 500, "http_error", error.name).response()


@gateway.errorhandler(Failure)
def _failed(failure: Failure) -> Response:
    return answer(g.get("desk"), failure.code, failure.data, failure.detail)


@gateway.errorhandler(Problem)
def _refused(problem: Problem) -> Response:
    return answer(g.desk, orders.FAIL_CODES.get(problem.code, 1099))


@gateway.post("/<method>")
def call(code: str, method: str) -> Response:
    """Any method. What cannot be carried out is told by the envelope's code."""
    g.desk = current_app.extensions["desks"].get(code)
    if g.desk is None:
        raise Failure(1003)
    biz = opened(g.desk, current_app.extensions["nonces"][code], method, request.get_json(silent=True))
    begin = METHODS.get(method)
    if begin is None:
        raise Failure(1001, "no such method")
    command, about, process = begin(g.desk, biz)
    fault = g.desk.faults.take(command, about=about) or faults.by_manner(g.desk.account, command, about)
    return faults.answer(fault, lambda: answer(g.desk, 0, process()), VOICE)


# --- the methods: the sandbox's word for the command, what it is about, and how it is carried out ---------------------


def _schedule_query(desk: Desk, biz: Mapping[str, Any]) -> tuple[str, str, Process]:
    return "slots", "", lambda: orders.schedules(desk, biz)


def _order_create(desk: Desk, biz: Mapping[str, Any]) -> tuple[str, str, Process]:
    wish = orders.wish(biz)
    return "reserve", wish["our_reference"], lambda: _then(desk, orders.create(desk, wish))


def _order_cancel(desk: Desk, biz: Mapping[str, Any]) -> tuple[str, str, Process]:
    order, reason = orders.text(biz, "orderNo"), str(biz.get("reason") or "")[:100]
    return "cancel", order, lambda: _then(desk, orders.cancel(desk, order, reason))


def _order_query(desk: Desk, biz: Mapping[str, Any]) -> tuple[str, str, Process]:
    return "look_up", "", lambda: orders.query(desk, biz)


def _order_list(desk: Desk, biz: Mapping[str, Any]) -> tuple[str, str, Process]:
    return "bookings", "", lambda: orders.listing(desk, biz)


def _report_list(desk: Desk, biz: Mapping[str, Any]) -> tuple[str, str, Process]:
    return "reports", "", lambda: orders.reports(desk, biz)


def _report_fetch(desk: Desk, biz: Mapping[str, Any]) -> tuple[str, str, Process]:
    number, version = orders.text(biz, "reportNo"), orders.number(biz, "reportVersion", 1, 10**6, 10**6)
    with desk.ledger.reading() as tx:
        row = find_report(tx, desk.account.code, number, None if version == 10**6 else version)
    if row is None:
        raise Failure(1030)
    content = json.loads(row["content"])
    content["items"] = [in_own_words(item) for item in content["items"]]
    paper = _paper(json.dumps(listed(row)), json.dumps(content))
    told = {
        **orders.listed(desk, row),
        "summary": content["conclusion"],
        "items": [as_told(item) for item in content["items"]],
        "pdf": base64.b64encode(paper).decode(),
    }
    return "report", number, lambda: told


def _test_query(desk: Desk, _biz: Mapping[str, Any]) -> tuple[str, str, Process]:
    offer, pool = test_mode.suggested(desk)
    return "test", "", lambda: {"packageCode": offer, "orgCode": pool}


def _test_next(desk: Desk, biz: Mapping[str, Any]) -> tuple[str, str, Process]:
    return "test", "", _done(lambda: test_mode.order(desk, biz))


def _test_move(desk: Desk, biz: Mapping[str, Any]) -> tuple[str, str, Process]:
    order, action = orders.text(biz, "orderNo"), orders.text(biz, "action")
    return "test", "", _done(lambda: test_mode.move(desk, order, action))


def _test_forget(desk: Desk, biz: Mapping[str, Any]) -> tuple[str, str, Process]:
    order = orders.text(biz, "orderNo")
    return "test", "", _done(lambda: test_mode.forget(desk, order))


def _test_schedule(desk: Desk, biz: Mapping[str, Any]) -> tuple[str, str, Process]:
    slot = f"{orders.text(biz, 'orgCode', 100)}@{orders.day(biz, 'scheduleDate'):%Y%m%d}"
    closed = orders.number(biz, "status", 0, 1, 1) == 0
    return "test", "", _done(lambda: test_mode.set_slot(desk, slot, biz.get("total"), closed))


def _done(act: Callable[[], None]) -> Process:
    """A call that has nothing to tell but that it was carried out."""

    def process() -> dict[str, Any]:
        act()
        return {}

    return process


def _then(desk: Desk, done: Any) -> Any:
    desk.sender.wake()
    return done


@lru_cache(maxsize=32)
def _paper(report: str, content: str) -> bytes:
    return document.draw("青禾示范体检中心", json.loads(report), json.loads(content))


METHODS: dict[str, Callable[[Desk, Mapping[str, Any]], tuple[str, str, Process]]] = {
    "schedule.query": _schedule_query,
    "order.create": _order_create,
    "order.cancel": _order_cancel,
    "order.query": _order_query,
    "order.list": _order_list,
    "report.list": _report_list,
    "report.fetch": _report_fetch,
    "test.query": _test_query,
    "test.next": _test_next,
    "test.move": _test_move,
    "test.forget": _test_forget,
    "test.schedule": _test_schedule,
}


# --- faults in this protocol's words ---------------------------------------------------------------------------------


def _refuse(fault: Fault) -> Response:
    if fault.fault == "sold_out":
        return answer(g.desk, 1011)
    return answer(g.desk, 1005 if fault.fault == "rate_limited" else 1006, {"retryAfter": fault.retry_after})


def _without_reference(response: Response) -> Response:
    body = response.get_json(silent=True) or {}
    data = body.get("data")
    for order in (data, *(data.get("orders", ()))) if isinstance(data, dict) else ():
        order.pop("outOrderNo", None)
    return Response(json.dumps(body, ensure_ascii=False), 200, content_type="application/json")


VOICE = Voice(_refuse, lambda: answer(g.desk, 1099), _without_reference)
