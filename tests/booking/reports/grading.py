"""The corpus of results as laboratories write them, and how the reading of each is graded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from booking.reports.intake.fhir import examine
from booking.reports.reading.read import Reading, delivered, read
from booking.reports.reading.told import Whose
from providers.adapters.checkup_wire import read_item

DAY = date(2026, 6, 1)
CORPUS = Path(__file__).with_name("corpus.jsonl")
MISSED = Path(__file__).with_name("missed.jsonl")
"""Rows of the same lists that are not read as they ask, so that nobody takes the corpus for a measure of the reader."""
_BY = {"provider_flag": "mark", "provider_range": "range", "provider_words": "words"}
_WORSE = ("", "normal", "abnormal", "low", "high")


@dataclass(frozen=True)
class Grade:
    """How one row was read. `wrong` names what differs from what the row expects; blank for a right reading."""

    row: str
    shape: str
    wrong: tuple[str, ...]
    dangerous: bool


def rows(file: Path = CORPUS) -> list[dict[str, Any]]:
    """All rows of a corpus."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def grade(row: dict[str, Any]) -> Grade:
    """Read a row as it would be delivered, and compare what is read with what the row expects."""
    found = list(readings(row))
    if not found:
        return Grade(row["id"], row["shape"], _unread(row["expect"]), dangerous=False)
    result = max(found, key=lambda one: _WORSE.index(one.judged))
    judged = result.judged or "unjudged"
    return Grade(row["id"], row["shape"], tuple(_wrong(result, row["expect"])), judged in row["expect"]["dangerous"])


def reading_of(name: str, value: str, text: str, *, age: int = 40, mark: str = "") -> Reading:
    """What we make of a woman's result with a range text."""
    whose = Whose("female", date(DAY.year - age, 1, 1), DAY)
    body = {"itemName": name, "result": value, "refRange": text, "mark": mark}
    return read(delivered(asdict(read_item(body))), whose, {})


def readings(row: dict[str, Any]) -> Iterator[Reading]:
    """What we make of a row: one reading, or one for each part of a panel."""
    whose = Whose(row["sex"], date(DAY.year - row["age"], 1, 1), DAY)
    for item in _delivered_in(row):
        yield read(delivered(item), whose, {})


def _delivered_in(row: dict[str, Any]) -> list[dict[str, Any]]:
    if row["shape"] == "fhir":
        report = {
            "resourceType": "DiagnosticReport",
            "status": "final",
            "conclusion": "-",
            "contained": [{**row["observation"], "id": "o"}],
            "result": [{"reference": "#o"}],
        }
        return [dict(item) for item in examine(json.dumps(report).encode()).items]
    body = {"itemName": row["name"], "result": row["value"], "unit": row["unit"]}
    return [asdict(read_item({**body, "refRange": row["range"], "mark": row["mark"]}))]


def _unread(expect: dict[str, Any]) -> tuple[str, ...]:
    """A result that is left out is right only if nothing of it could be read."""
    readable = expect["number"] is not None and "number" not in expect.get("free", ())
    return ("left out",) if readable or expect["judged"] != "unjudged" else ()


def _wrong(result: Reading, expect: dict[str, Any]) -> Iterator[str]:
    free, judged = expect.get("free", ()), result.judged or "unjudged"
    ours = result.judged_by == "our_range"
    accepted = (expect["judged"], *expect["also_ok"])
    if not (judged in accepted or ("ours" in accepted and (ours or judged == "unjudged"))):
        yield f"judged {judged}"
    elif judged == expect["judged"] and not ours and "by" not in free and _BY.get(result.judged_by, "") != expect["by"]:
        yield f"by {result.judged_by}"
    if "number" not in free and result.number not in (expect["number"], *expect.get("number_also", ())):
        yield f"number {result.number}"
    if "comparator" not in free and result.comparator != expect["comparator"]:
        yield f"comparator {result.comparator}"
    if "range" not in free and (result.low, result.high) != (expect["low"], expect["high"]):
        yield f"range {result.low}..{result.high}"
    if "finding" not in free and result.finding != expect["finding"]:
        yield f"finding {result.finding}"
    if "critical" not in free and result.critical != expect["critical"]:
        yield f"critical {result.critical}"
