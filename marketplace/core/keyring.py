"""The keys of one purpose: several may be live at once, the first is the one that is used for what is new."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

BYTES = 32
SINGLE = "first"
"""The id of a key that is given alone, without one (`MASTER_KEY` instead of `MASTER_KEYS`)."""

ID = re.compile(r"[a-z0-9-]{1,16}")


class BadKey(Exception):
    """A key cannot be used; the message says why and never quotes the key."""


@dataclass(frozen=True)
class Key:
    """A secret of 32 bytes with the id that ciphertexts name. One that was given without an id (`named` is false) is
    written as before there were ids, which the release before this one reads."""

    id: str
    secret: bytes = field(repr=False)
    named: bool = True


def parse(setting: str, name: str) -> tuple[Key, ...]:
    """The keys of `id:base64,id:base64`, the current one first. Raises BadKey: no key, an id or a key twice, a key of
    another length."""
    keys = tuple(_one(part.strip(), name) for part in setting.split(",") if part.strip())
    if not keys:
        raise BadKey(f"{name} holds no key: give id:key, the key 32 random bytes as base64.")
    refuse_twins(keys, name)
    return keys


def single(text: str, name: str) -> Key:
    """The key of a setting that holds one, as base64, without an id. Raises BadKey."""
    return Key(SINGLE, _bytes(text, name), named=False)


def refuse_twins(keys: Sequence[Key], name: str) -> None:
    """Raises BadKey if two keys have one id, or are the same key."""
    ids, secrets = [key.id for key in keys], [key.secret for key in keys]
    for twin in (one for one in ids if ids.count(one) > 1):
        raise BadKey(f"{name} has two keys with the id {twin!r}: each key needs an id of its own.")
    if len(set(secrets)) < len(secrets):
        raise BadKey(f"{name} has one key twice, with two ids.")


def text_of(keys: Sequence[Key]) -> str:
    """The setting that parse() reads."""
    return ",".join(f"{key.id}:{base64.b64encode(key.secret).decode()}" for key in keys)


def _one(part: str, name: str) -> Key:
    key_id, colon, text = part.partition(":")
    if not colon or not ID.fullmatch(key_id):
        raise BadKey(f"{name} must be id:key, id:key …; an id is 1 to 16 small letters, digits or dashes.")
    return Key(key_id, _bytes(text, f"{name} ({key_id})"))


def _bytes(text: str, name: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError as bad:
        raise BadKey(f"{name} is not valid base64.") from bad
    if len(raw) != BYTES:
        raise BadKey(f"{name} must be {BYTES} bytes, not {len(raw)}.")
    return raw
