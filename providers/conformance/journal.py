"""What a run makes at a provider, written down before it is sent: so that the next run takes back what a killed one
left."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from marketplace.core import clock


@dataclass(frozen=True)
class Made:
    """`what`: a `booking` (by our reference), a `slot` that was altered (its `pool`, `subject` and day), or where the
    `webhooks` of tests go."""

    what: str
    subject: str
    made_at: str
    pool: str = ""
    service_date: str = ""

    @property
    def age(self) -> float:
        """Seconds since it was written down."""
        return (clock.now() - datetime.fromisoformat(self.made_at)).total_seconds()


class Journal(Protocol):
    """Where it is written."""

    def add(self, made: Made) -> None:
        """Write it down for good, before it is made."""
        ...

    def gone(self, made: Made) -> None:
        """It has been taken back."""
        ...

    def left(self) -> Sequence[Made]:
        """What has not been taken back, the oldest first."""
        ...


class JournalInUse(RuntimeError):
    """Another run writes into this file."""


class FileJournal:
    """Lines of JSON in a file that one run at a time has. Raises JournalInUse."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise JournalInUse(f"{path} is in use by another run") from error
        self._left: dict[str, Made] = {}
        self._file.seek(0)
        line = "\n"
        for line in self._file:
            self._read(line)
        if not line.endswith("\n"):
            self._file.write("\n")

    def _read(self, line: str) -> None:
        try:
            entry = json.loads(line)
        except ValueError:  # a line that was cut by the end of its process: nothing was sent for it
            return
        if "gone" in entry:
            self._left.pop(entry["gone"], None)
        else:
            made = Made(**entry)
            self._left[made.subject] = made

    def add(self, made: Made) -> None:
        """Synced before it returns."""
        self._left[made.subject] = made
        self._write(asdict(made))

    def gone(self, made: Made) -> None:
        """A line that says so; a file of which nothing is left becomes empty."""
        self._left.pop(made.subject, None)
        if self._left:
            self._write({"gone": made.subject})
        else:
            self._file.truncate(0)

    def left(self) -> list[Made]:
        """What the file says is still there."""
        return list(self._left.values())

    def _write(self, entry: dict[str, str]) -> None:
        self._file.write(json.dumps(entry) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Let the file go."""
        self._file.close()
