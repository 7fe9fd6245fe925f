"""Findings in sentences (ECG, ultrasound, X-ray, physical examination): normal, abnormal, or not to be told.

Read clause by clause, and only by wordings that are known (wordings.py): `normal` if every clause is one of a healthy
person's, `abnormal` if one names what no healthy person has and denies nothing. Anything else is left unjudged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain
from typing import Literal

from booking.reports.reading.folding import folded
from booking.reports.reading.wordings import (
    ALL_WELL,
    ANSWERED_NO,
    AT_ONCE,
    BESIDE,
    DENIAL,
    DENIED,
    GOES_ON,
    HEALTHY,
    ILLNESS,
    IN_CASE,
    LISTED,
    NO_DENIAL,
    NOT_NOW,
    NOT_QUITE,
    NOTHING_ILL,
    OPEN,
    ROUTINE,
    SUSPECTED,
    USUAL_RATE,
)

_LONGEST = 400
_SENTENCE = re.compile(r"(?:^|(?<=[;。])|(?<=[\u4e00-\u9fff] ))[1-9][.,)](?![0-9])|[;。!]|\.(?![0-9])")
_CLAUSE = re.compile(
    r",|:(?![0-9])|(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])|(?<=[0-9])(?:类|级)? - "
    r"|(?<=\S)\s+(?=\(?(?:acr )?(?:bi|c-ti|ti|lung|pi|li)-?rads)"
)


def sentence_of(text: str) -> Literal["normal", "abnormal", ""]:
    """What a finding in sentences says as a whole; blank if it can't be told for sure."""
    plain = ROUTINE.sub("", folded(text))
    if len(plain) > _LONGEST:
        return ""
    sentences = [_clauses(sentence) for sentence in _SENTENCE.split(plain) if sentence.strip()]
    if any(map(_names_illness, sentences)) or _is_pressing(plain, chain.from_iterable(sentences)):
        return "abnormal"
    if any(map(_is_open, chain.from_iterable(sentences))) or not all(map(_is_healthy, sentences)):
        return ""
    return "normal" if any(map(_speaks, chain.from_iterable(sentences))) else ""


def _clauses(sentence: str) -> list[str]:
    return [clause.strip() for clause in _CLAUSE.split(sentence) if clause.strip()]


def _is_pressing(plain: str, clauses: Iterable[str]) -> bool:
    """Whether something grave is suspected, or the person is told to see a doctor now."""
    if AT_ONCE.search(plain) and not IN_CASE.search(plain):
        return True
    return any(
        SUSPECTED.search(clause) and not DENIED.search(clause) and not NOT_NOW.search(clause) for clause in clauses
    )


def _is_open(clause: str) -> bool:
    return bool(OPEN.search(clause)) and not NOTHING_ILL.fullmatch(clause)


def _speaks(clause: str) -> bool:
    return bool(HEALTHY.fullmatch(clause) or NOTHING_ILL.fullmatch(clause))


def _names_illness(sentence: list[str]) -> bool:
    """What is denied in a clause may go on behind its comma: `no nodule, mass or effusion`."""
    complete = False
    if any(ANSWERED_NO.fullmatch(clause) for clause in sentence):
        return False
    for clause in sentence:
        if complete and GOES_ON.fullmatch(clause):
            return False
        said = BESIDE.sub("", clause)
        named = ILLNESS.search(said)
        said = NO_DENIAL.sub("", said)
        complete = ALL_WELL.search(said) is not None and HEALTHY.fullmatch(clause) is not None
        if complete:
            continue
        if DENIED.search(said) or OPEN.search(said):
            return False
        if named:
            return True
    return False


def _is_healthy(sentence: list[str]) -> bool:
    denied = False
    for clause in sentence:
        if NOTHING_ILL.fullmatch(clause):
            denied = True
        elif HEALTHY.fullmatch(clause):
            said = DENIAL.sub("", clause)
            if DENIED.search(said) or ILLNESS.search(said) or NOT_QUITE.search(said):
                return False
            denied = said != clause and not ALL_WELL.search(clause)
        elif USUAL_RATE.fullmatch(clause) and len(sentence) > 1:
            continue
        elif not (LISTED.fullmatch(clause) or (denied and GOES_ON.fullmatch(clause))):
            return False
    return True
