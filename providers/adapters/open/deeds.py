"""What escorts do, in the open protocol's JSON: their lines as plain data. A line has what its kind names, and nothing
else of it is taken in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, get_args

from providers.adapters import fields
from providers.adapters.open.numbered import LONGEST_CODE, picture_of, seq_of, words
from providers.reported import EscortCost, EscortLine, EscortLineKind, RemoteEscort

KINDS: tuple[str, ...] = get_args(EscortLineKind)
PRESENCE = ("arrived", "met")
"""What may be proved by a position or by the person's code."""
WITH_WORDS = ("note", "handed_over")
POSITIONS = ("within", "away", "not_checkable")
CAUSES = ("ill", "late", "other")
SEXES = ("female", "male")

MOST_CHARACTERS, MOST_CHARACTERS_FOR = 1_000, 100
"""Of a note and the like; of what was paid for."""
LARGEST_SUM = 100_000_000
LONGEST_NAME, LONGEST_QUALIFICATION, LONGEST_STAFF_NUMBER = 40, 40, 20
SAFE_WORD = r"^([\u3400-\u4dbf\u4e00-\u9fff]{2,4}|[A-Za-z]{2,20})$"
CODE, CURRENCY = "^[0-9]{4}$", "^[A-Z]{3}$"


def read_deed(body: Mapping[str, Any]) -> EscortLine:
    """A line of an escort. Raises ProviderError."""
    kind, escort = _one_of(body, "kind", KINDS), words(body, "escort", LONGEST_CODE)
    assigned, present = kind == "assigned", kind in PRESENCE
    position = _position(body) if present else None
    return EscortLine(
        id=fields.reference(body, "id"),
        reference=fields.reference(body, "reference"),
        our_reference=fields.reference(body, "our_reference"),
        seq=seq_of(body),
        kind=kind,  # type: ignore[arg-type]
        escort=escort,
        at=_moment(body),
        worker=_worker(fields.object_at(body, "worker"), escort) if assigned else None,
        safe_word=_matched(body, "safe_word", SAFE_WORD) if assigned else "",
        cause=_one_of(body, "cause", CAUSES) if kind == "released" else "",  # type: ignore[arg-type]
        position=position,  # type: ignore[arg-type]
        accuracy_m=None if position is None else _accuracy(body, position),
        code=_matched(body, "code", CODE) if present and body.get("code") not in (None, "") else "",
        words=_said(body, kind),
        cost=_cost(fields.object_at(body, "cost")) if kind == "cost" else None,
        picture=picture_of(body) if kind == "paper" or (kind == "cost" and body.get("picture") is not None) else "",
    )


def _moment(body: Mapping[str, Any]) -> datetime:
    at = fields.moment(body, "at")
    if at is None:
        raise fields.BadField("at", "missing", "a line without its time")
    return at


def _one_of(body: Mapping[str, Any], name: str, known: tuple[str, ...]) -> str:
    value = fields.text(body, name)
    if value not in known:
        raise fields.BadField(name, "unknown", f"{name} is none that is known")
    return value


def _matched(body: Mapping[str, Any], name: str, pattern: str) -> str:
    value = fields.text(body, name)
    if not re.fullmatch(pattern, value):
        raise fields.BadField(name, "format", f"{name} is not of the form that the contract has")
    return value


def _worker(worker: Mapping[str, Any], escort: str) -> RemoteEscort:
    code = words(worker, "code", LONGEST_CODE)
    if code != escort:
        raise fields.BadField("code", "other", "an assignment of another escort than the line's")
    return RemoteEscort(
        code=code,
        name=words(worker, "name", LONGEST_NAME),
        sex=_one_of(worker, "sex", SEXES),  # type: ignore[arg-type]
        staff_number=words(worker, "staff_number", LONGEST_STAFF_NUMBER, ""),
        qualification_zh=words(worker, "qualification_zh", LONGEST_QUALIFICATION, ""),
        qualification_en=words(worker, "qualification_en", LONGEST_QUALIFICATION, ""),
    )


def _position(body: Mapping[str, Any]) -> str | None:
    return None if body.get("position") is None else _one_of(body, "position", POSITIONS)


def _accuracy(body: Mapping[str, Any], position: str) -> int | None:
    """How exact the position is; needed where it says something."""
    if position == "not_checkable" and body.get("accuracy_m") is None:
        return None
    return fields.whole_number(body, "accuracy_m")


def _said(body: Mapping[str, Any], kind: str) -> str:
    if kind in WITH_WORDS:
        return words(body, "words", MOST_CHARACTERS)
    return words(body, "words", MOST_CHARACTERS, "") if kind == "cost" else ""


def _cost(cost: Mapping[str, Any]) -> EscortCost:
    amount = fields.whole_number(cost, "amount")
    if amount > LARGEST_SUM:
        raise fields.BadField("amount", "number", f"amount is more than {LARGEST_SUM}")
    currency = _matched(cost, "currency", CURRENCY)
    return EscortCost(amount, currency, words(cost, "purpose", MOST_CHARACTERS_FOR))
