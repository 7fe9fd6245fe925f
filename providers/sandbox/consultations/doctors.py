"""The doctors of an account: made up in any number, kept in the ledger, changed while the server runs."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from providers.sandbox.ledger import Ledger, Row, Transaction
from providers.sandbox.problems import Problem

LANGUAGES = ("zh", "en")
_SPECIALTIES = ("general", "internal", "paediatrics", "dermatology", "general", "gynaecology", "orthopaedics", "ent")
_TITLES = (
    ("主任医师", "Chief physician"),
    ("主治医师", "Attending physician"),
    ("副主任医师", "Associate chief physician"),
    ("主治医师", "Attending physician"),
)
_SURNAMES = "陈李张王刘杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余"
_GIVEN = (
    *("慧敏", "文博", "雅琴", "志远", "晓梅", "建平", "静怡", "国栋", "思远", "丽华", "明哲"),
    *("佳宁", "伟民", "若兰", "海涛", "秀英", "子谦", "雨晴", "振华"),
)
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_LICENCE = re.compile(r"[0-9]{15}")
_TEXTS = ("name", "title_zh", "title_en", "licence")


class BadPractice(ValueError):
    """Doctors, or a way of working, that cannot be had; the text says why."""


@dataclass(frozen=True)
class Doctor:
    """One on the roster. `licence`: 15 digits. `departments`: codes of the offers' packages. `languages`: zh, en."""

    code: str
    name: str
    title_zh: str
    title_en: str
    licence: str
    departments: tuple[str, ...]
    languages: tuple[str, ...]
    active: bool = True


def made_doctors(account: str, number: int) -> tuple[Doctor, ...]:
    """So many invented ones, the same for the same account; of a larger number the first are those of a smaller."""
    start = int.from_bytes(hashlib.sha256(account.encode()).digest()[:2], "big") % 10_000
    return tuple(_made(start, number) for number in range(number))


def _made(start: int, number: int) -> Doctor:
    specialty = _SPECIALTIES[number % len(_SPECIALTIES)]
    title_zh, title_en = _TITLES[number % len(_TITLES)]
    return Doctor(
        code=f"D{number + 1:03d}",
        name=_SURNAMES[(start + number) % len(_SURNAMES)] + _GIVEN[(start + number) % len(_GIVEN)],
        title_zh=title_zh,
        title_en=title_en,
        licence=f"110320{start:04d}{number + 1:05d}",
        departments=tuple(dict.fromkeys(("general", specialty))),
        languages=LANGUAGES if number % 3 != 2 else ("zh",),
    )


def read_doctors(entries: Any) -> tuple[Doctor, ...]:
    """A roster as the file or the control writes it. Raises BadPractice."""
    if not isinstance(entries, list):
        raise BadPractice("doctors is a number from 1 to 1000, or a list")
    doctors = tuple(_read(entry) for entry in entries)
    if len({doctor.code for doctor in doctors}) < len(doctors):
        raise BadPractice("a doctor's code is used twice")
    return doctors


def _read(entry: Any) -> Doctor:
    values = {"departments": ["general"], "languages": list(LANGUAGES), **(entry if isinstance(entry, dict) else {})}
    known = {*Doctor.__dataclass_fields__}
    if not {"code", *_TEXTS} <= set(values) <= known:
        raise BadPractice(f"a doctor needs code, {', '.join(_TEXTS)}; departments, languages and active are optional")
    for name in ("departments", "languages"):
        if not isinstance(values[name], list) or not all(isinstance(each, str) for each in values[name]):
            raise BadPractice(f"{name} is a list of codes")
        values[name] = tuple(values[name])
    texts = all(isinstance(values[name], str) and 0 < len(values[name]) <= 200 for name in _TEXTS)
    if not texts or not _CODE.fullmatch(str(values["code"])) or not isinstance(values.get("active", True), bool):
        raise BadPractice("a doctor's code is letters, digits, - and _; the others are texts")
    return Doctor(**values)


def register(ledger: Ledger, account: str, doctors: Sequence[Doctor]) -> None:
    """Make this the roster, unless the same list was registered before: what the control changed since stays then."""
    digest = hashlib.sha256(json.dumps([asdict(each) for each in doctors]).encode()).hexdigest()
    mark = f"doctors {account}"
    with ledger.transaction() as tx:
        known = tx.execute("SELECT value FROM meta WHERE name = ?", (mark,)).fetchone()
        if known is None or known[0] != digest:
            replace(tx, account, doctors)
            tx.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (mark, digest))


def replace(tx: Transaction, account: str, doctors: Iterable[Doctor]) -> None:
    """Make this the roster until a start with another one in the file."""
    tx.execute("DELETE FROM doctor WHERE account = ?", (account,))
    put(tx, account, doctors)


def put(tx: Transaction, account: str, doctors: Iterable[Doctor]) -> None:
    """Add these, or write them anew."""
    tx.executemany(
        "INSERT OR REPLACE INTO doctor VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                *(account, one.code, one.name, one.title_zh, one.title_en, one.licence),
                *(json.dumps(one.departments), json.dumps(one.languages), int(one.active)),
            )
            for one in doctors
        ],
    )


def change(tx: Transaction, account: str, code: str, wish: Mapping[str, Any]) -> Doctor:
    """Change some of a doctor's facts, or add one who was not there. Raises Problem 422."""
    known = find(tx, account, code)
    facts = {} if known is None else _listed(known)
    try:
        doctor = _read({**facts, **wish, "code": code})
    except BadPractice as error:
        raise Problem(422, "invalid", str(error)) from error
    put(tx, account, [doctor])
    return doctor


def everybody(tx: Transaction, account: str) -> list[Doctor]:
    """All of an account by their codes, also who has left."""
    return [_doctor(row) for row in tx.execute("SELECT * FROM doctor WHERE account = ? ORDER BY code", (account,))]


def find(tx: Transaction, account: str, code: str) -> Doctor | None:
    """The doctor with this code, also who has left."""
    row = tx.execute("SELECT * FROM doctor WHERE account = ? AND code = ?", (account, code)).fetchone()
    return None if row is None else _doctor(row)


def shown(doctor: Doctor) -> dict[str, Any]:
    """A doctor as the protocol's roster shows her."""
    return {name: getattr(doctor, name) for name in ("code", *_TEXTS)}


def _listed(doctor: Doctor) -> dict[str, Any]:
    return {**asdict(doctor), "departments": list(doctor.departments), "languages": list(doctor.languages)}


def _doctor(row: Row) -> Doctor:
    lists = {name: tuple(json.loads(row[name])) for name in ("departments", "languages")}
    return Doctor(
        row["code"], row["name"], row["title_zh"], row["title_en"], row["licence"], **lists, active=bool(row["active"])
    )
