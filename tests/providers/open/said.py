"""What is said in consultations, for tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from providers.conversing import CloseConversation, OpenConversation, OutgoingMessage
from providers.port import Person

OURS, THEIRS = "bok_1", "C 1/ü"
MOMENT = datetime(2026, 3, 5, 8, 0, 1, tzinfo=UTC)


def opening(**changes: Any) -> OpenConversation:
    """A consultation to begin."""
    answers = {"symptoms": "咳嗽", "since": "days"}
    wish = OpenConversation(
        *("key-1", OURS, "ASK", "dermatology", "zh", Person("王小明", "male", date(1985, 5, 20))), answers, False, 90
    )
    return replace(wish, **changes)


def saying(text: str = "您好", **changes: Any) -> OutgoingMessage:
    """Something that a customer says."""
    return replace(OutgoingMessage("msg_1", THEIRS, OURS, 3, MOMENT, text), **changes)


def closing(**changes: Any) -> CloseConversation:
    """It is over."""
    return replace(CloseConversation("close-1", THEIRS, OURS, "idle"), **changes)


def booking(**changes: Any) -> dict[str, Any]:
    """What the provider answers to an opening."""
    return {
        "reference": THEIRS,
        "our_reference": OURS,
        "slot": "",
        "status": "confirmed",
        "version": 1,
        "service_date": "2026-03-05",
        "starts_at": None,
        "ends_at": None,
        "updated_at": "2026-03-05T08:00:00Z",
        **changes,
    }


def line(seq: Any = 1, **changes: Any) -> dict[str, Any]:
    """What a doctor says, as the provider lists it."""
    return {
        "id": f"line-{seq}",
        "reference": THEIRS,
        "our_reference": OURS,
        "seq": seq,
        "kind": "text",
        "clinician": "D7",
        "sent_at": "2026-03-05T08:01:00+08:00",
        "text": f"第{seq}句",
        **changes,
    }


def clinician(code: str = "D7", **changes: Any) -> dict[str, Any]:
    """A doctor, as the roster has her."""
    return {
        "code": code,
        "name": "林晚晴",
        "title_zh": "主治医师",
        "title_en": "Attending physician",
        "licence": "110101199003071",
        **changes,
    }
