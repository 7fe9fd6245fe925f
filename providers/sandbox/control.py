"""Strings to pull in tests and demonstrations: faults, bookings' moves, capacity. From this machine only."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, request

from providers.sandbox import bookings, proposals, secretly, slots
from providers.sandbox.bookings import DEAD, MOVES, Desk
from providers.sandbox.config import ConfigError, change_settings, parse_pools
from providers.sandbox.consultations import rota
from providers.sandbox.consultations.doctors import BadPractice
from providers.sandbox.escorts import dispatch
from providers.sandbox.escorts.staff import BadStaff
from providers.sandbox.faults import BadFault
from providers.sandbox.problems import Problem

control = Blueprint("control", __name__, url_prefix="/_control")


@control.before_request
def _this_machine_only() -> None:
    address = ip_address(request.remote_addr or "0.0.0.0")
    if not (getattr(address, "ipv4_mapped", None) or address).is_loopback:
        raise Problem(404, "http_error", "Not Found")


@control.url_value_preprocessor
def _find_account(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    if values and "code" in values:
        g.desk = current_app.extensions["desks"].get(values.pop("code"))
        if g.desk is None:
            raise Problem(404, "unknown_account", "There is no such account")


@control.errorhandler(BadFault)
@control.errorhandler(ConfigError)
@control.errorhandler(BadPractice)
@control.errorhandler(BadStaff)
def _invalid(error: ValueError) -> Response:
    return Problem(422, "invalid", "The wish cannot be met", str(error)).response()


def read_wish() -> dict[str, Any]:
    """What is wished; nothing is wished without a body."""
    wish = request.get_json(silent=True) if request.data else {}
    if not isinstance(wish, dict):
        raise Problem(400, "invalid", "The body is not a JSON object")
    return wish


@control.get("/health")
def health() -> Response:
    """The server is up; the accounts it plays."""
    return jsonify(ok=True, accounts=sorted(current_app.extensions["desks"]))


@control.get("/accounts/<code>/bookings")
def ledger() -> Response:
    """All bookings of the account, the oldest first, each with `live`; `our_reference` narrows it."""
    desk: Desk = g.desk
    wanted = request.args.get("our_reference")
    with desk.ledger.reading() as tx:
        rows = tx.execute(
            "SELECT * FROM booking WHERE account = ? AND (our_reference = ? OR ? IS NULL) ORDER BY created_at, seq",
            (desk.account.code, wanted, wanted),
        ).fetchall()
    return jsonify(bookings=[{**bookings.shown(row), "live": row["status"] not in DEAD} for row in rows])


@control.post("/accounts/<code>/bookings/<reference>/<action>")
def move(reference: str, action: str) -> Response:
    """Move a booking: confirm, reject, check_in, start, fulfil, no_show, cancel; or issue (or correct) its report."""
    desk: Desk = g.desk
    if action not in (*MOVES, "report"):
        raise Problem(404, "unknown_action", f"Actions are {', '.join((*MOVES, 'report'))}")
    reason = str(read_wish().get("reason", ""))
    with desk.ledger.transaction() as tx:
        if action == "report":
            row = bookings.find(desk, tx, reference)
            bookings.issue_report(desk, tx, row)
        else:
            row = bookings.move(desk, tx, reference, action, reason)
        rota.assign(desk, tx)
        dispatch.tend(desk, tx)
    desk.sender.wake()
    return jsonify(bookings.shown(row))


@control.route("/accounts/<code>/bookings/<reference>/proposal", methods=["POST", "DELETE"])
def proposal(reference: str) -> Response:
    """POST: propose another `slot`, to be answered within `seconds`, with a `reason`; DELETE: take it back."""
    desk: Desk = g.desk
    with desk.ledger.transaction() as tx:
        if request.method == "POST":
            row = proposals.propose(desk, tx, reference, read_wish())
        else:
            row = proposals.withdraw_proposal(desk, tx, reference)
    desk.sender.wake()
    return jsonify(bookings.shown(row))


@control.patch("/accounts/<code>/bookings/<reference>")
def alter(reference: str) -> Response:
    """Change a booking's status, time or our_reference secretly: no webhook, nothing in the list of changes."""
    with g.desk.ledger.transaction() as tx:
        row = secretly.alter(g.desk, tx, reference, read_wish())
    return jsonify(bookings.shown(row))


@control.post("/accounts/<code>/bookings/<reference>/copy")
def copy(reference: str) -> tuple[Response, int]:
    """Add another booking like it secretly; with another our_reference it is one that nobody asked for."""
    with g.desk.ledger.transaction() as tx:
        row = secretly.copy(g.desk, tx, reference, read_wish())
    return jsonify(bookings.shown(row)), 201


@control.delete("/accounts/<code>/bookings/<reference>")
def lose(reference: str) -> tuple[str, int]:
    """Lose a booking secretly."""
    with g.desk.ledger.transaction() as tx:
        secretly.lose(g.desk, tx, reference)
    return "", 204


@control.put("/accounts/<code>/slots/<slot>")
def set_slot(slot: str) -> Response:
    """Another number of places (`offered`, null for the pattern's) or `closed`; bookings there stay as they are."""
    desk, wish = g.desk, read_wish()
    offered, closed = wish.get("offered"), wish.get("closed", False)
    if not isinstance(closed, bool) or not (offered is None or (type(offered) is int and offered >= 0)):
        raise Problem(422, "invalid", "offered is a number or null, closed is true or false")
    with desk.ledger.transaction() as tx:
        found = slots.find(tx, desk.account.code, slot, desk.ledger.now())
        if found is None:
            raise Problem(404, "unknown_slot", "There is no such slot")
        slots.override(tx, desk.account.code, found[1], offered, closed)
        changed = slots.find(tx, desk.account.code, slot, desk.ledger.now())
        desk.sender.queue(tx, "slots.changed", {"pools": [found[1].pool]})
    desk.sender.wake()
    return jsonify(vars(changed[1]) if changed is not None else {})


@control.post("/accounts/<code>/pools")
def add_pools() -> Response:
    """Register more pools, as in the configuration file."""
    pools = parse_pools(read_wish().get("pools"))
    return jsonify(changed=slots.register(g.desk.ledger, g.desk.account.code, pools, replace=False))


@control.patch("/accounts/<code>/settings")
def settings() -> Response:
    """Manner, times, automatic moves, webhook URL: until the next start."""
    wish = read_wish()
    account = change_settings(g.desk.account, wish)
    rota.look_again(g.desk, replan="consultations" in wish)
    dispatch.look_again(g.desk, replan="escorts" in wish)
    g.desk.sender.wake()
    return jsonify(manner=account.manner, auto=account.auto, confirm_after=account.confirm_after)


@control.get("/accounts/<code>/faults")
def list_faults() -> Response:
    """What is switched on, and how often it has struck."""
    return jsonify(faults=g.desk.faults.list())


@control.post("/accounts/<code>/faults")
def add_fault() -> tuple[Response, int]:
    """Switch a fault on."""
    return jsonify(g.desk.faults.add(read_wish())), 201


@control.delete("/accounts/<code>/faults")
def clear_faults() -> tuple[str, int]:
    """Switch all off."""
    g.desk.faults.clear()
    return "", 204


@control.get("/accounts/<code>/webhooks")
def webhooks() -> Response:
    """Every message with its state and tries."""
    return jsonify(webhooks=g.desk.sender.log())


@control.post("/accounts/<code>/webhooks/replay")
def replay() -> Response:
    """Send everything again."""
    return jsonify(queued=g.desk.sender.replay())
