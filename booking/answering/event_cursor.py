"""Where a provider's reading of its events goes on: between which two snapshots of PostgreSQL, and behind which line.

A snapshot says of every transaction whether it had ended when it was taken. What one shows and an earlier one does not
was committed in between, in whatever order transactions took their numbers and their lines took their ids. So a cursor
that names the snapshot of the last reading misses nothing, and waits for nobody: a transaction that is still running
stands in its list and is read once it has ended.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import zlib
from dataclasses import dataclass

from marketplace.core.crypto import blind_index, blind_indexes
from marketplace.core.errors import Invalid

LONGEST = 8_000
"""Characters of a cursor that is looked at. What bounds one: the transactions that were running at a moment, of which
the server has at most max_connections; each adds the distance to the oldest, one to three digits."""

_PURPOSE = "partner events cursor"
_MARK = 16
NOTHING = "1:1:"
"""The snapshot that shows nothing."""

Position = tuple[int, int]
BEFORE_ALL: Position = (-1, -1)


@dataclass(frozen=True)
class EventCursor:
    """All that `seen` shows was read. Of what `until` shows besides, everything up to `after` was; without `until` the
    next reading begins a new span. `history`: in which history the numbers are meant (booking.answering.feed_history),
    blank for a cursor from before histories had names."""

    seen: str = NOTHING
    until: str | None = None
    after: Position = BEFORE_ALL
    history: str = ""


def encode(cursor: EventCursor, provider_id: int) -> str:
    """The cursor as text, of this provider alone."""
    until = None if cursor.until is None else _short(cursor.until)
    named = [cursor.history] if cursor.history else []
    plain = json.dumps([_short(cursor.seen), until, *cursor.after, *named], separators=(",", ":")).encode()
    return _as_text(_mark(plain, provider_id) + zlib.compress(plain, 9))


def decode(text: str, provider_id: int) -> EventCursor:
    """The cursor in a text. Raises Invalid(field="cursor") for what encode() did not make for this provider."""
    try:
        if len(text) > LONGEST:
            raise ValueError("too long")
        stored = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        unpacking = zlib.decompressobj()
        plain = unpacking.decompress(stored[_MARK:], 20 * LONGEST)
        whole = unpacking.eof and not unpacking.unused_data and _as_text(stored) == text
        if not whole or not _is_ours(stored[:_MARK], plain, provider_id):
            raise ValueError("another's")
        seen, until, xact, line, *named = json.loads(plain)
        return EventCursor(_long(seen), None if until is None else _long(until), (xact, line), "".join(named))
    except (ValueError, binascii.Error, zlib.error) as bad:
        raise Invalid(field="cursor", reason="bad_cursor") from bad


def _as_text(stored: bytes) -> str:
    return base64.urlsafe_b64encode(stored).decode().rstrip("=")


def _mark(plain: bytes, provider_id: int) -> bytes:
    return blind_index(f"{provider_id}:{plain.decode()}", _PURPOSE)[:_MARK]


def _is_ours(mark: bytes, plain: bytes, provider_id: int) -> bool:
    known = blind_indexes(f"{provider_id}:{plain.decode()}", _PURPOSE)
    return any(hmac.compare_digest(mark, each[:_MARK]) for each in known)


def _short(snapshot: str) -> str:
    """A snapshot with its numbers counted from the first one."""
    low, high, running = snapshot.split(":")
    base = int(low)
    return f"{base}:{int(high) - base}:{','.join(str(int(each) - base) for each in running.split(',') if each)}"


def _long(short: str) -> str:
    low, high, running = short.split(":")
    base = int(low)
    return f"{base}:{base + int(high)}:{','.join(str(base + int(each)) for each in running.split(',') if each)}"
