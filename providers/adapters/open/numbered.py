"""Lines that a provider numbers from 1 in each booking: pages and events of them, one by one, and what several kinds of
lines have in common.

A line that breaks the contract is unreadable and stops no other. It has its number where that can be read, so that it
can be told which one it is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from providers.adapters import fields
from providers.adapters.http import Reply
from providers.adapters.rows import Named, read_rows, readable
from providers.conversing import Picture
from providers.port import ProviderError
from providers.reported import UnreadableRow

MOST_LINES = 200
LONGEST_CODE, LONGEST_PICTURE_ID = 64, 128
PICTURES = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}
"""The types of pictures, and how the bytes of each begin."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Numbered(Protocol):
    """A line that was read."""

    @property
    def seq(self) -> int:
        """Its number."""
        ...


L = TypeVar("L", bound=Numbered)


@dataclass(frozen=True)
class Lines(Generic[L]):
    """A page of lines, by their numbers. `next` is the number after which the next page begins, None on the last."""

    lines: list[L]
    next: int | None
    unreadable: list[UnreadableRow]


def read_numbered(
    rows: Sequence[Any], read: Callable[[Mapping[str, Any]], L], *, reference: str | None = None
) -> tuple[list[L], list[UnreadableRow]]:
    """What `read` makes of the lines of a list or an event, by their number, each once. With a `reference`, those of
    other bookings are unreadable, and tell no number. So is a line that comes under the number of another one, which
    stays."""
    known: dict[int, L] = {}

    def once(row: Mapping[str, Any]) -> L:
        if reference is not None and fields.reference(row, "reference") != reference:
            raise fields.BadField("reference", "other", "a line of another booking")
        line = read(row)
        if known.setdefault(line.seq, line) != line:
            raise fields.BadField("seq", "repeated", "two lines under one number")
        return line

    unreadable: list[UnreadableRow] = []
    for row in rows:
        unreadable += [replace(bad, seq=_number(row, reference)) for bad in read_rows([row], once, _named)[1]]
    lines = [known[seq] for seq in sorted(known)]
    return lines, [replace(bad, seq=None) if bad.seq in known else bad for bad in unreadable]


def read_page(
    body: Mapping[str, Any], name: str, read: Callable[[Mapping[str, Any]], L], reference: str, after: int
) -> Lines[L]:
    """A page of a booking's lines, of which `after` was the last number known. Lines up to it that come along are left
    out, and of more than 200 the rest is left for the next page. Raises ProviderError."""
    rows = fields.rows_at(body, name)
    found, bad = read_numbered(rows[:MOST_LINES], read, reference=reference)
    lines = [line for line in found if line.seq > after]
    unreadable = [row for row in bad if row.seq is None or row.seq > after]
    return Lines(lines, _goes_on(body, len(rows), lines, unreadable, after), unreadable)


def _goes_on(
    body: Mapping[str, Any], told: int, lines: Sequence[L], unreadable: Sequence[UnreadableRow], after: int
) -> int | None:
    """The number after which the next page begins: none that was not on this one. Raises ProviderError where there
    must be a next page and this one has led nowhere."""
    if body.get("next") is None and told <= MOST_LINES:
        return None
    last = max([*(line.seq for line in lines), *(row.seq for row in unreadable if row.seq is not None)], default=after)
    goes_on = last if body.get("next") is None else min(fields.whole_number(body, "next"), last)
    if goes_on <= after:
        raise fields.BadField("next", "number", "a page that leads nowhere")
    return goes_on


def seq_of(body: Mapping[str, Any]) -> int:
    """A line's number. Raises ProviderError."""
    seq = fields.whole_number(body, "seq")
    if seq < 1:
        raise fields.BadField("seq", "number", "lines are numbered from 1")
    return seq


def words(body: Mapping[str, Any], name: str, longest: int, default: str | None = None) -> str:
    """Words of some length, not blank unless there is a `default`. Raises ProviderError."""
    text = fields.text(body, name, default)
    if len(text) > longest:
        raise fields.BadField(name, "length", f"{name} has more than {longest} characters")
    if default is None and not text.strip():
        raise fields.BadField(name, "text", f"{name} is blank")
    return text


def picture_of(body: Mapping[str, Any]) -> str:
    """What `fetched` understands: by which bytes a line's picture is known, and what it is called there. Raises
    ProviderError."""
    picture = fields.object_at(body, "picture")
    sha256, name = fields.text(picture, "sha256"), words(picture, "id", LONGEST_PICTURE_ID)
    if not _SHA256.fullmatch(sha256):
        raise fields.BadField("sha256", "format", "sha256 is not 64 lower-case hexadecimal digits")
    return f"{sha256}:{name}"


def picture_named(picture: str) -> tuple[str, str]:
    """The hash of a line's picture and its id at the provider. Raises ProviderError."""
    sha256, colon, name = picture.partition(":")
    if not (colon and name and _SHA256.fullmatch(sha256)):
        raise ProviderError("a line without a picture")
    return sha256, name


def fetched(reply: Reply, sha256: str) -> Picture:
    """The picture that an answer brings, if it is the one announced. Raises ProviderError."""
    if hashlib.sha256(reply.body).hexdigest() != sha256:
        raise ProviderError("the picture is not the one announced")
    begins = PICTURES.get(reply.content_type)
    if begins is None or not reply.body.startswith(begins):
        raise ProviderError("no picture that is JPEG or PNG")
    return Picture(reply.body, reply.content_type, sha256)  # type: ignore[arg-type]


def _named(row: Mapping[str, Any]) -> Named:
    return readable(row, "reference"), readable(row, "our_reference")


def _number(row: Any, wanted: str | None) -> int | None:
    """The number of a line that could not be read as a whole, if it is one of the booking that is wanted."""
    if not isinstance(row, dict) or (wanted is not None and readable(row, "reference") not in (wanted, None)):
        return None
    try:
        return seq_of(row)
    except ProviderError:
        return None
