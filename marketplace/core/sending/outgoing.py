"""What leaves for people's phones and mail boxes: what the gateways' ports share, and development's outbox."""

from __future__ import annotations

import importlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from marketplace.core import clock
from marketplace.core.config import ConfigError, settings

_SHOWN = 200
_LARGEST = 1_000_000


class Undeliverable(Exception):
    """The gateway says that this address can never be reached: trying again is useless."""


@dataclass(frozen=True)
class Sent:
    """What would have been sent. `to` is masked; `key` is the delivery's own, the same for every try."""

    at: datetime
    channel: str
    to: str
    subject: str
    text: str
    key: str


class DevelopmentOutbox:
    """Development's gateway for messages: a file in the state folder, newest last, that a page shows. Codes are in a
    file of their own."""

    def __init__(self, folder: Path | None = None, *, codes: bool = False) -> None:
        self._file = (folder or settings().state_dir) / ("codes.jsonl" if codes else "outbox.jsonl")

    def put(self, channel: str, to: str, subject: str, text: str, key: str) -> None:
        """Keep one message; a large file is begun anew."""
        sent = Sent(clock.now(), channel, _masked(to), subject, text, key)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        if self._file.exists() and self._file.stat().st_size > _LARGEST:
            self._file.replace(self._file.with_suffix(".old.jsonl"))
        with self._file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({**asdict(sent), "at": sent.at.isoformat()}, ensure_ascii=False) + "\n")

    def newest(self, to: str) -> str:
        """The text of the newest message to this address, blank without one."""
        return next((sent.text for sent in self.messages() if sent.to == _masked(to)), "")

    def messages(self) -> list[Sent]:
        """The newest messages, newest first; one that was handed over twice under its key appears once, as a gateway
        would have sent it."""
        if not self._file.exists():
            return []
        found: dict[str, Sent] = {}
        for line in self._file.read_text(encoding="utf-8").splitlines()[-_SHOWN:]:
            values = json.loads(line)
            values["at"] = datetime.fromisoformat(values["at"])
            found.setdefault(values["key"], Sent(**values))
        return list(reversed(found.values()))


def _masked(to: str) -> str:
    return f"{to[:3]}****{to[-2:]}"


def named_gateway(setting: str, name: str) -> Any:
    """What `package.module:name` makes when called. Raises ConfigError with the setting's name."""
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise ConfigError(f"{setting} must name a gateway as package.module:name.")
    try:
        return getattr(importlib.import_module(module), attribute)()
    except (ImportError, AttributeError) as bad:
        raise ConfigError(f"{setting} names {name!r}, which cannot be loaded.") from bad
