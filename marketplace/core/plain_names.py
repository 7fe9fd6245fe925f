"""Names that somebody types of herself and we print in letters and on pages: one line, and nothing that mail programs
turn into a link."""

from __future__ import annotations

import re
import unicodedata

from marketplace.core.errors import Invalid

_TOP = "com|cn|net|org|info|top|xyz|io|cc|link|site|online|shop|app|vip|club|icu"
"""Endings of addresses that need no path to be one; not those that companies' forms have, as in `Co.Ltd`."""
_LINK = re.compile(rf"://|\bwww\.|@|\w\.[a-z]{{2,}}[/:?#]|[\w-]\.(?:{_TOP})(?![a-z])")
_DOTS = str.maketrans(dict.fromkeys("。。․", "."))


def plain_name(text: str, *, field: str, longest: int) -> str:
    """The name without the spaces around it. Raises Invalid with the reason `required`, `too_long` (maximum),
    `bad_characters` (line breaks, control and invisible characters) or `link`."""
    text = text.strip()
    if not text:
        raise Invalid(field=field, reason="required")
    if len(text) > longest:
        raise Invalid(field=field, reason="too_long", maximum=longest)
    if not text.isprintable():
        raise Invalid(field=field, reason="bad_characters")
    if holds_link(text):
        raise Invalid(field=field, reason="link")
    return text


def holds_link(text: str) -> bool:
    """Whether part of it reads as an address of the web or of e-mail, however wide its letters are."""
    return _LINK.search(unicodedata.normalize("NFKC", text).translate(_DOTS).lower()) is not None
