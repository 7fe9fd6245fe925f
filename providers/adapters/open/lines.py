"""What is said in consultations, in the open protocol's JSON: the bodies of our commands, and doctors' lines and the
roster as plain data.

A line that breaks the contract is unreadable and stops no other. It has its number where that can be read, so that it
can be told which one it is.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, get_args

from marketplace.core.logging import get_logger
from providers.adapters import fields
from providers.adapters.open_wire import person_body
from providers.adapters.rows import Named, read_rows, readable
from providers.conversing import CloseConversation, OpenConversation, OutgoingMessage
from providers.port import ProviderError
from providers.reported import MessageKind, RemoteClinician, RemoteMessage, RemoteSummary, UnreadableRow

MOST_CHARACTERS = 4_000
MOST_LINES = 200
MOST_CLINICIANS = 1_000
LONGEST_CODE, LONGEST_NAME = 64, 60
LONGEST_PICTURE_ID = 128
KINDS: tuple[str, ...] = get_args(MessageKind)
_SHA256 = re.compile(r"[0-9a-f]{64}")
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


def read_lines(rows: Sequence[Any], *, reference: str | None = None) -> tuple[list[RemoteMessage], list[UnreadableRow]]:
    """The lines of a list or an event by their number, each once. With a `reference`, those of other consultations are
    unreadable, and tell no number. So is a line that comes under the number of another one, which stays."""
    known: dict[int, RemoteMessage] = {}

    def once(row: Mapping[str, Any]) -> RemoteMessage:
        line = _line(row, reference)
        if known.setdefault(line.seq, line) != line:
            raise fields.BadField("seq", "repeated", "two lines under one number")
        return line

    unreadable: list[UnreadableRow] = []
    for row in rows:
        unreadable += [replace(bad, seq=_number(row, reference)) for bad in read_rows([row], once, _named)[1]]
    lines = [known[seq] for seq in sorted(known)]
    return lines, [replace(bad, seq=None) if bad.seq in known else bad for bad in unreadable]


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


def _line(body: Mapping[str, Any], wanted: str | None) -> RemoteMessage:
    reference, kind = fields.reference(body, "reference"), fields.text(body, "kind")
    if wanted is not None and reference != wanted:
        raise fields.BadField("reference", "other", "a line of another consultation")
    if kind not in KINDS:
        raise fields.BadField("kind", "unknown", "a line of unknown kind")
    sent_at = fields.moment(body, "sent_at")
    if sent_at is None:
        raise fields.BadField("sent_at", "missing", "a line without its time")
    return RemoteMessage(
        id=fields.reference(body, "id"),
        reference=reference,
        our_reference=fields.reference(body, "our_reference"),
        seq=_seq(body),
        kind=kind,  # type: ignore[arg-type]
        clinician=_short(body, "clinician", LONGEST_CODE),
        sent_at=sent_at,
        text=_words(body, "text") if kind == "text" else "",
        picture=_picture(body) if kind == "picture" else "",
        summary=_summary(body) if kind == "summary" else None,
    )


def _named(row: Mapping[str, Any]) -> Named:
    return readable(row, "reference"), readable(row, "our_reference")


def _number(row: Any, wanted: str | None) -> int | None:
    """The number of a line that could not be read as a whole, if it is one of the consultation that is wanted."""
    if not isinstance(row, dict) or (wanted is not None and readable(row, "reference") not in (wanted, None)):
        return None
    try:
        return _seq(row)
    except ProviderError:
        return None


def _seq(body: Mapping[str, Any]) -> int:
    seq = fields.whole_number(body, "seq")
    if seq < 1:
        raise fields.BadField("seq", "number", "lines are numbered from 1")
    return seq


def _picture(body: Mapping[str, Any]) -> str:
    """What picture_path() understands: by which bytes it is known, and what it is called there."""
    picture = fields.object_at(body, "picture")
    sha256, name = fields.text(picture, "sha256"), _short(picture, "id", LONGEST_PICTURE_ID)
    if not _SHA256.fullmatch(sha256):
        raise fields.BadField("sha256", "format", "sha256 is not 64 lower-case hexadecimal digits")
    return f"{sha256}:{name}"


def picture_named(picture: str) -> tuple[str, str]:
    """The hash of a line's picture and its id at the provider. Raises ProviderError."""
    sha256, colon, name = picture.partition(":")
    if not (colon and name and _SHA256.fullmatch(sha256)):
        raise ProviderError("a line without a picture")
    return sha256, name


def _summary(body: Mapping[str, Any]) -> RemoteSummary:
    """What is suggested next is left out where it cannot be read: the summary is worth more."""
    summary = fields.object_at(body, "summary")
    return RemoteSummary(
        summary=_words(summary, "summary"),
        advice=_words(summary, "advice", ""),
        next_service=readable(summary, "next_service") or "",
        next_department=readable(summary, "next_department") or "",
    )


def _clinician(body: Mapping[str, Any]) -> RemoteClinician:
    licence = fields.text(body, "licence")
    if not _LICENCE.fullmatch(licence):
        raise fields.BadField("licence", "format", "licence is not 15 digits")
    return RemoteClinician(
        code=_short(body, "code", LONGEST_CODE),
        name=_short(body, "name", LONGEST_NAME),
        title_zh=_short(body, "title_zh", LONGEST_NAME),
        title_en=_short(body, "title_en", LONGEST_NAME),
        licence=licence,
    )


def _words(body: Mapping[str, Any], name: str, default: str | None = None) -> str:
    words = fields.text(body, name, default)
    if len(words) > MOST_CHARACTERS:
        raise fields.BadField(name, "length", f"{name} has more than {MOST_CHARACTERS} characters")
    if default is None and not words.strip():
        raise fields.BadField(name, "text", f"{name} is blank")
    return words


def _short(body: Mapping[str, Any], name: str, longest: int) -> str:
    text = fields.text(body, name)
    if len(text) > longest:
        raise fields.BadField(name, "length", f"{name} has more than {longest} characters")
    if not text.strip():
        raise fields.BadField(name, "text", f"{name} is blank")
    return text


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
