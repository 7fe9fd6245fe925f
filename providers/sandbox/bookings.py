"""What a provider does with bookings: take them in, decide, move them on. Every change is one transaction with its
webhook and its number of change."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from providers.sandbox import slots
from providers.sandbox.config import Account
from providers.sandbox.faults import ON_DECISIONS, Faults, chance
from providers.sandbox.ledger import Ledger, Row, Transaction, next_seq
from providers.sandbox.problems import Problem
from providers.sandbox.reports.report import write_report
from providers.sandbox.webhooks import Sender

DEAD = ("rejected", "cancelled")
# action -> (states it starts from, state it ends in)
MOVES: dict[str, tuple[tuple[str, ...], str]] = {
    "confirm": (("requested",), "confirmed"),
    "reject": (("requested",), "rejected"),
    "check_in": (("confirmed", "no_show"), "checked_in"),
    "start": (("confirmed", "checked_in", "fulfilled"), "in_service"),
    "fulfil": (("confirmed", "checked_in", "in_service", "no_show"), "fulfilled"),
    "no_show": (("confirmed",), "no_show"),
    "cancel": (("requested", "confirmed", "checked_in", "in_service"), "cancelled"),
}
CANCELLABLE = ("requested", "confirmed")
NEXT_STEP = {"confirmed": "check_in", "checked_in": "start", "in_service": "fulfil"}
_COUNT = f"SELECT count(*) FROM booking WHERE account = ? AND slot = ? AND status NOT IN {DEAD}"


@dataclass
class Desk:
    """One account at work: its ledger, faults and outgoing messages."""

    account: Account
    ledger: Ledger
    faults: Faults
    sender: Sender


@dataclass(frozen=True)
class Reply:
    """The answer to a command, remembered under its key."""

    status: int
    document: Mapping[str, Any]
    reference: str | None = None


def once(desk: Desk, key: str, wish: Mapping[str, Any], act: Callable[[Transaction], Reply]) -> Reply:
    """Carry out the command once: the same key and wish get the first answer again, whatever happened since; refusals
    are remembered too. Raises Problem 422 for the same key with another wish."""
    digest = hashlib.sha256(json.dumps(wish, sort_keys=True).encode()).hexdigest()
    code = desk.account.code
    with desk.ledger.transaction() as tx:
        known = tx.execute("SELECT * FROM command WHERE account = ? AND key = ?", (code, key)).fetchone()
        if known is not None:
            if known["digest"] != digest:
                raise Problem(422, "idempotency_key_reused", "The key was used before with another body")
            return Reply(known["status"], json.loads(known["answer"]), known["reference"])
        try:
            reply = act(tx)
        except Problem as problem:
            reply = Reply(problem.status, problem.document())
        answer = json.dumps(reply.document, ensure_ascii=False)
        tx.execute(
            "INSERT INTO command VALUES (?, ?, ?, ?, ?, ?)", (code, key, digest, reply.reference, reply.status, answer)
        )
    desk.sender.wake()
    return reply


def reserve(desk: Desk, key: str, wish: Mapping[str, Any]) -> Reply:
    """Take a place: 201 confirmed, 202 to be decided, 409 refused with a code."""
    return once(desk, key, {"reserve": wish}, lambda tx: _reserve(desk, tx, wish))


def _reserve(desk: Desk, tx: Transaction, wish: Mapping[str, Any]) -> Reply:
    row = take_in(desk, tx, wish)
    return Reply(201 if row["status"] == "confirmed" else 202, shown(row), row["reference"])


def take_in(desk: Desk, tx: Transaction, wish: Mapping[str, Any]) -> Row:
    """A new booking of a slot. Raises Problem 409 with a code."""
    return enter(desk, tx, wish, _take_place(desk, tx, wish["slot"], wish))


def enter(desk: Desk, tx: Transaction, wish: Mapping[str, Any], slot: slots.Slot) -> Row:
    """Write a new booking, confirmed or to be decided by the account's manner."""
    account, now = desk.account, desk.ledger.now()
    prompt = account.manner == "prompt"
    wait = account.confirm_after
    if account.manner == "moody":
        wait *= 0.5 + 2.5 * chance(account, f"wait {wish['our_reference']}")
    reference = f"{account.code[:3].upper()}{now:%y%m%d}{secrets.token_hex(4).upper()}"
    answer_by = None if prompt else (now + timedelta(seconds=wait + 60)).isoformat(timespec="seconds")
    seq, moment = next_seq(tx), now.isoformat(timespec="milliseconds")
    columns = {
        "account": account.code,
        "reference": reference,
        "our_reference": wish["our_reference"],
        "offer": wish["offer"],
        "pool": slot.pool,
        "slot": slot.slot,
        "service_date": slot.service_date,
        "starts_at": slot.starts_at,
        "ends_at": slot.ends_at,
        "status": "confirmed" if prompt else "requested",
        "version": 1,
        "seq": seq,
        "person": json.dumps(wish["person"], ensure_ascii=False),
        "answers": json.dumps(wish.get("answers") or {}, ensure_ascii=False),
        "venue": json.dumps(wish["venue"], ensure_ascii=False) if wish.get("venue") else None,
        "created_at": moment,
        "updated_at": moment,
        "answer_by": answer_by,
    }
    tx.execute(
        f"INSERT INTO booking ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", list(columns.values())
    )
    row = find(desk, tx, reference)
    if prompt:
        announce(desk, tx, "booking.confirmed", row)
        _plan_next(desk, tx, row)
    else:
        plan(desk, tx, reference, "decide", wait)
    return row


def _take_place(desk: Desk, tx: Transaction, reference: str, wish: Mapping[str, Any] | None) -> slots.Slot:
    """The slot, if it has a place for this wish (None: for somebody who has one here already)."""
    found = slots.find(tx, desk.account.code, reference, desk.ledger.now())
    if found is None or (wish is not None and found[0].pool.code != wish["pool"]):
        raise Problem(409, "unknown_slot", "There is no such slot")
    known, slot = found
    if slot.starts_at is not None and datetime.fromisoformat(slot.starts_at) <= desk.ledger.now():
        raise Problem(409, "too_late", "The slot has begun")
    if wish is not None:
        _check_offer(known.pool.offers, wish, date.fromisoformat(slot.service_date))
    if slot.closed:
        raise Problem(409, "closed", "The slot is not on sale")
    if tx.execute(_COUNT, (desk.account.code, slot.slot)).fetchone()[0] >= slot.offered:
        raise Problem(409, "sold_out", "No place is left")
    return slot


def _check_offer(offers: Mapping[str, Mapping[str, Any]], wish: Mapping[str, Any], day: date) -> None:
    rules = offers.get(wish["offer"])
    if rules is None:
        raise Problem(409, "closed", "The offer is not on sale in this pool")
    born = date.fromisoformat(wish["person"]["birth_date"])
    age = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    sex = rules.get("sex")
    if (sex and sex != wish["person"]["sex"]) or not rules.get("min_age", 0) <= age <= rules.get("max_age", 200):
        raise Problem(409, "not_eligible", "The offer is not for this person")


def change(desk: Desk, key: str, wish: Mapping[str, Any]) -> Reply:
    """Move a booking to another slot of any pool that sells its offer; the old place stands until the new is taken."""
    return once(desk, key, {"change": wish}, lambda tx: _change(desk, tx, wish))


def _change(desk: Desk, tx: Transaction, wish: Mapping[str, Any]) -> Reply:
    row = find_own(desk, tx, wish)
    if row["status"] not in CANCELLABLE or not row["slot"]:
        raise Problem(409, "too_late", "The booking cannot be changed any more")
    if row["slot"] == wish["slot"]:
        return Reply(200, shown(row), row["reference"])
    slot = _take_place(desk, tx, wish["slot"], None)
    moved = {
        "pool": slot.pool,
        "slot": slot.slot,
        "service_date": slot.service_date,
        "starts_at": slot.starts_at,
        "ends_at": slot.ends_at,
    }
    if row["status"] == "requested" and row["proposal"] and json.loads(row["proposal"])["slot"] == slot.slot:
        moved["status"] = "confirmed"  # at the time that we proposed ourselves
    row = write(desk, tx, row["reference"], moved)
    announce(desk, tx, "booking.changed", row)
    _plan_next(desk, tx, row)  # at a new day, or confirmed by this
    return Reply(200, shown(row), row["reference"])


def cancel(desk: Desk, key: str, wish: Mapping[str, Any]) -> Reply:
    """Cancel by reference, or everything under our reference. Again is the same as once."""
    return once(desk, key, {"cancel": wish}, lambda tx: _cancel(desk, tx, wish))


def _cancel(desk: Desk, tx: Transaction, wish: Mapping[str, Any]) -> Reply:
    if wish.get("reference"):
        rows = [find_own(desk, tx, wish)]
    else:
        rows = by_our_reference(tx, desk.account.code, wish["our_reference"])
    if not rows:
        raise Problem(404, "unknown_booking", "There is no such booking")
    live = [row for row in rows if row["status"] not in DEAD]
    if any(row["status"] not in CANCELLABLE for row in live):
        raise Problem(409, "too_late", "The booking cannot be cancelled any more")
    last = rows[0]
    for row in live:
        last = withdraw(desk, tx, row["reference"], str(wish.get("reason") or ""))
    return Reply(200, shown(last), last["reference"])


def withdraw(desk: Desk, tx: Transaction, reference: str, reason: str) -> Row:
    """Cancel a live booking at the customer's wish."""
    row = write(desk, tx, reference, {"status": "cancelled", "reason": reason})
    announce(desk, tx, "booking.cancelled", row)
    return row


def find(desk: Desk, tx: Transaction, reference: str) -> Row:
    """The booking with this reference. Raises Problem 404."""
    row = get(tx, desk.account.code, reference)
    if row is None:
        raise Problem(404, "unknown_booking", "There is no such booking")
    return row


def find_own(desk: Desk, tx: Transaction, wish: Mapping[str, Any]) -> Row:
    """The booking a command names, with both references agreeing. Raises Problem 404."""
    row = find(desk, tx, wish["reference"])
    if row["our_reference"] != wish["our_reference"]:
        raise Problem(404, "unknown_booking", "There is no such booking")
    return row


def move(desk: Desk, tx: Transaction, reference: str, action: str, reason: str = "") -> Row:
    """One of MOVES, with its webhook. Raises Problem: 404 unknown, 409 not from this state."""
    row = find(desk, tx, reference)
    starts, end = MOVES[action]
    if row["status"] not in starts:
        raise Problem(409, "wrong_state", f"A booking that is {row['status']} cannot {action.replace('_', ' ')}")
    row = write(desk, tx, reference, {"status": end, "reason": reason})
    announce(desk, tx, f"booking.{end}", row)
    if end == "fulfilled" and row["slot"] and not desk.account.sends(row["offer"]):
        plan(desk, tx, reference, "report", desk.account.report_after)
    _plan_next(desk, tx, row)
    return row


def decide(desk: Desk, tx: Transaction, reference: str) -> None:
    """Confirm what was requested, or reject it if a fault or a moody provider's dice say so."""
    row = get(tx, desk.account.code, reference)
    if row is None or row["status"] != "requested" or row["proposal"] is not None:
        return
    account = desk.account
    moody = account.manner == "moody" and chance(account, f"refuse {row['our_reference']}") < account.dice.get(
        "refuse", 0.0
    )
    if desk.faults.take("decide", ON_DECISIONS, row["our_reference"]) is not None:
        return
    if moody or desk.faults.take("decide") is not None:
        move(desk, tx, reference, "reject", "sold_out")
    else:
        move(desk, tx, reference, "confirm")


def _plan_next(desk: Desk, tx: Transaction, row: Row) -> None:
    step = NEXT_STEP.get(row["status"])
    if step is None or not desk.account.auto or not row["slot"] or desk.account.sends(row["offer"]):
        return
    while step is not None and step not in desk.account.auto:
        step = NEXT_STEP.get(MOVES[step][1])
    if step is not None:
        seconds = float(desk.account.auto[step])
        plan(desk, tx, row["reference"], step, max(seconds, _until_its_day(desk, tx, row)))


def _until_its_day(desk: Desk, tx: Transaction, row: Row) -> float:
    """Seconds until the booking's day begins in its pool's zone: nobody comes before that. 0 or less when it has."""
    zone = ZoneInfo(slots.zone_of(tx, desk.account.code, row["pool"]) or desk.account.time_zone)
    begins = datetime.combine(date.fromisoformat(row["service_date"]), time(), zone)
    return (begins - desk.ledger.now()).total_seconds()


def plan(desk: Desk, tx: Transaction, reference: str, action: str, seconds: float) -> None:
    """Do `action` with the booking in so many seconds, also after a restart."""
    due = desk.ledger.timestamp() + seconds
    tx.execute(
        "INSERT INTO planned (account, reference, action, due_at) VALUES (?, ?, ?, ?)",
        (desk.account.code, reference, action, due),
    )


def carry_out(desk: Desk, tx: Transaction, reference: str, action: str) -> None:
    """A planned action whose time has come; nothing if the booking has gone another way meanwhile."""
    if action == "decide":
        decide(desk, tx, reference)
    elif action == "end_proposal":
        row = get(tx, desk.account.code, reference)
        if row is not None and row["proposal"] and json.loads(row["proposal"])["expires_at"] <= _stamp(desk):
            end_proposal(desk, tx, reference)
    elif action == "report":
        row = get(tx, desk.account.code, reference)
        if row is not None:
            issue_report(desk, tx, row)
    else:
        row = get(tx, desk.account.code, reference)
        if row is None or row["status"] not in MOVES[action][0]:
            return
        if _until_its_day(desk, tx, row) > 0:  # it was moved to a later day since
            _plan_next(desk, tx, row)
        else:
            move(desk, tx, reference, action)


def end_proposal(desk: Desk, tx: Transaction, reference: str) -> Row:
    """End the booking's proposal; what is only requested is decided upon again."""
    row = write(desk, tx, reference, {})
    announce(desk, tx, "booking.changed", row)
    if row["status"] == "requested":
        plan(desk, tx, reference, "decide", desk.account.confirm_after)
    return row


def _stamp(desk: Desk) -> str:
    return desk.ledger.now().isoformat(timespec="milliseconds")


def issue_report(desk: Desk, tx: Transaction, row: Row) -> dict[str, Any]:
    """The booking's report: the first version, or a correction if there is one."""
    report = write_report(tx, desk.account.code, row, desk.ledger.now())
    kind = "report.issued" if report["version"] == 1 else "report.corrected"
    desk.sender.queue(tx, kind, {"report": report, "booking": shown(row)})
    return report


def write(desk: Desk, tx: Transaction, reference: str, values: Mapping[str, Any]) -> Row:
    """Change columns of a booking, with a new version; a proposal of another time ends with every other change."""
    values = {"proposal": None, **values, "seq": next_seq(tx), "updated_at": _stamp(desk)}
    settings = ", ".join(f"{name} = ?" for name in values)
    tx.execute(
        f"UPDATE booking SET version = version + 1, {settings} WHERE account = ? AND reference = ?",
        [*values.values(), desk.account.code, reference],
    )
    return find(desk, tx, reference)


def announce(desk: Desk, tx: Transaction, kind: str, row: Row) -> None:
    """Queue the webhook of this kind about the booking."""
    desk.sender.queue(tx, kind, {"booking": shown(row)})


def get(tx: Transaction, account: str, reference: str) -> Row | None:
    """The booking's row, or None."""
    row: Row | None = tx.execute(
        "SELECT * FROM booking WHERE account = ? AND reference = ?", (account, reference)
    ).fetchone()
    return row


def by_our_reference(tx: Transaction, account: str, our_reference: str) -> list[Row]:
    """All bookings under our reference: live ones first, the newest first."""
    return tx.execute(
        f"SELECT * FROM booking WHERE account = ? AND our_reference = ? ORDER BY status IN {DEAD}, seq DESC",
        (account, our_reference),
    ).fetchall()


def by_key(tx: Transaction, account: str, key: str) -> Row | None:
    """The booking that the command with this key made or changed, or None (never seen, or refused)."""
    row: Row | None = tx.execute(
        "SELECT booking.* FROM command JOIN booking USING (account, reference) WHERE account = ? AND key = ?",
        (account, key),
    ).fetchone()
    return row


def changed_since(tx: Transaction, account: str, seq: int, limit: int) -> list[Row]:
    """Bookings with a newer change, the oldest change first."""
    return tx.execute(
        "SELECT * FROM booking WHERE account = ? AND seq > ? ORDER BY seq LIMIT ?", (account, seq, limit)
    ).fetchall()


def in_days(tx: Transaction, account: str, days: tuple[str, str], after: str, limit: int) -> list[Row]:
    """Bookings with a service date from the first to the last of `days`, by reference, from `after` on."""
    return tx.execute(
        "SELECT * FROM booking WHERE account = ? AND service_date BETWEEN ? AND ? AND reference > ?"
        " ORDER BY reference LIMIT ?",
        (account, *days, after, limit),
    ).fetchall()


def shown(row: Row) -> dict[str, Any]:
    """A booking as the protocol shows it: no personal data."""
    names = ("reference", "our_reference", "offer", "pool", "slot", "service_date", "starts_at", "ends_at", "status")
    tail = ("version", "reason", "updated_at", "answer_by")
    proposal = None if row["proposal"] is None else json.loads(row["proposal"])
    return {**{name: row[name] for name in (*names, *tail)}, "proposal": proposal}
