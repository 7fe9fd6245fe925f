"""One spelling of what laboratories write: full width, dashes, signs of comparison, invisible characters."""

from __future__ import annotations

import html
import re
import unicodedata

_RAISED = "⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
_POWER = re.compile(f"([{_RAISED}]+)")
_BREAK = re.compile(r"<\s*br\s*/?\s*>|[\r\n]+", re.I)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe0f\ufeff]")
_SIGNS = str.maketrans(
    {
        **dict.fromkeys("‐‑‒–—―−─﹣－", "-"),
        **dict.fromkeys("~～〜∼˜⁓∽〰", "~"),
        **dict.fromkeys("≤≦⩽", "≤"),
        **dict.fromkeys("≥≧⩾", "≥"),
        **dict.fromkeys("⬆⇑▲△🔺⇧⏫", "↑"),
        **dict.fromkeys("⬇⇓▼▽🔻⇩⏬", "↓"),
        **dict.fromkeys("【〔", "["),
        **dict.fromkeys("】〕", "]"),
        "μ": "u",
        "µ": "u",
        "×": "x",
    }
)
_EQUAL_SIGNS = (
    ("<=", "≤"),
    ("=<", "≤"),
    (">=", "≥"),
    ("=>", "≥"),
    ("> or =", "≥"),
    ("< or =", "≤"),
    ("+/-", "±"),
    ("-/+", "±"),
    ("∧", "^"),
    ("、", ","),
)


def folded(text: str) -> str:
    """One spelling: NFKC, small letters, `-` for all dashes, `~` for all tildes, `≤` and `≥`, one blank between words,
    a power as `^9`."""
    plain = _BREAK.sub(";", html.unescape(text))
    plain = _POWER.sub(lambda raised: "^" + unicodedata.normalize("NFKC", raised[1]), plain).translate(_SIGNS)
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", plain)).translate(_SIGNS).casefold()
    for written, sign in _EQUAL_SIGNS:
        plain = plain.replace(written, sign)
    return " ".join(plain.split())
