"""The program that examines one delivered file: `python -m booking.reports.intake`.

Input: a line of JSON `{"type": …}`, then the file. Output: a line of JSON, `{"refused": reason}` or
`{"papers": [[type, size], …], "items": […], "conclusion": …, "missing": …, "left_out": …, "named": […]}`, then the
papers' bytes one after another.
It can open no other file and no connection, has 512 MiB, ten seconds of the processor and twenty of the clock.
"""

from __future__ import annotations

import encodings.cp437
import json
import sys
from dataclasses import asdict
from typing import Any

from booking.reports.intake import archive, fhir, pdf, png
from booking.reports.intake.findings import LARGEST, MIB, PDF, PNG, ZIP, Findings, Paper, Refused, kind_of
from marketplace.core.examining import limits

MEMORY = 512 * MIB
PROCESSOR_SECONDS = 10
CLOCK_SECONDS = 20
LARGEST_ANSWER = 64 * MIB
PRELOADED = (encodings.cp437,)
"""Names in archives are read by it; no file can be opened later."""


def hold() -> None:
    """Limit this process: memory, time, size of its answer, no other file. Standard input and output stay open."""
    limits.hold(memory=MEMORY, processor_seconds=PROCESSOR_SECONDS, clock_seconds=CLOCK_SECONDS, answer=LARGEST_ANSWER)


def examine(claimed: str, content: bytes) -> Findings:
    """What the file holds. Raises Refused: empty, too_large, wrong_type (not the claimed type, or not accepted),
    and the reasons of the examiner of its type."""
    if not content:
        raise Refused("empty")
    if len(content) > LARGEST:
        raise Refused("too_large")
    kind = kind_of(content)
    if not kind or kind != claimed:
        raise Refused("wrong_type")
    if kind == PDF:
        return Findings((pdf.examine(content),))
    if kind == PNG:
        return Findings((png.examine(content),))
    return Findings(archive.examine(content)) if kind == ZIP else fhir.examine(content)


def main() -> int:
    """Examine the file on standard input and write the verdict. The exit code is 0 for every verdict."""
    hold()
    claimed = json.loads(sys.stdin.buffer.readline(1000))["type"]
    content = sys.stdin.buffer.read(LARGEST + 1)
    head, papers = _verdict(claimed, content)
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n")
    for paper in papers:
        sys.stdout.buffer.write(paper.content)
    sys.stdout.buffer.flush()
    return 0


def _verdict(claimed: str, content: bytes) -> tuple[dict[str, Any], tuple[Paper, ...]]:
    try:
        found = examine(claimed, content)
    except Refused as refused:
        return {"refused": refused.reason}, ()
    except (MemoryError, RecursionError):
        return {"refused": "too_costly"}, ()
    papers = [[paper.media_type, len(paper.content)] for paper in found.papers]
    items = [dict(item) for item in found.items]
    gaps = {"missing": found.missing, "left_out": found.left_out}
    named = [asdict(person) for person in found.named]
    return {"papers": papers, "items": items, "conclusion": found.conclusion, "named": named, **gaps}, found.papers


if __name__ == "__main__":
    sys.exit(main())
