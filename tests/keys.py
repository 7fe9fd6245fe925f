"""Keys of a test's own, as the settings give them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import local
from unittest.mock import patch

import pytest
import structlog
from structlog.typing import EventDict

from marketplace.core import crypto, integrity, keyring
from marketplace.core.config import Settings, settings

_used: list[bool] = []


def made(key_id: str) -> str:
    """A key of this id, always the same one."""
    return f"{key_id}:{base64.b64encode(hashlib.sha256(key_id.encode()).digest()).decode()}"


def text_of(key_ids: str) -> str:
    """The setting with these keys: "new old"."""
    return ",".join(made(key_id) for key_id in key_ids.split())


def use_keys(monkeypatch: pytest.MonkeyPatch, *, master: str | None = None, index: str | None = None) -> None:
    """From now on these keys are live, by their ids, the current one first."""
    for name, given in (("MASTER_KEYS", master), ("INDEX_KEYS", index)):
        if given is not None:
            monkeypatch.setenv(name, text_of(given))
            monkeypatch.delenv(name.removesuffix("S"), raising=False)
    settings.cache_clear()
    _used.append(True)


def forget_keys() -> None:
    """After a test that used keys of its own: settings are read anew."""
    if _used:
        _used.clear()
        settings.cache_clear()


@contextmanager
def logged_alarms() -> Iterator[list[EventDict]]:
    """What the integrity alarm logs meanwhile. A logger that was used keeps the settings of that moment, so another
    one stands in its place."""
    with patch.object(integrity, "log", structlog.get_logger()), structlog.testing.capture_logs() as lines:
        yield lines


class KeysByThread:
    """Threads that find different index keys in force, as processes do while they are started anew one by one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._mine = local()
        monkeypatch.setattr(crypto, "settings", self._settings)

    @contextmanager
    def index(self, key_ids: str) -> Iterator[None]:
        """In this thread these are the index keys: "new old"."""
        self._mine.keys = keyring.parse(text_of(key_ids), "INDEX_KEYS")
        yield
        del self._mine.keys

    def _settings(self) -> Settings:
        mine = getattr(self._mine, "keys", None)
        return settings() if mine is None else replace(settings(), index_keys=mine)
