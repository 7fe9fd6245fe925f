"""What was acknowledged to customers, recorded at once: an acknowledged booking or message must be there after it."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar


@dataclass(frozen=True)
class Acknowledged:
    """One acknowledged answer. `what`: hold, confirm, cancel, reschedule or read. `state`, `version`, `change` and
    `starts` (slot's start, or its date) are as the answer gave them; `slot` is what was asked for, by public id."""

    what: str
    customer: str
    booking: str
    state: str
    key: str = ""
    version: int = 0
    change: str = ""
    starts: str = ""
    slot: str = ""


@dataclass(frozen=True)
class TakenMessage:
    """A message of a consultation that was taken, as its sender was answered: the number and the id that it got.
    `client_id` and `text` are what she sent."""

    conversation: str
    author: str
    client_id: str
    text: str
    seq: int
    id: str


Line = TypeVar("Line", Acknowledged, TakenMessage)


class Journal:
    """An append-only file, synced line by line. Any thread may write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("a", encoding="utf-8")
        self._guard = threading.Lock()

    def write(self, answer: Acknowledged | TakenMessage) -> None:
        """On disk when this returns."""
        line = json.dumps(asdict(answer), ensure_ascii=False) + "\n"
        with self._guard:
            self._file.write(line)
            self._file.flush()
            os.fdatasync(self._file.fileno())

    def close(self) -> None:
        """Nothing more will be written."""
        self._file.close()

    @staticmethod
    def read(path: Path, kind: type[Line]) -> list[Line]:
        """All lines of a journal of one kind, in their order."""
        return [kind(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
