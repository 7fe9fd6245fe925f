"""Delivered files: examined in a short-lived process of their own, never in the process that asks.

The examiner (`python -m booking.reports.intake`) gets the file through a pipe and writes its answer into memory whose
size the kernel limits. It gets no setting and no key of ours, can open no file and no connection, and is killed when it
takes too long.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

from booking.reports.intake.findings import FHIR, MOST_PAPERS, Paper
from marketplace.core.config import ROOT
from marketplace.core.logging import get_logger
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

log = get_logger(__name__)


class FileRefused(Exception):
    """The delivered file is refused; nothing of it may be stored. `reason` is a stable code without text of the
    file."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Examined:
    """A delivered report that may be stored: the content with its results, and its papers (PDF or PNG). `missing`
    results are named in the file but not in it; `left_out` papers are of a type that we don't show."""

    content: ReportContent
    papers: tuple[Paper, ...]
    missing: int = 0
    left_out: int = 0


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
    return Examined(whole, found.papers, 0 if content.items else found.missing, found.left_out)


class _Verdict(NamedTuple):
    papers: tuple[Paper, ...]
    items: tuple[ReportItem, ...]
    conclusion: str
    missing: int
    left_out: int


def _look(claimed: str, content: bytes) -> _Verdict:
    head = json.dumps({"type": claimed[:100]}).encode() + b"\n"
    with os.fdopen(os.memfd_create("findings"), "w+b") as answer:
        try:
            done = subprocess.run(
                COMMAND,
                input=head + content,
                stdout=answer,
                stderr=subprocess.DEVNULL,
                cwd=ROOT,
                env={"LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
                timeout=WALL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise FileRefused("too_costly") from late
        if done.returncode != 0:
            log.warning("report.examiner_ended", code=done.returncode)
            raise FileRefused("too_costly" if done.returncode < 0 else "unreadable")
        answer.seek(0)
        return _understood(answer.read(LARGEST_ANSWER))


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
        missing, left_out = (min(max(int(verdict[name]), 0), MOST_ITEMS) for name in ("missing", "left_out"))
    except (ValueError, KeyError, TypeError) as bad:
        raise FileRefused("unreadable") from bad
    if position != len(rest) or not storable(conclusion):
        raise FileRefused("unreadable")
    return _Verdict(tuple(papers), items, conclusion, missing, left_out)


def _item(raw: dict[str, Any]) -> ReportItem:
    if not all(isinstance(raw[name], str) and storable(raw[name]) for name in _TEXTS):
        raise ValueError("not text")
    return ReportItem(**{field.name: raw[field.name] for field in fields(ReportItem)})
