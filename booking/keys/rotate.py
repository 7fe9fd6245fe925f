"""A new key beside those there are, as the settings that bring it in: first known everywhere, then used.

Nothing is stored here: what is made goes to who asked, and from there into the store of secrets.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

from marketplace.core import keyring
from marketplace.core.config import ConfigError, settings
from marketplace.core.keyring import Key

Purpose = Literal["master", "index", "secret"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


@dataclass(frozen=True)
class Rotation:
    """The settings with which every process knows the new key, and those with which it uses it; both are secret.
    `gone`: a setting whose key is among them now, and that has to go."""

    known: Mapping[str, str] = field(repr=False)
    used: Mapping[str, str] = field(repr=False)
    gone: str = ""


def rotate(purpose: Purpose, *, now: datetime) -> Rotation:
    """Make a new key for sealing (`master`), for blind indexes (`index`) or for signing (`secret`). Raises ConfigError
    where the present secret can't be a fallback."""
    if purpose == "master":
        return _of_ring("MASTER_KEYS", settings().master_keys, now)
    if purpose == "index":
        return _of_ring("INDEX_KEYS", settings().index_keys, now)
    return _of_secret()


def _of_ring(name: str, live: Sequence[Key], now: datetime) -> Rotation:
    new = Key(_new_id(live, now), secrets.token_bytes(keyring.BYTES))
    gone = "" if all(key.named for key in live) else name.removesuffix("S")
    return Rotation({name: keyring.text_of((*live, new))}, {name: keyring.text_of((new, *live))}, gone)


def _new_id(live: Sequence[Key], now: datetime) -> str:
    """The day's date, with a number if there is such a key."""
    taken, day = {key.id for key in live}, f"{now:%Y%m%d}"
    return next(made for number in range(len(taken) + 1) if (made := f"{day}-{number}" if number else day) not in taken)


def _of_secret() -> Rotation:
    now, before = settings().secret_key, settings().secret_key_fallbacks
    if len(now.split()) != 1:
        raise ConfigError("SECRET_KEY has a blank in it, so it can't stand among SECRET_KEY_FALLBACKS.")
    new = secrets.token_urlsafe(48)
    return Rotation(
        {"SECRET_KEY": now, "SECRET_KEY_FALLBACKS": " ".join((new, *before))},
        {"SECRET_KEY": new, "SECRET_KEY_FALLBACKS": " ".join((now, *before))},
    )
