"""What stands in an import: sealed under its own key, which is destroyed with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from marketplace.core import crypto
from marketplace.core.bulk.cells import Mark
from marketplace.core.bulk.table import TableLine
from vip.imports.models import BulkImport


@dataclass(frozen=True)
class Details:
    """What is known of a file: its name, and once it was read what it was read as, the kind's columns that it has, in
    its order, headers that were passed over, and how many notes were."""

    name: str = field(repr=False)
    form: str = ""
    encoding: str = ""
    columns: tuple[str, ...] = ()
    ignored: tuple[str, ...] = field(default=(), repr=False)
    notes: int = 0


def record_of(public_id: str) -> str:
    """The record that the key of an import is wrapped for."""
    return f"bulk_import:{public_id}"


class Contents:
    """Seals and opens what belongs to one import. Raises Unreadable once it was forgotten."""

    def __init__(self, public_id: str, wrapped_key: bytes | None) -> None:
        self._record = record_of(public_id)
        self._key = crypto.unwrap_key(wrapped_key, self._record)

    @classmethod
    def of(cls, it: BulkImport) -> Contents:
        """Those of an import."""
        return cls(it.public_id, it.wrapped_key)

    def seal_file(self, content: bytes) -> bytes:
        """The file as it was uploaded."""
        return self._seal(content, "file")

    def open_file(self, sealed: bytes) -> bytes:
        """What `seal_file` sealed."""
        return self._open(sealed, "file")

    def seal_details(self, details: Details) -> bytes:
        """What is known of the file."""
        return self._seal(json.dumps(asdict(details), ensure_ascii=False).encode(), "details")

    def open_details(self, sealed: bytes) -> Details:
        """What `seal_details` sealed."""
        known = json.loads(self._open(sealed, "details"))
        return Details(**{**known, "columns": tuple(known["columns"]), "ignored": tuple(known["ignored"])})

    def seal_line(self, line: TableLine) -> bytes:
        """A line's cells, bound to its number."""
        plain = json.dumps([line.texts, line.marks], ensure_ascii=False).encode()
        return self._seal(plain, f"line:{line.number}")

    def open_line(self, number: int, sealed: bytes) -> tuple[Mapping[str, str], Mapping[str, Mark]]:
        """What `seal_line` sealed: texts and marks by the column's code."""
        texts, marks = json.loads(self._open(sealed, f"line:{number}"))
        return texts, marks

    def _seal(self, plain: bytes, what: str) -> bytes:
        return crypto.seal(plain, key=self._key, record=f"{self._record}:{what}")

    def _open(self, sealed: bytes, what: str) -> bytes:
        return crypto.unseal(sealed, key=self._key, record=f"{self._record}:{what}")
