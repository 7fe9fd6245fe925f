"""What a doctor answers: greeting, a reaction to what was said, the department's next sentence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from providers.sandbox.consultations.doctors import Doctor
from providers.sandbox.consultations.sentences import (
    CLOSING,
    DEPARTMENTS,
    EMERGENCY,
    GENERAL,
    GREETING,
    NOTHING_SAID,
    PICTURED,
    QUOTED,
    REWORDED,
    SEEN,
    SUMMARY,
    TOPICS,
    Both,
    Department,
)
from providers.sandbox.ledger import Row

QUOTE_CHARACTERS = 40


def answer(case: Row, doctor: Doctor, heard: Sequence[Row], *, last: bool, pictured: bool = False) -> str:
    """The next answer in the consultation's language, to what was `heard` since the one before; `last`: a summary
    follows; `pictured`: a picture does."""
    department, words = _department(case), " ".join(row["text"] for row in heard if row["text"])
    told = str(_told(case).get("symptoms") or "") if case["answers"] == 0 else ""
    said = [_greeting(case, doctor, department)] if case["answers"] == 0 else []
    if case["flagged"] and (case["answers"] == 0 or any(row["flagged"] for row in heard)):
        said.append(_in(case, EMERGENCY))
    if words or told:
        said.append(_in(case, QUOTED).format(quote=_quote(words or told)))
    if any(row["picture"] is not None for row in heard):
        said.append(_in(case, SEEN))
    topic = next((topic for topic in TOPICS if any(sign in f"{words} {told}".lower() for sign in topic.signs)), None)
    if topic is not None:
        said.append(_in(case, topic.says))
    if last:
        said += [_in(case, department.advice), _in(case, CLOSING)]
    else:
        said.append(_in(case, department.first if case["answers"] % 2 == 0 else department.second))
    if pictured:
        said.append(_in(case, PICTURED))
    return ("" if case["language"] == "zh" else " ").join(said)


def summary(case: Row, words: str) -> dict[str, Any]:
    """What a summary says of a consultation in which the customer said these `words`."""
    department = _department(case)
    quote = _quote(words or str(_told(case).get("symptoms") or "")) or _in(case, NOTHING_SAID)
    return {
        "summary": _in(case, SUMMARY).format(
            department=_in(case, department.name).lower(),
            quote=quote.rstrip("。.!！?？"),
            found=_in(case, department.found),
        ),
        "advice": _in(case, department.advice),
        "next_service": department.next_service,
        "next_department": "",
    }


def changed(language: str) -> str:
    """What stands in a line that was changed although nobody may."""
    return REWORDED.zh if language == "zh" else REWORDED.en


def _greeting(case: Row, doctor: Doctor, department: Department) -> str:
    title = doctor.title_zh if case["language"] == "zh" else doctor.title_en.lower()
    return _in(case, GREETING).format(name=doctor.name, title=title, department=_in(case, department.name).lower())


def _department(case: Row) -> Department:
    return DEPARTMENTS.get(case["department"], GENERAL)


def _told(case: Row) -> dict[str, Any]:
    told = json.loads(case["told"])
    return told if isinstance(told, dict) else {}


def _in(case: Row, words: Both) -> str:
    return words.zh if case["language"] == "zh" else words.en


def _quote(words: str) -> str:
    one_line = " ".join(words.split())
    return one_line if len(one_line) <= QUOTE_CHARACTERS else one_line[: QUOTE_CHARACTERS - 1] + "…"
