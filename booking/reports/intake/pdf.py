"""PDF (ISO 32000-2): readable, of a sensible size, without anything that acts, carries other files or asks for a key.

The document is stored unchanged, as it may be signed: a dangerous one is refused, not repaired.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator
from typing import Any

import pypdf.filters
from pypdf import PasswordType, PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    EncodedStreamObject,
    IndirectObject,
    NameObject,
    StreamObject,
)

from booking.reports.intake.findings import MIB, PDF, Paper, Refused

MOST_PAGES = 500
MOST_OBJECTS = 50_000
MOST_UNPACKED = 256 * MIB
"""Of all compressed streams together: a scan of 300 dpi in colours has 26 MB a page."""

ACTIVE = frozenset(
    [
        "/AA",
        "/JS",
        "/JavaScript",
        "/Launch",
        "/EmbeddedFile",
        "/EmbeddedFiles",
        "/RichMedia",
        "/RichMediaContent",
        "/XFA",
        "/SubmitForm",
        "/ImportData",
        "/GoToR",
        "/GoToE",
        "/Rendition",
        "/Movie",
        "/Sound",
        "/3D",
        "/Flash",
    ]
)
"""Names of ISO 32000-2 that make a viewer run, open, send or play something."""
_RAW = re.compile(rb"/(?:JavaScript|EmbeddedFiles?|RichMedia|SubmitForm|ImportData|Launch)\b")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_DEEPEST = 60
UNREADABLE = (
    PyPdfError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    OverflowError,
    RecursionError,
    AssertionError,
    NotImplementedError,
    zlib.error,
)
"""What the library raises for a file that is no PDF, or a broken one."""
PRELOADED = (pypdf.filters, PasswordType)
"""What the library would load only when it meets it; by then no file can be opened."""


def examine(content: bytes) -> Paper:
    """The document as it is. Raises Refused: pdf_broken, pdf_encrypted, pdf_too_large, pdf_active, pdf_bomb."""
    # What another reader might find in a part that this one skips is looked for in the bytes, escapes resolved.
    plain = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), content)
    if _RAW.search(content) or _RAW.search(plain):
        raise Refused("pdf_active")
    if b"%%EOF" not in content[-2048:]:
        raise Refused("pdf_broken")
    try:
        _look(PdfReader(io.BytesIO(content), strict=False, root_object_recovery_limit=1000))
    except (Refused, MemoryError):
        raise
    except UNREADABLE as bad:
        raise Refused("pdf_broken") from bad
    return Paper(PDF, content)


def _look(reader: PdfReader) -> None:
    if reader.is_encrypted:
        raise Refused("pdf_encrypted")
    numbers = [(number, generation) for generation, table in reader.xref.items() for number in table]
    numbers += [(number, 0) for number in reader.xref_objStm]
    if len(numbers) > MOST_OBJECTS:
        raise Refused("pdf_too_large")
    unpacked = 0
    for number, generation in numbers:
        found = reader.get_object(IndirectObject(number, generation, reader))
        for part in _parts(found):
            if isinstance(part, DictionaryObject):
                _refuse_active(part)
                _refuse_outside(part)
            if isinstance(part, EncodedStreamObject):
                unpacked += _unpacked(part, MOST_UNPACKED - unpacked)
    _refuse_active(reader.trailer)
    _refuse_on_opening(reader.root_object)
    if not 1 <= len(reader.pages) <= MOST_PAGES:
        raise Refused("pdf_too_large" if len(reader.pages) else "pdf_broken")


def _parts(start: Any) -> Iterator[Any]:
    """The object and all that lies in it directly; what it only refers to has a number of its own."""
    waiting = [(start, 0)]
    while waiting:
        part, depth = waiting.pop()
        if depth > _DEEPEST:
            raise Refused("pdf_broken")
        yield part
        if isinstance(part, DictionaryObject):
            waiting += [(value, depth + 1) for value in dict.values(part)]
        elif isinstance(part, ArrayObject):
            waiting += [(value, depth + 1) for value in list.__iter__(part)]


def _refuse_active(part: DictionaryObject) -> None:
    if ACTIVE & set(dict.keys(part)):
        raise Refused("pdf_active")
    for key in ("/S", "/Subtype", "/Type"):
        value = dict.get(part, key)
        if isinstance(value, NameObject) and str(value) in ACTIVE:
            raise Refused("pdf_active")


def _refuse_outside(part: DictionaryObject) -> None:
    """Content that lies in another file or at another address: a stream's (ISO 32000-2, 7.3.8.2, `/F`), or a page of
    another document shown in this one (reference XObject, 8.10.4)."""
    elsewhere = isinstance(part, StreamObject) and dict.get(part, "/F") is not None
    if elsewhere or (dict.get(part, "/Ref") is not None and str(dict.get(part, "/Subtype")) == "/Form"):
        raise Refused("pdf_active")


def _refuse_on_opening(root: DictionaryObject) -> None:
    """What happens as soon as the document is opened, or a page is (`/AA`), beyond showing a place in it. A link that
    a reader has to click is no such thing."""
    action = root.get("/OpenAction", DictionaryObject()).get_object()
    acts = isinstance(action, DictionaryObject) and len(action) > 0
    if acts and (str(action.get("/S")) != "/GoTo" or "/Next" in action):
        raise Refused("pdf_active")


def _unpacked(stream: EncodedStreamObject, left: int) -> int:
    """How many bytes a deflated stream has; it is counted in pieces and never held. Other filters give little more
    than they take. One filter on another is how a small file becomes a huge one: refused."""
    filters = stream.get("/Filter")
    names = [str(name) for name in filters] if isinstance(filters, ArrayObject) else [str(filters)]
    deflated = [name for name in names if name in ("/FlateDecode", "/Fl")]
    if len(names) > 2 or len(deflated) > 1:
        raise Refused("pdf_bomb")
    if not deflated or names[0] not in ("/FlateDecode", "/Fl"):
        return 0
    unpacker, counted = zlib.decompressobj(), 0
    rest: bytes = stream._data
    while rest and not unpacker.eof:
        try:
            counted += len(unpacker.decompress(rest, 2**18))
        except zlib.error:  # viewers show what can be read of it
            return counted
        if counted > left:
            raise Refused("pdf_bomb")
        rest = unpacker.unconsumed_tail
    return counted
