"""Public identifiers: opaque, unguessable, with a prefix that says what they name."""

from __future__ import annotations

import hashlib
import re
import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_LETTERS = (_ALPHABET * 8).encode()  # 256 of them: each random byte becomes one, all equally often
_FORM = re.compile(f"[a-z]{{2,5}}_[{_ALPHABET}]{{20}}")
_REFERENCE = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_SPOKEN = (_REFERENCE * 9).encode()[:256]
_UNEVEN = bytes(range(256 - 256 % len(_REFERENCE), 256))  # bytes that would make some characters more frequent


def new_id(prefix: str) -> str:
    """A new public id such as `bkg_4f0…`: 20 characters of base 32, 100 random bits."""
    return f"{prefix}_{secrets.token_bytes(20).translate(_LETTERS).decode()}"


def id_of(prefix: str, what: str) -> str:
    """The public id that `what` always gives, in the form of `new_id`: for what one request must not make twice."""
    digest = hashlib.sha256(what.encode("utf-8", "surrogatepass")).digest()
    return f"{prefix}_{digest[:20].translate(_LETTERS).decode()}"


def well_formed(text: str) -> bool:
    """Whether `text` may be a public id at all; anything else (NUL, lone surrogates, a megabyte) names nothing and
    must not reach the database."""
    return _FORM.fullmatch(text) is not None


def new_reference() -> str:
    """A booking number people can read out over the phone: `AX` and eight characters, without 0/O or 1/I."""
    characters = b""
    while len(characters) < 8:  # of 24 bytes 22 or 23 are even
        characters = secrets.token_bytes(24).translate(_SPOKEN, _UNEVEN)
    return f"AX{characters[:8].decode()}"


def new_token() -> str:
    """A bearer or session token: 256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)
