"""Delivered files: examined in a short-lived process of their own, never in the process that asks.

The examiner is `python -m booking.reports.intake`; how it is held: marketplace/core/examining.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

from booking.reports.intake.findings import FHIR, MOST_PAPERS, Named, Paper
from marketplace.core.examining import ask
from marketplace.core.strictjson import storable
from providers.reported import ReportContent, ReportItem

WALL_SECONDS = 25.0
MOST_ITEMS = 2_000
LONGEST_TEXT = 4_000
LONGEST_CONCLUSION = 50_000
LARGEST_ANSWER = 64 * 2**20
COMMAND = (sys.executable, "-E", "-s", "-m", "booking.reports.intake")
_TYPES = {"application/x-zip-compressed": "application/zip", "application/json+fhir": FHIR}
_TEXTS = ("name", "value", "loinc", "unit", "flag", "section", "note", "code", "range_text", "mark")


class FileRefused(Exception):
    """The delivered file is refused; nothing of it may be stored. `reason` is a stable code without text of the
    file."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Examined:
    """A delivered report that may be stored: the content with its results, and its papers (PDF or PNG). `missing`
    results are named in the file but not in it; `left_out` papers are of a type that we don't show; `named` is whom the
    file names, to be compared."""

    content: ReportContent
    papers: tuple[Paper, ...]
    missing: int = 0
    left_out: int = 0
    named: tuple[Named, ...] = ()


def examine(content: ReportContent) -> Examined:
    """Examine a delivered report. Results and conclusion of a FHIR file are used if the provider sent none beside it.

    Raises FileRefused. Takes up to 25 s.
    """
    found = _look(_TYPES.get(content.document_type, content.document_type), content.document)
    items, conclusion = content.items or found.items, content.conclusion or found.conclusion
    whole = replace(content, items=items, conclusion=conclusion)
    if len(whole.items) > MOST_ITEMS or len(whole.conclusion) > LONGEST_CONCLUSION:
        raise FileRefused("too_many_results")
    if any(len(getattr(item, name)) > LONGEST_TEXT for item in whole.items for name in _TEXTS):
        raise FileRefused("too_many_results")
    return Examined(whole, found.papers, 0 if content.items else found.missing, found.left_out, found.named)


class _Verdict(NamedTuple):
    papers: tuple[Paper, ...]
    items: tuple[ReportItem, ...]
    conclusion: str
    missing: int
    left_out: int
    named: tuple[Named, ...]


def _look(claimed: str, content: bytes) -> _Verdict:
    head = json.dumps({"type": claimed[:100]}).encode() + b"\n"
    return _understood(answer_of(COMMAND, head + content))


def answer_of(command: Sequence[str], content: bytes) -> bytes:
    """What an examiner says of what it is given. Raises FileRefused where it ended without a verdict."""
    try:
        return ask.answer_of(command, content, seconds=WALL_SECONDS, largest=LARGEST_ANSWER)
    except ask.NoVerdict as ended:
        raise FileRefused("too_costly" if ended.costly else "unreadable") from ended


def _understood(answer: bytes) -> _Verdict:
    """The examiner's verdict. It is validated like the file itself. Raises FileRefused."""
    head, _, rest = answer.partition(b"\n")
    try:
        verdict: dict[str, Any] = json.loads(head)
        if "refused" in verdict:
            raise FileRefused(str(verdict["refused"])[:40])
        papers, position = [], 0
        for media_type, size in verdict["papers"][:MOST_PAPERS]:
            papers.append(Paper(media_type, rest[position : position + size]))
            position += size
        items = tuple(_item(raw) for raw in verdict["items"])
        conclusion = str(verdict["conclusion"])
        named = tuple(_named(raw) for raw in verdict["named"])
        missing, left_out = (min(max(int(verdict[name]), 0), MOST_ITEMS) for name in ("missing", "left_out"))
    except (ValueError, KeyError, TypeError) as bad:
        raise FileRefused("unreadable") from bad
    if position != len(rest) or not storable(conclusion):
        raise FileRefused("unreadable")
    return _Verdict(tuple(papers), items, conclusion, missing, left_out, named)


def _item(raw: dict[str, Any]) -> ReportItem:
    if not all(isinstance(raw[name], str) and storable(raw[name]) for name in _TEXTS):
        raise ValueError("not text")
    return ReportItem(**{field.name: raw[field.name] for field in fields(ReportItem)})


def _named(raw: dict[str, Any]) -> Named:
    return Named(tuple(map(str, raw["names"])), str(raw["birth_date"]), tuple(map(str, raw["numbers"])))
