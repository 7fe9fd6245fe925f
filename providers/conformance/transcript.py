"""What is written down of a call: enough to find a fault by, and neither personal data nor secrets.

Headers are left out but for a few, of a body only fields are shown that are known to say nothing about a person, and a
provider's free text is never shown. In what is shown, every known secret and everything that was sent of the test
person is blotted out besides: a provider may repeat them where they do not belong.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from providers.adapters.http import NoAnswer, Reply
from providers.conformance.words import PLAIN, Said, phrase

LONGEST_VALUE = 80
MOST_ROWS = 3
MOST_LINES = 200
HIDDEN = "…"

NO_ANSWER = phrase("no-answer", "< 没有应答：{reason}", "< no answer: {reason}")
NOT_JSON = phrase(
    "answer-of-another-type", "< {head}（{bytes} 字节，类型 {type}）", "< {head} ({bytes} bytes of {type})"
)
NO_TYPE = phrase("no-type", "未注明", "no type")
DEADLINE = phrase("deadline-passed", "超过时限", "the deadline passed")
NO_TIME = phrase("no-time-was-left", "时间已用完", "no time was left")
REFUSED_LINE = phrase("not-connected", "无法建立连接", "no connection")
ANSWER_NOT_JSON = phrase("answer-not-json", "回复不是 JSON", "the answer is not JSON")
NOT_AN_OBJECT = phrase("answer-not-object", "回复不是 JSON 对象", "the answer is not a JSON object")
NOT_PUBLIC = phrase("address-not-public", "地址不是公网地址", "the address is not public")
_REASONS = {
    **{str(each()): each for each in (DEADLINE, NO_TIME, ANSWER_NOT_JSON, NOT_AN_OBJECT, NOT_PUBLIC)},
    "ConnectionError": REFUSED_LINE,
}
"""What our own side of a call says of it; an adapter's other words are technical, and the same in both languages."""

SHOWN = frozenset(
    (
        *("our_reference", "reference", "offer", "pool", "slot", "slots", "service_date", "starts_at", "ends_at"),
        *("status", "version", "updated_at", "answer_by", "code", "type", "proposal", "expires_at", "next", "cursor"),
        *("offered", "closed", "bookings", "reports", "booking", "report", "issued_at", "from", "to", "limit", "page"),
        *("idempotency_key", "command", "does", "seconds", "action", "data", "serverTime", "timestamp", "sha256"),
        *("orderNo", "outOrderNo", "orgCode", "packageCode", "scheduleDate", "orderStatus", "failCode", "createTime"),
        *("updateTime", "orders", "schedules", "total", "remain", "retryAfter", "startDate", "endDate", "pageNo"),
        *("pageSize", "updateTimeStart", "updateTimeEnd", "reportTimeStart", "reportTimeEnd", "scheduleDateStart"),
        *("scheduleDateEnd", "reportNo", "reportVersion", "reportStatus", "reportTime", "method", "document", "size"),
        *("consultation", "messages", "message", "seq", "after", "kind", "sent_at", "clinician", "clinicians"),
        *("lines", "line", "escort", "at", "cause", "position", "accuracy_m", "amount", "currency"),
    )
)
HEADERS = ("idempotency-key", "retry-after")


class Transcript:
    """The calls of one step. `secrets` and what is told of the person are shown nowhere."""

    def __init__(self, blotted: Iterable[str]) -> None:
        self._blotted = sorted({each for each in blotted if len(each) > 1}, key=len, reverse=True)
        self.lines: list[str | Said] = []
        self.last: Reply | None = None

    def heard(self, call: str, parts: Mapping[str, Any], came: Reply | NoAnswer) -> None:
        """A call that was made, and what came."""
        self.last = came if isinstance(came, Reply) else None
        sent = _unwrapped(parts.get("json")) or parts.get("params")
        headers = _headers(parts.get("headers") or {})
        self.note(f"> {call} {headers}{_written(sent)}".rstrip())
        if isinstance(came, NoAnswer):
            self.note(NO_ANSWER(reason=in_words(came)))
            return
        self.note(_came(came))

    def note(self, line: str | Said) -> None:
        """A line, blotted like all."""
        if len(self.lines) < MOST_LINES:
            self.lines.append(line.each(self.blot) if isinstance(line, Said) else self.blot(line))

    def blot(self, text: str) -> str:
        """The text without anything that must not be shown."""
        for each in self._blotted:
            text = text.replace(each, HIDDEN)
        return storable(text)


def in_words(error: Exception | str) -> Said:
    """What went wrong with a call."""
    reason = error if isinstance(error, str) else str(error) or type(error).__name__
    return _REASONS[reason]() if reason in _REASONS else PLAIN(detail=reason[:120])


def storable(text: str) -> str:
    """The text without what no database stores as JSON: NUL, and halves of characters."""
    return text.replace("\0", "?").encode("utf-8", "replace").decode()


def _unwrapped(body: Any) -> Any:
    """The business part of a signed request, which is JSON inside of JSON."""
    if isinstance(body, dict) and isinstance(body.get("biz"), str):
        return json.loads(body["biz"])
    return body


def _headers(headers: Mapping[str, str]) -> str:
    shown = [f"{name.lower()}={value}" for name, value in headers.items() if name.lower() in HEADERS]
    return f"[{' '.join(shown)}] " if shown else ""


def _came(reply: Reply) -> str | Said:
    head = f"{reply.status} {_headers(reply.headers)}".rstrip()
    try:
        return f"< {head} {_written(json.loads(reply.body))}".rstrip()
    except (ValueError, RecursionError):
        kind = reply.content_type[:60] or NO_TYPE()
        return NOT_JSON(head=head, bytes=len(reply.body), type=kind)


def _written(value: Any) -> str:
    return "" if value is None else json.dumps(shown(value), ensure_ascii=False)


def shown(value: Any, depth: int = 0) -> Any:
    """A JSON value as it may be shown."""
    if depth > 6:
        return HIDDEN
    if isinstance(value, dict):
        return {
            name: shown(each, depth + 1) if name in SHOWN else HIDDEN
            for name, each in value.items()
            if isinstance(name, str) and len(name) <= 40
        }
    if isinstance(value, list):
        rows = [shown(each, depth + 1) for each in value[:MOST_ROWS]]
        return [*rows, f"{HIDDEN} ({len(value)})"] if len(value) > MOST_ROWS else rows
    return value[:LONGEST_VALUE] if isinstance(value, str) else value
