"""Orders, schedules and report lists as this provider words them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from providers.sandbox import bookings, slots
from providers.sandbox.bookings import CANCELLABLE, DEAD, Desk
from providers.sandbox.day_capacity.envelope import Failure, local, moment
from providers.sandbox.ledger import Row, Transaction

LONGEST_WINDOW = timedelta(days=31)
STATUSES = {
    "requested": 1,
    "confirmed": 2,
    "rejected": 3,
    "cancelled": 4,
    "checked_in": 5,
    "in_service": 6,
    "fulfilled": 7,
    "no_show": 8,
}
FAIL_CODES = {"sold_out": 1011, "closed": 1012, "not_eligible": 1013, "unknown_slot": 1010, "too_late": 1015}
SEXES = {1: "male", 2: "female"}
REPORT_STATUSES = {"partial": 1, "final": 2, "corrected": 3}


def text(biz: Mapping[str, Any], name: str, longest: int = 64) -> str:
    """A parameter that must be there. Raises Failure 1001."""
    value = biz.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise Failure(1001, f"{name} is missing, not text or too long")
    return value


def number(biz: Mapping[str, Any], name: str, low: int, high: int, default: int) -> int:
    """A parameter that may be left out. Raises Failure 1001."""
    value = biz.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise Failure(1001, f"{name} is a number from {low} to {high}")
    return value


def day(biz: Mapping[str, Any], name: str) -> date:
    """A date. Raises Failure 1001."""
    try:
        return date.fromisoformat(text(biz, name))
    except ValueError as error:
        raise Failure(1001, f"{name} is not yyyy-MM-dd") from error


def schedules(desk: Desk, biz: Mapping[str, Any]) -> dict[str, Any]:
    """schedule.query: the places of each day, taken or not, and those left."""
    days = day(biz, "startDate"), day(biz, "endDate")
    page, size = number(biz, "pageNo", 1, 10**6, 1), number(biz, "pageSize", 1, 1000, 200)
    with desk.ledger.reading() as tx:
        found = list(slots.all_on_days(tx, desk.account.code, days, desk.ledger.now()))
        taken = _taken(tx, desk.account.code)
    rows = found[(page - 1) * size : page * size]
    shown = [
        {
            "orgCode": slot.pool,
            "scheduleDate": slot.service_date,
            "total": slot.offered,
            "remain": max(slot.offered - taken.get(slot.slot, 0), 0),
            "status": 0 if slot.closed else 1,
        }
        for slot in rows
    ]
    return {"total": len(found), "schedules": shown}


def _taken(tx: Transaction, account: str) -> dict[str, int]:
    query = f"SELECT slot, count(*) AS number FROM booking WHERE account = ? AND status NOT IN {DEAD} GROUP BY slot"
    return {row["slot"]: row["number"] for row in tx.execute(query, (account,))}


def wish(biz: Mapping[str, Any]) -> dict[str, Any]:
    """What order.create asks for, in the words of the ledger. Raises Failure 1001."""
    person = biz.get("person")
    if not isinstance(person, dict) or person.get("gender") not in SEXES:
        raise Failure(1001, "person needs name, gender (1 or 2) and birthday")
    pool, on = text(biz, "orgCode", 100), day(biz, "scheduleDate")
    extra = biz.get("extInfo")
    return {
        "our_reference": text(biz, "outOrderNo"),
        "offer": text(biz, "packageCode", 200),
        "pool": pool,
        "slot": f"{pool}@{on:%Y%m%d}",
        "person": {
            "name": text(person, "name"),
            "sex": SEXES[person["gender"]],
            "birth_date": day(person, "birthday").isoformat(),
        },
        "answers": extra if isinstance(extra, dict) else {},
    }


def create(desk: Desk, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """order.create. Asked twice, there are two orders, unless the account refuses that. Raises Failure, Problem."""
    with desk.ledger.transaction() as tx:
        same = bookings.by_our_reference(tx, desk.account.code, wanted["our_reference"])
        if desk.account.refuse_duplicates and any(row["status"] not in DEAD for row in same):
            raise Failure(1022)
        return shown(desk, bookings.take_in(desk, tx, wanted))


def cancel(desk: Desk, order: str, reason: str) -> dict[str, Any]:
    """order.cancel, of one order by its own number. Raises Failure 1020, 1021."""
    with desk.ledger.transaction() as tx:
        row = bookings.get(tx, desk.account.code, order)
        if row is None:
            raise Failure(1020)
        if row["status"] not in CANCELLABLE:
            raise Failure(1021)
        return shown(desk, bookings.withdraw(desk, tx, order, reason))


def query(desk: Desk, biz: Mapping[str, Any]) -> dict[str, Any]:
    """order.query: one order by its number, or all under ours, the oldest first; none is no error."""
    asked = [name for name in ("orderNo", "outOrderNo") if biz.get(name)]
    if len(asked) != 1:
        raise Failure(1001, "one of orderNo and outOrderNo is wanted")
    wanted = text(biz, asked[0])
    with desk.ledger.reading() as tx:
        if asked == ["orderNo"]:
            row = bookings.get(tx, desk.account.code, wanted)
            rows = [] if row is None else [row]
        else:
            rows = bookings.by_our_reference(tx, desk.account.code, wanted)
    return {"orders": [shown(desk, row) for row in sorted(rows, key=lambda row: (row["created_at"], row["seq"]))]}


def listing(desk: Desk, biz: Mapping[str, Any]) -> dict[str, Any]:
    """order.list: orders last changed in [updateTimeStart, updateTimeEnd), by that time; or those of the days from
    scheduleDateStart to scheduleDateEnd, both included, as they were made."""
    if "scheduleDateStart" in biz:
        return _of_days(desk, day(biz, "scheduleDateStart"), day(biz, "scheduleDateEnd"), biz)
    rows, total = _window(desk, biz, "updateTime", "SELECT * FROM booking WHERE account = ?", "updated_at", "reference")
    return {"total": total, "orders": [shown(desk, row) for row in rows]}


def _of_days(desk: Desk, start: date, end: date, biz: Mapping[str, Any]) -> dict[str, Any]:
    page, size = number(biz, "pageNo", 1, 10**6, 1), number(biz, "pageSize", 1, 200, 50)
    with desk.ledger.reading() as tx:
        rows = tx.execute(
            "SELECT * FROM booking WHERE account = ? AND service_date BETWEEN ? AND ? ORDER BY created_at, reference",
            (desk.account.code, start.isoformat(), end.isoformat()),
        ).fetchall()
    return {"total": len(rows), "orders": [shown(desk, row) for row in rows[(page - 1) * size : page * size]]}


def reports(desk: Desk, biz: Mapping[str, Any]) -> dict[str, Any]:
    """report.list: newest versions of reports issued in [reportTimeStart, reportTimeEnd), by that time."""
    newest = (
        "SELECT * FROM report AS r WHERE account = ? AND version = "
        "(SELECT max(version) FROM report WHERE account = r.account AND reference = r.reference)"
    )
    rows, total = _window(desk, biz, "reportTime", newest, "issued_at", "reference")
    return {"total": total, "reports": [listed(desk, row) for row in rows]}


def _window(
    desk: Desk, biz: Mapping[str, Any], name: str, select: str, column: str, tie: str
) -> tuple[Sequence[Row], int]:
    """A page of the rows whose time, as this provider writes it, lies in a half-open window."""
    start, end = (moment(text(biz, f"{name}{edge}"), f"{name}{edge}") for edge in ("Start", "End"))
    if not start < end <= start + LONGEST_WINDOW:
        raise Failure(1001, f"the window is empty or longer than {LONGEST_WINDOW.days} days")
    page, size = number(biz, "pageNo", 1, 10**6, 1), number(biz, "pageSize", 1, 200, 50)
    zone = ZoneInfo(desk.account.time_zone)
    around = [
        (edge.replace(tzinfo=zone, fold=fold).astimezone(UTC) + timedelta(seconds=slack)).isoformat(timespec="seconds")
        for edge, fold, slack in ((start, 0, -1), (end, 1, 1))
    ]
    with desk.ledger.reading() as tx:
        query = f"{select} AND {column} BETWEEN ? AND ?"
        rows = tx.execute(query, (desk.account.code, *around)).fetchall()
    edges = f"{start:%Y-%m-%d %H:%M:%S}", f"{end:%Y-%m-%d %H:%M:%S}"
    times = {row[tie]: local(desk, datetime.fromisoformat(row[column])) for row in rows}
    inside = [row for row in rows if edges[0] <= times[row[tie]] < edges[1]]
    inside.sort(key=lambda row: (times[row[tie]], row[tie]))
    return inside[(page - 1) * size : page * size], len(inside)


def shown(desk: Desk, row: Row) -> dict[str, Any]:
    """An order as this provider tells it: no personal data, times without a zone, no version."""
    return {
        "orderNo": row["reference"],
        "outOrderNo": row["our_reference"],
        "orgCode": row["pool"],
        "packageCode": row["offer"],
        "scheduleDate": row["service_date"],
        "orderStatus": STATUSES[row["status"]],
        "failCode": FAIL_CODES.get(row["reason"], 0) if row["status"] == "rejected" else 0,
        "createTime": local(desk, datetime.fromisoformat(row["created_at"])),
        "updateTime": local(desk, datetime.fromisoformat(row["updated_at"])),
    }


def listed(desk: Desk, row: Row) -> dict[str, Any]:
    """A report in lists."""
    return {
        "reportNo": row["reference"],
        "orderNo": row["booking"],
        "outOrderNo": row["our_reference"],
        "reportStatus": REPORT_STATUSES[row["status"]],
        "reportVersion": row["version"],
        "reportTime": local(desk, datetime.fromisoformat(row["issued_at"])),
    }
