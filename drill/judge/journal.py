"""What was acknowledged to customers, recorded at once: an acknowledged booking must be there afterwards."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path


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


class Journal:
    """An append-only file, synced line by line. Any thread may write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("a", encoding="utf-8")
        self._guard = threading.Lock()

    def write(self, answer: Acknowledged) -> None:
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
    def read(path: Path) -> list[Acknowledged]:
        """All lines of a journal, in their order."""
        return [Acknowledged(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
