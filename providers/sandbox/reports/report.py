"""Check-up reports: structured items that depend on nothing but the booking, so that a restart tells the same."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from providers.sandbox.ledger import Row, Transaction, next_seq
from providers.sandbox.reports.checkup_items import ADVICE, GENERAL, MEASURED, TOLD, Item

ABNORMAL_ITEMS = (2, 5)
CORRECTION = "复核后更正"


def write_report(tx: Transaction, account: str, booking: Row, now: datetime) -> dict[str, Any]:
    """Write the next version of the booking's report into the ledger and return it as listed (without content)."""
    before = tx.execute(
        "SELECT max(version) FROM report WHERE account = ? AND booking = ?", (account, booking["reference"])
    ).fetchone()[0]
    version = 1 if before is None else int(before) + 1
    content = make_content(booking["reference"], json.loads(booking["person"]), booking["service_date"], version)
    values = {
        "account": account,
        "reference": "R" + booking["reference"],
        "version": version,
        "booking": booking["reference"],
        "our_reference": booking["our_reference"],
        "status": "final" if version == 1 else "corrected",
        "issued_at": now.isoformat(timespec="seconds"),
        "content": json.dumps(content, ensure_ascii=False),
        "seq": next_seq(tx),
    }
    tx.execute(
        f"INSERT INTO report ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})", list(values.values())
    )
    return {name: values[name] for name in ("reference", "booking", "our_reference", "version", "status", "issued_at")}


def find_report(tx: Transaction, account: str, reference: str, version: int | None) -> Any:
    """The row of that version, the newest for None; None if there is none."""
    return tx.execute(
        "SELECT * FROM report WHERE account = ? AND reference = ? AND (version = ? OR ? IS NULL)"
        " ORDER BY version DESC LIMIT 1",
        (account, reference, version, version),
    ).fetchone()


def listed(row: Row) -> dict[str, Any]:
    """A report as lists and webhooks show it."""
    names = ("reference", "booking", "our_reference", "version", "status", "issued_at")
    return {name: row[name] for name in names}


def reports_since(tx: Transaction, account: str, seq: int, limit: int) -> list[Row]:
    """Newest versions of reports that came or were corrected after the change `seq`, the oldest change first."""
    return tx.execute(
        "SELECT * FROM report AS r WHERE account = ? AND seq > ? AND version ="
        " (SELECT max(version) FROM report WHERE account = r.account AND reference = r.reference)"
        " ORDER BY seq LIMIT ?",
        (account, seq, limit),
    ).fetchall()


def make_content(reference: str, person: Mapping[str, Any], service_date: str, version: int) -> dict[str, Any]:
    """Items, conclusion and who they are about. From version 2 on one item is corrected towards normal."""
    dice = random.Random(hashlib.sha256(reference.encode()).digest())
    sex = str(person.get("sex", "male"))
    measured = [item for item in MEASURED if item.only in ("", sex)]
    odd = set(dice.sample(range(len(measured)), dice.randint(*ABNORMAL_ITEMS)))
    items = _body(dice, sex)
    items += [_measure(item, sex, dice, number in odd) for number, item in enumerate(measured)]
    if version > 1:
        _correct(items, {item.loinc: item for item in measured}, sex, dice)
    items += [_tell(told, dice) for told in TOLD]
    order = list(ADVICE)
    items.sort(key=lambda item: order.index(item["section"]))
    return {
        "person": {"name": person.get("name", ""), "sex": sex, "birth_date": person.get("birth_date", "")},
        "service_date": service_date,
        "items": items,
        "conclusion": _conclude(items),
    }


def _body(dice: random.Random, sex: str) -> list[dict[str, Any]]:
    height = round(dice.gauss(171, 6) if sex == "male" else dice.gauss(159, 5), 1)
    bmi = round(min(31.0, max(17.0, dice.gauss(23.2, 2.8))), 1)
    weight = round(bmi * (height / 100) ** 2, 1)
    flag = "low" if bmi < 18.5 else "high" if bmi > 23.9 else "normal"
    return [
        _entry(GENERAL, "8302-2", "身高", str(height), "cm"),
        _entry(GENERAL, "29463-7", "体重", str(weight), "kg"),
        _entry(GENERAL, "39156-5", "体质指数", str(bmi), "kg/m2", (18.5, 23.9), flag),
    ]


def _entry(
    section: str,
    loinc: str,
    name: str,
    value: str,
    unit: str = "",
    limits: tuple[float | None, float | None] = (None, None),
    flag: str = "",
) -> dict[str, Any]:
    low, high = limits
    return {
        "section": section,
        "loinc": loinc,
        "name": name,
        "value": value,
        "unit": unit,
        "low": low,
        "high": high,
        "flag": flag,
        "note": "",
    }


def _measure(item: Item, sex: str, dice: random.Random, odd: bool) -> dict[str, Any]:
    low, high = item.limits(sex)
    floor, ceiling = (low or 0.0), (high or 0.0)
    width = ceiling - floor
    upwards = low is None or dice.random() < 0.75
    value = floor + width * (0.2 + 0.6 * dice.random())
    if odd:
        value = ceiling + width * (0.05 + 0.3 * dice.random()) if upwards else floor - width * 0.15 * dice.random()
    value = max(value, 0.0)
    shown = f"{value:.{item.digits}f}"
    number = float(shown)
    flag = "high" if high is not None and number > high else "low" if low is not None and number < low else "normal"
    return _entry(item.section, item.loinc, item.name, shown, item.unit, (low, high), flag)


def _correct(items: list[dict[str, Any]], known: Mapping[str, Item], sex: str, dice: random.Random) -> None:
    odd = [n for n, item in enumerate(items) if item["flag"] in ("high", "low") and item["loinc"] in known]
    number = odd[0] if odd else len(items) - 1
    items[number] = {**_measure(known[items[number]["loinc"]], sex, dice, False), "note": CORRECTION}


def _tell(told: tuple[str, str, str, str, str], dice: random.Random) -> dict[str, Any]:
    section, loinc, name, usual, found = told
    odd = dice.random() < 0.2
    return _entry(section, loinc, name, found if odd else usual, flag="abnormal" if odd else "normal")


def _conclude(items: Sequence[Mapping[str, Any]]) -> str:
    odd = [item for item in items if item["flag"] in ("high", "low", "abnormal")]
    if not odd:
        return "本次体检所查项目未见明显异常，建议保持良好生活习惯，每年体检一次。"
    marks = {"high": "偏高", "low": "偏低"}
    lines = ["异常项目：" + "、".join(i["name"] + marks.get(i["flag"], f"（{i['value']}）") for i in odd) + "。"]
    lines += [ADVICE[section] for section in ADVICE if any(item["section"] == section for item in odd)]
    return "\n".join(lines)
