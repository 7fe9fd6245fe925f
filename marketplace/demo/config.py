"""The demonstration's files in the state directory: the providers' secrets and the sandbox's configuration.

Both are readable by their owner alone.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Secrets:
    """What we call a provider with, and what it signs its webhooks with (`whsec_…`, Standard Webhooks)."""

    api_key: str
    webhook_secret: str


def provider_secrets(folder: Path, codes: Sequence[str]) -> dict[str, Secrets]:
    """The secrets of each code, made once and kept in `secrets.json` of the folder."""
    path = folder / "secrets.json"
    stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    known = {code: Secrets(**stored[code]) for code in codes if code in stored}
    fresh = {code: _fresh() for code in codes if code not in known}
    if fresh:
        everything = {**stored, **{code: asdict(made) for code, made in fresh.items()}}
        write_private(path, json.dumps(everything, indent=1))
    return {**known, **fresh}


def _fresh() -> Secrets:
    return Secrets(secrets.token_urlsafe(32), "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())


def write_config(
    folder: Path, accounts: Sequence[Mapping[str, Any]], known: Mapping[str, Secrets], name: str = "config.json"
) -> Path:
    """Write the accounts with their secrets to the file `name` of the folder; left alone if it says so already."""
    path = folder / name
    entries = [
        {
            **account,
            "api_keys": [known[str(account["code"])].api_key],
            "webhook_secret": known[str(account["code"])].webhook_secret,
        }
        for account in accounts
    ]
    content = json.dumps({"accounts": entries}, ensure_ascii=False, indent=1)
    if not path.exists() or path.read_text(encoding="utf-8") != content:
        write_private(path, content)
    return path


def write_private(path: Path, content: str) -> None:
    """Replace the file in one step; only its owner may read it, from the first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(content)
    draft.replace(path)
