"""The result of an examination: a refusal with a reason, or the papers and results that are safe to store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PDF, PNG, ZIP, FHIR = "application/pdf", "image/png", "application/zip", "application/fhir+json"

MIB = 2**20
LARGEST = 5 * MIB
"""The most bytes of a delivered file; the adapters read no more either."""
MOST_PAPERS = 20
LARGEST_UNPACKED = 30 * MIB
"""The most bytes of all files of an archive together."""


class Refused(Exception):
    """The file is refused. `reason` is a stable code without text of the file; an operator's page shows it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Paper:
    """A document to store: its type (PDF or PNG) and bytes. Its name is dropped, as it may name a person."""

    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Named:
    """A person that a file says it is about, as far as it says so: all spellings of her name, her birth date (ISO 8601,
    perhaps without day or month) and numbers that may name her. It is compared and never stored."""

    names: tuple[str, ...] = field(default=(), repr=False)
    birth_date: str = field(default="", repr=False)
    numbers: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Findings:
    """What a file holds: papers, and of FHIR the results (as providers.reported.ReportItem has them), conclusion and
    whom it names.

    `missing` is how many results it names that are not in it, `left_out` how many papers are of a type that we don't
    show.
    """

    papers: tuple[Paper, ...]
    items: tuple[Mapping[str, Any], ...] = ()
    conclusion: str = ""
    missing: int = 0
    left_out: int = 0
    named: tuple[Named, ...] = ()


def kind_of(content: bytes) -> str:
    """The type by a file's first bytes (magic numbers); blank for one that is not accepted. Raises Refused for
    DICOM."""
    if content[128:132] == b"DICM":  # DICOM PS3.10 section 7.1: 128 bytes of preamble, then the prefix
        raise Refused("dicom")
    if content.startswith(b"%PDF-"):
        return PDF
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return ZIP
    return FHIR if content.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n").startswith(b"{") else ""
