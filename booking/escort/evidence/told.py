"""A deed as a phone tells it: read strictly, each by itself, so that one that is wrong refuses itself alone."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from booking.escort.evidence.contents import SIGNED_ON, Contents, Cost, Stroke
from booking.escort.evidence.kinds import KINDS, PRESENCE, Kind
from booking.escort.evidence.position import FARTHEST_METRES, Measured
from booking.offers.limits import CURRENCY
from marketplace.core.errors import Invalid
from marketplace.core.strictjson import storable
from marketplace.core.text import without_invisible

LONGEST_NUMBER = 1_000_000
MOST_CHARACTERS = 1_000
"""Of a note, and of words beside a step."""
MOST_CHARACTERS_FOR = 100
"""Of what was paid for."""
LARGEST_SUM = 100_000_000
MOST_STROKES, MOST_POINTS = 200, 5_000
CODE = "[0-9]{4}"

_WORDS_NEEDED = frozenset({"note", "handed_over"})
_PICTURES = frozenset({"paper", "cost"})


_NOTHING = Contents()


@dataclass(frozen=True)
class Told:
    """A deed. `at` is UTC. `measured`: what the phone knew of where it was, None where it did not look; `code`: the
    person's, blank without; `picture`: the file as it was sent."""

    key: uuid.UUID
    number: int
    kind: Kind
    at: datetime
    contents: Contents = _NOTHING
    measured: Measured | None = None
    code: str = field(default="", repr=False)
    picture: bytes | None = field(default=None, repr=False)


def read(given: Any, picture: bytes | None) -> Told:
    """The deed that an object of JSON says: `key`, `number`, `kind` and `at` (RFC 3339); `words`; of those that prove
    presence `distance_m` and `accuracy_m`, or `code`; of a cost `amount_minor`, `currency` and `what`; of a signature
    `strokes`. Fields that are not of its kind are refused. Raises Invalid with the field."""
    if not isinstance(given, Mapping):
        raise Invalid(field="deeds", reason="object")
    kind = _one_of(given, "kind")
    for name in given:
        if name not in _fields_of(kind):
            raise Invalid(field=name if name in _KNOWN else "deeds", reason="unknown_field")
    if picture is not None and kind not in _PICTURES:
        raise Invalid(field="picture", reason="unknown_field")
    if picture is None and kind == "paper":
        raise Invalid(field="picture", reason="required")
    contents = Contents(
        words=_words(given, "words", MOST_CHARACTERS, needed=kind in _WORDS_NEEDED),
        cost=_cost(given) if kind == "cost" else None,
        strokes=_strokes(given) if kind == "signed" else (),
        picture="" if picture is None else hashlib.sha256(picture).hexdigest(),
    )
    return Told(
        key=_key(given),
        number=_whole(given, "number", 1, LONGEST_NUMBER),
        kind=kind,
        at=_moment(given),
        contents=contents,
        measured=_measured(given, kind),
        code=_code(given),
        picture=picture,
    )


_ALWAYS = frozenset({"key", "number", "kind", "at", "words"})
_MORE: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(PRESENCE, frozenset({"distance_m", "accuracy_m", "code"})),
    "cost": frozenset({"amount_minor", "currency", "what"}),
    "signed": frozenset({"strokes"}),
}
_KNOWN = _ALWAYS.union(*_MORE.values())


def _fields_of(kind: Kind) -> frozenset[str]:
    return _ALWAYS | _MORE.get(kind, frozenset())


def _one_of(given: Mapping[str, Any], name: str) -> Kind:
    value = given.get(name)
    if value not in KINDS:
        raise Invalid(field=name, reason="required" if value in (None, "") else "choice")
    return cast(Kind, value)


def _key(given: Mapping[str, Any]) -> uuid.UUID:
    value = given.get("key")
    try:
        return uuid.UUID(value) if isinstance(value, str) and len(value) == 36 else _bad_key()
    except ValueError:
        return _bad_key()


def _bad_key() -> uuid.UUID:
    raise Invalid(field="key", reason="format")


def _whole(given: Mapping[str, Any], name: str, least: int, most: int) -> int:
    value = given.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Invalid(field=name, reason="required" if value is None else "integer")
    if not least <= value <= most:
        raise Invalid(field=name, reason="out_of_range", minimum=least, maximum=most)
    return value


def _moment(given: Mapping[str, Any]) -> datetime:
    value = given.get("at")
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) and len(value) <= 40 else None
        if at is not None and at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Invalid(field="at", reason="format")


def _words(given: Mapping[str, Any], name: str, longest: int, *, needed: bool) -> str:
    value = given.get(name) or ""
    if not isinstance(value, str):
        raise Invalid(field=name, reason="string")
    if not storable(value):
        raise Invalid(field=name, reason="bad_characters")
    if needed and not without_invisible(value).strip():
        raise Invalid(field=name, reason="required")
    if len(value) > longest:
        raise Invalid(field=name, reason="too_long", maximum=longest)
    return value.strip()


def _cost(given: Mapping[str, Any]) -> Cost:
    currency = given.get("currency")
    if not isinstance(currency, str) or not re.fullmatch(CURRENCY, currency):
        raise Invalid(field="currency", reason="format")
    amount = _whole(given, "amount_minor", 1, LARGEST_SUM)
    return Cost(amount, currency, _words(given, "what", MOST_CHARACTERS_FOR, needed=True))


def _code(given: Mapping[str, Any]) -> str:
    value = given.get("code") or ""
    if value and not (isinstance(value, str) and re.fullmatch(CODE, value)):
        raise Invalid(field="code", reason="format")
    return str(value)


def _measured(given: Mapping[str, Any], kind: Kind) -> Measured | None:
    distance, accuracy = given.get("distance_m"), given.get("accuracy_m")
    if distance is not None:
        distance = _whole(given, "distance_m", 0, FARTHEST_METRES)
    if accuracy is not None:
        accuracy = _whole(given, "accuracy_m", 0, FARTHEST_METRES)
    looked = distance is not None or accuracy is not None
    return Measured(distance, accuracy) if looked or (kind == "arrived" and not given.get("code")) else None


def _strokes(given: Mapping[str, Any]) -> tuple[Stroke, ...]:
    value = given.get("strokes")
    if not isinstance(value, list) or not value:
        raise Invalid(field="strokes", reason="required")
    if len(value) > MOST_STROKES or not all(isinstance(each, list) and len(each) % 2 == 0 for each in value):
        raise Invalid(field="strokes", reason="format")
    if sum(map(len, value)) > 2 * MOST_POINTS or all(len(each) < 4 for each in value):
        raise Invalid(field="strokes", reason="length")
    for stroke in value:
        for place, point in enumerate(stroke):
            if not isinstance(point, int) or isinstance(point, bool) or not 0 <= point <= SIGNED_ON[place % 2]:
                raise Invalid(field="strokes", reason="format")
    return tuple(tuple(each) for each in value)
