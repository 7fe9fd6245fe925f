"""JSON from outside: what it may hold before anything else looks at it.

Beyond RFC 8259 a document must be one that we can store and answer with: UTF-8, no NaN or infinities, no NUL and no
lone surrogate in any string, integers within 64 bits, no name twice in an object, and no deeper than `DEPTH`. A cheap
look at the raw bytes tells whether any of this can occur at all, so that an ordinary document is parsed once and never
walked.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from marketplace.core.errors import Invalid, Refusal

DEPTH = 32
LARGEST = 2**63 - 1

_LONG_NUMBER = re.compile(rb"(?:^|[:,[\s])-?\d(?:\d{17}|[\d.]*[eE])")


class NotJson(Refusal):
    """The body is not a JSON document (RFC 8259) in UTF-8, or is nested deeper than anything we read."""

    code = "not_json"
    status = 400


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and infinities are not JSON")


class _Repeated(Exception):
    """An object has a name twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Repeated
    return found


_DECODER = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_once)
_PAIRS = json.JSONDecoder(object_pairs_hook=tuple)
_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def loads(raw: bytes) -> Any:
    """The value of a JSON document. Raises NotJson, or Invalid with the path of the value at fault (`details.note`)."""
    try:
        value = _DECODER.decode(raw.decode())
    except _Repeated:
        _refuse_repeated(raw)
    except (ValueError, RecursionError) as bad:
        raise NotJson() from bad
    suspicious = b"\\u" in raw or _LONG_NUMBER.search(raw)
    if suspicious or raw.count(b"[") + raw.count(b"{") > DEPTH:
        _check(value, "", DEPTH)
    return value


def storable(text: str) -> bool:
    """Whether PostgreSQL can hold the text: it has no NUL, and every surrogate has its partner."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def made_storable(text: str) -> str:
    """The text as PostgreSQL can hold it: a question mark stands for a NUL and for a surrogate without a partner."""
    return text.replace("\0", "?").encode(errors="replace").decode()


def _check(value: Any, path: str, depth: int) -> None:
    if depth == 0:
        raise NotJson()
    if isinstance(value, str):
        if not storable(value):
            raise Invalid(field=path or "body", reason="text")
    elif isinstance(value, float):
        if value in (float("inf"), float("-inf")):
            raise Invalid(field=path or "body", reason="number")
    elif isinstance(value, int):
        if not -LARGEST - 1 <= value <= LARGEST:
            raise Invalid(field=path or "body", reason="number")
    elif isinstance(value, dict):
        for name, part in value.items():
            if not storable(name):
                raise Invalid(field=path or "body", reason="text")
            _check(part, f"{path}.{name}" if path else name, depth - 1)
    elif isinstance(value, list):
        for place, part in enumerate(value):
            _check(part, f"{path}.{place}" if path else str(place), depth - 1)


def _refuse_repeated(raw: bytes) -> NoReturn:
    """Name the member that occurs twice. Read again, as only a whole document tells where."""
    try:
        path = _repeated(_PAIRS.decode(raw.decode()), "", DEPTH)
    except (ValueError, RecursionError) as bad:
        raise NotJson() from bad
    raise Invalid(field=path if path and storable(path) else "body", reason="repeated")


def _repeated(value: Any, path: str, depth: int) -> str:
    """The path of the first repeated name, blank without one. Objects are tuples of pairs here."""
    if depth == 0:
        raise NotJson()
    if not isinstance(value, (tuple, list)):
        return ""
    seen = set()
    for name, part in value if isinstance(value, tuple) else enumerate(value):
        here = f"{path}.{str(name)[:64]}" if path else str(name)[:64]
        if name in seen:
            return here
        seen.add(name)
        if found := _repeated(part, here, depth - 1):
            return found
    return ""


def canonical(value: Any) -> bytes:
    """The one spelling of a JSON value: sorted names, no spaces, UTF-8. Equal values have equal bytes."""
    return _CANONICAL.encode(value).encode()
