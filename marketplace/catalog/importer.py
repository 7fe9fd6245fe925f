"""Loading sites from a CSV file of hospitals.

Form: UTF-8 (a byte-order mark is tolerated), comma separated (RFC 4180), a header line with the columns of COLUMNS in
any order; further columns are ignored. The key is province + city + name. A blank tier is unknown.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from marketplace.catalog.models import Site
from marketplace.catalog.one_place.find import find_doubles
from marketplace.catalog.one_place.words import WORDS, index_places, lock_sites
from marketplace.catalog.site_rows import COLUMNS, Bad, Problem, SiteRow, read_row
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.database.db import transaction
from marketplace.core.errors import Refusal
from marketplace.core.ids import new_id

MAX_FILE_BYTES = 64 * 1024 * 1024
_BATCH = 500


class FileUnreadable(Refusal):
    """The file cannot be opened, is too large, or the error file cannot be written: `problem` and `path`."""

    code = "file_unreadable"
    status = 422
    field = "path"


@dataclass(frozen=True)
class ImportResult:
    """What an import did, in rows. `refused` rows are in `error_file` (None if there were none); if there were any
    and `good_rows` was not given, nothing was imported. `doubles` are the pairs that it found first which may be one
    place."""

    inserted: int
    updated: int
    unchanged: int
    refused: int
    error_file: Path | None
    doubles: int = 0


def import_sites(
    path: Path | str,
    good_rows: bool = False,
    error_path: Path | str | None = None,
    *,
    now: datetime | None = None,
) -> ImportResult:
    """Load the file at `path`; twice changes nothing, a changed row is updated, a site not in the file stays. What was
    merged into another site stays so.

    Rows that cannot be used are written with line, column and reason to `error_path` (by default
    `import-errors/NAME.csv` in the state directory). Raises FileUnreadable, and Busy while another import runs.
    """
    source = Path(path)
    rows, problems = read_file(source)
    error_file = _write_problems(source, problems, error_path) if problems else None
    if problems and not good_rows:
        return ImportResult(0, 0, 0, len({problem.line for problem in problems}), error_file)
    with transaction() as session:
        lock_sites(session)
        at = now or clock.now()
        inserted, updated = _store(session, rows, at)
        doubles = find_doubles(session, now=at).new if inserted or updated else 0
    refused = len({problem.line for problem in problems})
    return ImportResult(inserted, updated, len(rows) - inserted - updated, refused, error_file, doubles)


def renew_search_columns() -> int:
    """Write down anew what each place is found by; returns how many changed. For a release that reads names otherwise:
    until then its sites are found by what the release before it wrote."""
    with transaction() as session:
        lock_sites(session)
        return index_places(session, session.scalars(select(Site.id).where(Site.merged_into.is_(None))).all())


def read_file(path: Path) -> tuple[list[SiteRow], list[Problem]]:
    """The usable rows of a file, and what is wrong with the others, in the order of their lines."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise FileUnreadable(path=str(path), problem="too_large", maximum=MAX_FILE_BYTES)
        data = path.read_bytes()
    except OSError as failed:
        raise FileUnreadable(path=str(path), problem=os.strerror(failed.errno or 0)) from failed
    except ValueError as failed:  # a path with NUL
        raise FileUnreadable(path=repr(path), problem="bad_path") from failed
    rows: list[SiteRow] = []
    problems: list[Problem] = []
    lines: dict[tuple[str, str, str], int] = {}
    for line, cells in _records(data, problems):
        try:
            row = read_row(cells)
            if row.key in lines:
                raise Bad("name", "duplicate", f"line {lines[row.key]}")
        except Bad as bad:
            problems.append(Problem(line, bad.column, bad.reason, bad.value))
            continue
        lines[row.key] = line
        rows.append(row)
    return rows, sorted(problems, key=lambda problem: problem.line)


def _records(data: bytes, problems: list[Problem]) -> Iterator[tuple[int, dict[str, str]]]:
    """(line it starts at, cells by column) of each record that has the header's shape; the others go to `problems`."""
    other = _other_encoding(data)
    if other:
        problems.append(Problem(1, "", other, "save the file as UTF-8"))
        return
    # Bytes that are not UTF-8 become lone surrogates, so that their row can be named.
    content = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    header: list[str] | None = None
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            if header is None:
                problems.append(Problem(1, "", "empty_file", ""))
            return
        except csv.Error as failed:
            problems.append(Problem(line, "", "not_csv", str(failed)))
            if header is None:
                return
            continue
        if header is None:
            header = [cell.strip() for cell in cells]
            missing = _header_problems(header)
            if missing:
                problems.extend(missing)
                return
        elif not cells:
            continue
        elif len(cells) != len(header):
            problems.append(Problem(line, "", "wrong_number_of_columns", f"{len(cells)} instead of {len(header)}"))
        else:
            yield line, dict(zip(header, cells, strict=True))


def _other_encoding(data: bytes) -> str:
    """What the whole file is encoded in if that isn't UTF-8; a file with single bad rows is none of that."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or data[:2].count(0) == 1:
        return "encoding_utf16"
    foreign = [line for line in data.splitlines() if not line.isascii()]
    if foreign and not any(_is_in(line, "utf-8-sig") for line in foreign) and _is_in(data, "gb18030"):
        return "encoding_gbk"
    return ""


def _is_in(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _header_problems(header: Sequence[str]) -> list[Problem]:
    for separator, spelled in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and header[0].count(separator) >= len(COLUMNS) - 1:
            return [Problem(1, "", "not_comma_separated", spelled)]
    missing = [Problem(1, column, "missing_column", "") for column in COLUMNS if column not in header]
    double = [Problem(1, column, "column_twice", "") for column in COLUMNS if header.count(column) > 1]
    return missing + double


def _store(session: Session, rows: Sequence[SiteRow], now: datetime) -> tuple[int, int]:
    """Insert what is new and update what differs; returns both numbers. The import lock is held."""
    fields = [name for name in SiteRow.__dataclass_fields__ if name not in ("province", "city", "name")]
    columns = ", ".join(["id", "place_id", "province", "city", "name", *fields])
    rows_now = session.execute(text(f"SELECT {columns} FROM site")).all()
    known = {(row.province, row.city, row.name): row for row in rows_now}
    places = {row.place_id for row in rows_now if row.place_id != row.id}
    fresh: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for row in rows:
        before = known.get(row.key)
        if before is None:
            fresh.append({"public_id": new_id("site"), "updated_at": now, **asdict(row)})
            continue
        # The words of a place are not those of its row alone: they are made anew below.
        compared = [name for name in fields if before.id not in places or name not in WORDS]
        if any(getattr(before, name) != getattr(row, name) for name in compared):
            changed.append({"id": before.id, "updated_at": now, **asdict(row)})
    for start in range(0, len(fresh), _BATCH):
        session.execute(insert(Site), fresh[start : start + _BATCH])
    for start in range(0, len(changed), _BATCH):
        session.execute(update(Site), changed[start : start + _BATCH])
    place_of = {row.id: row.place_id for row in rows_now}
    index_places(session, places & {place_of[each["id"]] for each in changed})
    return len(fresh), len(changed)


def _write_problems(source: Path, problems: Sequence[Problem], error_path: Path | str | None) -> Path:
    target = Path(error_path) if error_path else settings().state_dir / "import-errors" / f"{source.stem}.csv"
    draft = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["line", "column", "reason", "value"])
            writer.writerows([problem.line, problem.column, problem.reason, problem.value] for problem in problems)
        draft.replace(target)
    except OSError as failed:
        with suppress(OSError):
            draft.unlink()
        raise FileUnreadable(path=str(target), problem=os.strerror(failed.errno or 0)) from failed
    return target
