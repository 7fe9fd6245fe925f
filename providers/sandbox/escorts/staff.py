"""The escorts of an account, each of one pool (a city): made up in any number, kept in the ledger, changed while the
server runs."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from providers.sandbox.ledger import Ledger, Row, Transaction
from providers.sandbox.problems import Problem

SEXES = ("female", "male")
_SURNAMES = "何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳"
_GIVEN = ("静", "秀兰", "建国", "晓燕", "志强", "丽萍", "海燕", "永强", "春梅", "文静", "俊杰", "玉珍", "国平")
_MEN = frozenset({"建国", "志强", "永强", "俊杰", "国平"})
_QUALIFICATIONS = (("护理专业", "Nurse"), ("陪诊师证书", "Certified escort"), ("养老护理员", "Carer"))
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_TEXTS = ("pool", "name", "staff_number", "qualification_zh", "qualification_en")


class BadStaff(ValueError):
    """Escorts, or a way of working, that cannot be had; the text says why."""


@dataclass(frozen=True)
class Worker:
    """One of the staff; `pool`: of the windows in which she works."""

    code: str
    pool: str
    name: str
    sex: str
    staff_number: str = ""
    qualification_zh: str = ""
    qualification_en: str = ""
    active: bool = True


def made_staff(account: str, pool: str, number: int) -> tuple[Worker, ...]:
    """So many invented ones of a pool, the same for the same account and pool."""
    start = int.from_bytes(hashlib.sha256(f"{account} {pool}".encode()).digest()[:2], "big")
    return tuple(_made(pool, start, each) for each in range(number))


def _made(pool: str, start: int, number: int) -> Worker:
    given = _GIVEN[(start + number) % len(_GIVEN)]
    zh, en = _QUALIFICATIONS[number % len(_QUALIFICATIONS)]
    return Worker(
        code=f"E{start % 1000:03d}{number + 1:02d}",
        pool=pool,
        name=_SURNAMES[(start + number) % len(_SURNAMES)] + given,
        sex="male" if given in _MEN else "female",
        staff_number=f"{start % 1000:03d} {number + 1:04d}",
        qualification_zh=zh,
        qualification_en=en,
    )


def read_staff(entries: Any) -> tuple[Worker, ...]:
    """Workers as the file or the control writes them. Raises BadStaff."""
    if not isinstance(entries, list):
        raise BadStaff("staff is a number from 1 to 50 for each pool, or a list")
    staff = tuple(_read(entry) for entry in entries)
    if len({each.code for each in staff}) < len(staff):
        raise BadStaff("a worker's code is used twice")
    return staff


def _read(entry: Any) -> Worker:
    values = dict(entry) if isinstance(entry, Mapping) else {}
    if not {"code", "pool", "name", "sex"} <= set(values) <= {*Worker.__dataclass_fields__}:
        raise BadStaff("a worker needs code, pool, name and sex; staff_number, qualifications and active are optional")
    texts = all(isinstance(values.get(name, ""), str) and len(values.get(name, "")) <= 200 for name in _TEXTS)
    if not texts or not values["name"] or not _CODE.fullmatch(str(values["code"])) or values["sex"] not in SEXES:
        raise BadStaff("a worker's code is letters, digits, - and _; sex is female or male; the others are texts")
    if not isinstance(values.get("active", True), bool):
        raise BadStaff("active is true or false")
    return Worker(**values)


def register(ledger: Ledger, account: str, staff: Sequence[Worker]) -> None:
    """Make these the staff, unless the same list was registered before: what the control changed since stays then."""
    digest = hashlib.sha256(json.dumps([asdict(each) for each in staff]).encode()).hexdigest()
    mark = f"staff {account}"
    with ledger.transaction() as tx:
        known = tx.execute("SELECT value FROM meta WHERE name = ?", (mark,)).fetchone()
        if known is None or known[0] != digest:
            tx.execute("DELETE FROM worker WHERE account = ?", (account,))
            put(tx, account, staff)
            tx.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (mark, digest))


def put(tx: Transaction, account: str, staff: Iterable[Worker]) -> None:
    """Add these, or write them anew."""
    tx.executemany(
        "INSERT OR REPLACE INTO worker VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                *(account, one.code, one.pool, one.name, one.sex, one.staff_number),
                *(one.qualification_zh, one.qualification_en, int(one.active)),
            )
            for one in staff
        ],
    )


def change(tx: Transaction, account: str, code: str, wish: Mapping[str, Any]) -> Worker:
    """Change some of a worker's facts, or add one who was not there. Raises Problem 422."""
    known = find(tx, account, code)
    try:
        worker = _read({**({} if known is None else asdict(known)), **wish, "code": code})
    except BadStaff as error:
        raise Problem(422, "invalid", str(error)) from error
    put(tx, account, [worker])
    return worker


def everybody(tx: Transaction, account: str) -> list[Worker]:
    """All of an account by their codes, also who has left."""
    return [_worker(row) for row in tx.execute("SELECT * FROM worker WHERE account = ? ORDER BY code", (account,))]


def find(tx: Transaction, account: str, code: str) -> Worker | None:
    """The worker with this code, also who has left."""
    row = tx.execute("SELECT * FROM worker WHERE account = ? AND code = ?", (account, code)).fetchone()
    return None if row is None else _worker(row)


def shown(worker: Worker) -> dict[str, Any]:
    """A worker as a line of the protocol shows her; what is not known of her is left out."""
    names = ("code", "name", "sex", "staff_number", "qualification_zh", "qualification_en")
    return {name: value for name in names if (value := getattr(worker, name))}


def _worker(row: Row) -> Worker:
    facts = {name: row[name] for name in ("code", "pool", "name", "sex", *_TEXTS[2:])}
    return Worker(**facts, active=bool(row["active"]))
