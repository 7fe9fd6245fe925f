"""Lines of slots: what a line may hold (`SlotLine`), and reading ten thousand of them in a second.

`SlotLine` alone says what is right. Nearly every line is, so `_plain` first reads what plainly fits, at a tenth of the
cost; whatever it is not sure of goes to the schema. A test holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import marshmallow as ma

from booking.sync.publish import Fault, Faults
from marketplace.core import strictjson
from marketplace.core.errors import Invalid
from marketplace.rest.fields import Day, Number, Request, Text, Truth
from providers.reported import RemoteSlot

MOST_LINES = 10_000
MOST_BYTES = 5 * 2**20
LONGEST_LINE = 4096
LONGEST_NAME = 255
MOST_PLACES = 2**31 - 1

_MOMENT = re.compile(r"20\d\d-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"20\d\d-\d\d-\d\d", re.ASCII)
_LIKE_A_FIELD = re.compile(r"[A-Za-z_]{1,32}")
_OURS = frozenset({"pool", "reference", "service_date", "starts_at", "ends_at", "offered", "closed", "version"})


class Moment(ma.fields.DateTime):
    """A moment of this century as RFC 3339 writes it, with its zone."""

    default_error_messages = {"required": "required", "null": "null", "invalid": "moment", "format": "moment"}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> datetime:
        if not isinstance(value, str) or not _MOMENT.fullmatch(value):
            raise self.make_error("invalid", input=value, obj_type="datetime")
        try:
            return datetime.fromisoformat(value.upper())
        except ValueError as bad:
            raise self.make_error("invalid", input=value, obj_type="datetime") from bad


class SlotLine(Request):
    """One line: a slot with its times, or the capacity of a whole day without them."""

    pool = Text(shortest=1, longest=LONGEST_NAME, required=True, metadata={"description": "Your name of the pool."})
    reference = Text(
        shortest=1,
        longest=LONGEST_NAME,
        required=True,
        metadata={"description": "Your name of the slot. Pool and reference are its key."},
    )
    service_date = Day(required=True, metadata={"description": "The day at the site."})
    starts_at = Moment(load_default=None, allow_none=True, metadata={"description": "With its zone."})
    ends_at = Moment(load_default=None, allow_none=True, metadata={"description": "With its zone."})
    offered = Number(
        least=0, most=MOST_PLACES, required=True, metadata={"description": "All that is given to us, taken or not."}
    )
    closed = Truth(load_default=False, metadata={"description": "No longer offered; what is booked stays booked."})
    version = Number(
        least=0,
        most=strictjson.LARGEST,
        required=True,
        metadata={"description": "Grows with every change of the slot; a lower one than we hold is outdated."},
    )

    @ma.validates_schema
    def _window(self, data: Mapping[str, Any], **_: Any) -> None:
        starts_at, ends_at = data.get("starts_at"), data.get("ends_at")
        if (starts_at is None) != (ends_at is None):
            raise ma.ValidationError("both_times", "starts_at" if starts_at is None else "ends_at")
        if starts_at is not None and ends_at is not None and starts_at >= ends_at:
            raise ma.ValidationError("ends_before_start", "ends_at")


_SCHEMA = SlotLine()


def read_lines(body: bytes) -> Iterator[RemoteSlot | Faults]:
    """Each line of the body, or what is wrong with it."""
    for raw in split(body):
        yield read_line(raw)


def split(body: bytes) -> list[bytes]:
    """The lines; the last may end with a line feed or without."""
    lines = body.split(b"\n")
    if not lines[-1].strip():
        lines.pop()
    return lines


def read_line(raw: bytes) -> RemoteSlot | Faults:
    """A slot, or what is wrong with the line."""
    if len(raw) > LONGEST_LINE:
        return (Fault("line", "line_length"),)
    try:
        line = strictjson.loads(raw)
    except strictjson.NotJson:
        return (Fault("line", "not_json"),)
    except Invalid as bad:
        return (Fault(bad.at if bad.at in _OURS else "line", str(bad.facts["reason"])),)
    return _plain(line) or _judged(line)


def _plain(line: Any) -> RemoteSlot | None:
    """The slot of a line in which everything is as it should be at first sight, else None."""
    if type(line) is not dict or not line.keys() <= _OURS:
        return None
    pool, reference, day = line.get("pool"), line.get("reference"), line.get("service_date")
    offered, version, closed = line.get("offered"), line.get("version"), line.get("closed", False)
    starts, ends = line.get("starts_at"), line.get("ends_at")
    if (
        type(pool) is not str
        or type(reference) is not str
        or not 0 < len(pool) <= LONGEST_NAME
        or not 0 < len(reference) <= LONGEST_NAME
        or type(offered) is not int
        or not 0 <= offered <= MOST_PLACES
        or type(version) is not int
        or not 0 <= version <= strictjson.LARGEST
        or type(closed) is not bool
        or type(day) is not str
    ):
        return None
    try:
        service_date = _day(day)
        if starts is None and ends is None:
            return RemoteSlot(pool, reference, service_date, None, None, offered, closed, version)
        starts_at, ends_at = _moment(starts), _moment(ends)
    except (ValueError, TypeError):
        return None
    if starts_at >= ends_at:
        return None
    return RemoteSlot(pool, reference, service_date, starts_at, ends_at, offered, closed, version)


@lru_cache(maxsize=4096)
def _day(text: str) -> date:
    if not _DAY.fullmatch(text):
        raise ValueError
    return date.fromisoformat(text)


@lru_cache(maxsize=32768)
def _moment(text: str) -> datetime:
    if not _MOMENT.fullmatch(text):
        raise ValueError
    return datetime.fromisoformat(text.upper())


def _judged(line: Any) -> RemoteSlot | Faults:
    """What the schema makes of a line."""
    try:
        found: dict[str, Any] = _SCHEMA.load(line)
    except ma.ValidationError as bad:
        return tuple(_faults(bad.messages))
    return RemoteSlot(**found)


def _faults(messages: Any) -> Iterator[Fault]:
    """The schema's complaints. A strange name is repeated only if it looks like a field's: it may be a person's."""
    for name, reasons in messages.items():
        for reason in reasons:
            known = name != "_schema" and _LIKE_A_FIELD.fullmatch(str(name))
            yield Fault(str(name) if known else "line", str(reason))
