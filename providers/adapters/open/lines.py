"""What is said in consultations, in the open protocol's JSON: the bodies of our commands, and doctors' lines and the
roster as plain data."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, get_args

from marketplace.core.logging import get_logger
from providers.adapters import fields
from providers.adapters.open.numbered import LONGEST_CODE, picture_of, seq_of, words
from providers.adapters.open_wire import person_body
from providers.adapters.rows import read_rows, readable
from providers.conversing import CloseConversation, OpenConversation, OutgoingMessage
from providers.reported import MessageKind, RemoteClinician, RemoteMessage, RemoteSummary

MOST_CHARACTERS = 4_000
MOST_CLINICIANS = 1_000
LONGEST_NAME = 60
KINDS: tuple[str, ...] = get_args(MessageKind)
_LICENCE = re.compile(r"[0-9]{15}")

log = get_logger(__name__)


def open_body(command: OpenConversation) -> dict[str, Any]:
    """The body of POST /consultations."""
    return {
        "our_reference": command.our_reference,
        "offer": command.offer,
        "department": command.department,
        "language": command.language,
        "person": person_body(command.person),
        "answers": dict(command.answers),
        "flagged": command.flagged,
        "answer_seconds": command.answer_seconds,
    }


def message_body(message: OutgoingMessage) -> dict[str, Any]:
    """The body of POST /consultations/{reference}/messages."""
    said: dict[str, Any] = {"text": message.text}
    if message.picture is not None:
        content = b64encode(message.picture.content).decode()
        kind = message.picture.content_type
        said = {"picture": {"content_type": kind, "sha256": message.picture.sha256, "content": content}}
    return {
        "id": message.id,
        "our_reference": message.our_reference,
        "seq": message.seq,
        "sent_at": _written(message.sent_at),
        "flagged": message.flagged,
        **said,
    }


def close_body(command: CloseConversation) -> dict[str, Any]:
    """The body of POST /consultations/{reference}/close."""
    return {"our_reference": command.our_reference, "reason": command.reason}


def read_roster(body: Mapping[str, Any]) -> list[RemoteClinician]:
    """Who is on it, each code once. Who cannot be read, and a code that stands for several, is not; that is logged.
    Raises ProviderError."""
    rows = fields.rows_at(body, "clinicians")
    if len(rows) > MOST_CLINICIANS:
        raise fields.BadField("clinicians", "length", f"a roster of more than {MOST_CLINICIANS}")
    found, unreadable = read_rows(rows, _clinician, lambda row: (readable(row, "code"), None))
    several: dict[str, set[RemoteClinician]] = {}
    for each in found:
        several.setdefault(each.code, set()).add(each)
    known = [each for same in several.values() if len(same) == 1 for each in same]
    left_out = len(unreadable) + len(several) - len(known)
    if left_out:
        reasons = sorted({row.reason for row in unreadable})
        log.warning("provider.clinicians_left_out", count=left_out, reasons=reasons[:10])
    return known


def read_line(body: Mapping[str, Any]) -> RemoteMessage:
    """A line of a doctor. Raises ProviderError."""
    reference, kind = fields.reference(body, "reference"), fields.text(body, "kind")
    if kind not in KINDS:
        raise fields.BadField("kind", "unknown", "a line of unknown kind")
    sent_at = fields.moment(body, "sent_at")
    if sent_at is None:
        raise fields.BadField("sent_at", "missing", "a line without its time")
    return RemoteMessage(
        id=fields.reference(body, "id"),
        reference=reference,
        our_reference=fields.reference(body, "our_reference"),
        seq=seq_of(body),
        kind=kind,  # type: ignore[arg-type]
        clinician=words(body, "clinician", LONGEST_CODE),
        sent_at=sent_at,
        text=words(body, "text", MOST_CHARACTERS) if kind == "text" else "",
        picture=picture_of(body) if kind == "picture" else "",
        summary=_summary(body) if kind == "summary" else None,
    )


def _summary(body: Mapping[str, Any]) -> RemoteSummary:
    """What is suggested next is left out where it cannot be read: the summary is worth more."""
    summary = fields.object_at(body, "summary")
    return RemoteSummary(
        summary=words(summary, "summary", MOST_CHARACTERS),
        advice=words(summary, "advice", MOST_CHARACTERS, ""),
        next_service=readable(summary, "next_service") or "",
        next_department=readable(summary, "next_department") or "",
    )


def _clinician(body: Mapping[str, Any]) -> RemoteClinician:
    licence = fields.text(body, "licence")
    if not _LICENCE.fullmatch(licence):
        raise fields.BadField("licence", "format", "licence is not 15 digits")
    return RemoteClinician(
        code=words(body, "code", LONGEST_CODE),
        name=words(body, "name", LONGEST_NAME),
        title_zh=words(body, "title_zh", LONGEST_NAME),
        title_en=words(body, "title_en", LONGEST_NAME),
        licence=licence,
    )


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
