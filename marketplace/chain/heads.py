"""The file of heads: what the database's own superuser cannot rewrite, if it lies where he cannot write.

One line a head: number, hash (hex), time of sealing. Lines are only added, and synced to the disk. A head whose process
died before it was written, or that found no file, follows with the next one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC
from enum import StrEnum
from pathlib import Path

from marketplace.chain.seal import Head, heads
from marketplace.core.logging import get_logger

log = get_logger(__name__)

AT_ONCE = 10_000
_LINE = 160
"""More than the bytes of a line."""


class HeadsFile(StrEnum):
    """How it is with the file. `missing`: it had gone, and was begun anew; `rewritten`: its last line is not, or no
    longer, what the chain says, so that nothing is added to it."""

    WELL = "well"
    NOT_SET = "not_set"
    MISSING = "missing"
    UNWRITABLE = "unwritable"
    REWRITTEN = "rewritten"


class HeadsWriter:
    """Writes the heads to the file; what is wrong with it is logged once, and stops nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._last = HeadsFile.WELL

    def write(self) -> HeadsFile:
        """Add the heads that the file lacks; how it is with the file."""
        try:
            found = HeadsFile.NOT_SET if self._path is None else _write(self._path)
        except OSError as failed:
            found = HeadsFile.UNWRITABLE
            if found != self._last:
                log.error("audit.heads_file", trouble=found, reason=failed.strerror)  # noqa: TRY400
        else:
            if found not in (HeadsFile.WELL, self._last):
                log.error("audit.heads_file", trouble=found)
        self._last = found
        return found


def read_heads(path: Path) -> Iterator[tuple[int, str]]:
    """(number, hash in hex) of each line, in the file's order. Raises OSError; what is no line of ours is (0, its
    text)."""
    with path.open(encoding="ascii", errors="replace") as file:
        for line in file:
            parts = line.split()
            good = len(parts) == 3 and parts[0].isdecimal()
            yield (int(parts[0]), parts[1]) if good else (0, line.strip())


def _write(path: Path) -> HeadsFile:
    written = _last_line(path)
    if written is None:
        return _begin(path)
    seq, hash_ = written
    same = [head.hash.hex() for head in heads(seq - 1, 1) if head.seq == seq]
    if same != [hash_]:
        return HeadsFile.REWRITTEN
    _add(path, heads(seq, AT_ONCE))
    return HeadsFile.WELL


def _begin(path: Path) -> HeadsFile:
    """A file that is not there, or has no line yet: all heads, the oldest first."""
    found = heads(0, AT_ONCE)
    gone = not path.exists() and len(found) > 1
    _add(path, found)
    return HeadsFile.MISSING if gone else HeadsFile.WELL


def _add(path: Path, found: list[Head]) -> None:
    opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        text = "".join(f"{head.seq} {head.hash.hex()} {head.sealed_at.astimezone(UTC).isoformat()}\n" for head in found)
        left = text.encode()
        while left:
            left = left[os.write(opened, left) :]
        os.fsync(opened)
    finally:
        os.close(opened)


def _last_line(path: Path) -> tuple[int, str] | None:
    """The last whole line, None without one. Half a line, of a machine that lost its power, is ended first."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 2 * _LINE))
        tail = file.read()
        if tail and not tail.endswith(b"\n"):
            with path.open("ab") as end:
                end.write(b"\n")
        for line in reversed(tail[: tail.rfind(b"\n") + 1].decode("ascii", "replace").splitlines()):
            parts = line.split()
            if len(parts) == 3 and parts[0].isdecimal() and len(parts[1]) == 64:
                return int(parts[0]), parts[1]
    return None
