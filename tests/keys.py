"""Keys of a test's own, as the settings give them."""

from __future__ import annotations

import base64
import hashlib

import pytest

from marketplace.core.config import settings


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
