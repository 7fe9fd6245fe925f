"""Risks of a screening before birth: `高风险 1/126` against `低风险 <1/270`, where the smaller number is the worse."""

from __future__ import annotations

import re
from typing import Literal

from booking.reports.reading.folding import folded

_MEASURED_SO = re.compile("风险|三体|唐氏|唐筛|无创|神经管|nipt|trisomy|down syndrome|risk")
_ONE_IN = re.compile(r"(?P<sign>[<>≤≥])?\s*1\s*(?::|/|in)\s*(?P<of>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,9})(?![0-9.])")
_WORDS = (
    ("abnormal", re.compile("(?:高|临界)风险|(?:high|increased|intermediate)[ -]risk|screen[ -]positive|高危")),
    ("normal", re.compile("低风险|(?:low|decreased)[ -]risk|screen[ -]negative|低危")),
)
_ELSE = re.compile(r"[\s,;:()]+|风险值?|risk|below|小于|cut-?off")

Verdict = Literal["normal", "abnormal", ""]


def risk_of(name: str, value: str, reference: str) -> tuple[Verdict, bool]:
    """What a risk in words, as `1:N` or both is beside what is usual, and whether its number alone says so; blank where
    the two differ or nobody can tell."""
    plain, usual = folded(value), folded(reference)
    if not _MEASURED_SO.search(f"{folded(name)} {plain}") or not _nothing_else(plain) or not _nothing_else(usual):
        return "", False
    worded = _word(plain) if _word(usual) != "abnormal" else ""
    counted = _counted(_ONE_IN.search(plain), _ONE_IN.search(usual))
    if worded and counted and worded != counted:
        return "", False
    return worded or counted, bool(counted) and not worded


def _word(plain: str) -> Verdict:
    found: list[Verdict] = [verdict for verdict, word in _WORDS if word.search(plain)]  # type: ignore[misc]
    return found[0] if len(found) == 1 else ""


def _counted(one_in: re.Match[str] | None, limit: re.Match[str] | None) -> Verdict:
    """By the numbers, if the usual risk is the smaller one."""
    if one_in is None or limit is None or limit["sign"] not in ("<", "≤"):
        return ""
    number, most = (int(found["of"].replace(",", "")) for found in (one_in, limit))
    if number > most:
        return "" if one_in["sign"] in (">", "≥") else "normal"
    return "abnormal" if number < most and one_in["sign"] not in ("<", "≤") else ""


def _nothing_else(plain: str) -> bool:
    rest = _ONE_IN.sub(" ", plain)
    for _, word in _WORDS:
        rest = word.sub(" ", rest)
    return not _ELSE.sub("", rest)
