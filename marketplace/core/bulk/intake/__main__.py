"""The program that examines one table: `python -m marketplace.core.bulk.intake`.

Input: the file. Output: a line of JSON, `{"refused": reason, "facts": {…}}` or `{"form": …, "encoding": …, "header":
[…], "notes": …, "lines": …}`, then for each line of the table `[number, [cell, …], {position: mark}]`.
It can open no other file and no connection, has 1 GiB, 15 seconds of the processor and a minute of the clock.
"""

from __future__ import annotations

import encodings.cp437
import encodings.gb18030
import encodings.utf_8_sig
import encodings.utf_16
import io
import json
import sys

from marketplace.core.bulk.intake import csv_file, xlsx_file
from marketplace.core.bulk.intake.bounds import LARGEST, MIB, Found, Refused
from marketplace.core.examining import limits

MEMORY = 1024 * MIB
PROCESSOR_SECONDS = 15
CLOCK_SECONDS = 60
LARGEST_ANSWER = 96 * MIB
PRELOADED = (encodings.cp437, encodings.gb18030, encodings.utf_16, encodings.utf_8_sig)
"""Names in archives and texts are read by them; no file can be opened later."""
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")


def hold() -> None:
    """Limit this process: memory, time, size of its answer, no other file. Standard input and output stay open."""
    limits.hold(memory=MEMORY, processor_seconds=PROCESSOR_SECONDS, clock_seconds=CLOCK_SECONDS, answer=LARGEST_ANSWER)


def examine(content: bytes) -> Found:
    """What the file holds. Raises Refused: empty, too_large, encrypted, old_format (XLS), wrong_type, and the reasons
    of the examiner of its type."""
    if not content.strip():
        raise Refused("empty")
    if len(content) > LARGEST:
        raise Refused("too_large", most=LARGEST // MIB)
    if content.startswith(_COMPOUND):  # MS-OFFCRYPTO 2.3.2: an encrypted XLSX lies in a compound file
        raise Refused("encrypted" if _ENCRYPTED_PACKAGE in content else "old_format")
    if content.startswith(b"PK"):
        return xlsx_file.examine(content)
    if content.startswith((b"%PDF", b"{\\rtf", b"\x89PNG", b"\xff\xd8\xff")) or content.lstrip().startswith(b"<"):
        raise Refused("wrong_type")
    return csv_file.examine(content)


def main() -> int:
    """Examine the file on standard input and write the verdict. The exit code is 0 for every verdict."""
    hold()
    content = sys.stdin.buffer.read(LARGEST + 1)
    out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", write_through=False)
    try:
        found = examine(content)
    except Refused as refused:
        out.write(json.dumps({"refused": refused.reason, "facts": refused.facts}) + "\n")
    except (MemoryError, RecursionError):
        out.write(json.dumps({"refused": "too_costly", "facts": {}}) + "\n")
    else:
        head = {"form": found.form, "encoding": found.encoding, "header": found.header, "notes": found.notes}
        out.write(json.dumps({**head, "lines": len(found.lines)}) + "\n")
        for line in found.lines:
            out.write(json.dumps([line.number, line.cells, line.marks]) + "\n")
    out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
