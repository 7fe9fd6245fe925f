"""Imports as the console shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from marketplace.core.bulk.kind import ImportKind
from marketplace.core.paging import Page
from marketplace.web.console.importing import words
from marketplace.web.formats import listed, number, span
from marketplace.web.language import by_language
from marketplace.web.parts import Fact, Link, Pill
from vip.imports.read import REFUSED
from vip.imports.steer import acts_of
from vip.imports.together import MOST
from vip.imports.view import ImportLine, ImportView, RefusedLine
from vip.imports.work import STORED_FOR

MIB, KIB = 2**20, 2**10
_WIDTH = 1000
_MOST_HEADERS, _LONGEST_HEADER = 12, 40


@dataclass(frozen=True)
class ColumnRow:
    """A column of a kind, as the upload page explains it."""

    name: str
    about: str
    example: str
    required: bool


@dataclass(frozen=True)
class KindRow:
    """A kind that can be imported."""

    code: str
    name: str
    about: str
    columns: tuple[ColumnRow, ...]
    template_url: str


@dataclass(frozen=True)
class ImportRow:
    """An import in the list."""

    url: str
    number: str
    kind: str
    pill: Pill
    at: datetime
    lines: str


@dataclass(frozen=True)
class Part:
    """A piece of the bar, with its count: `tone` is `done`, `same` or `bad`; `x` and `width` are thousandths."""

    tone: str
    name: str
    count: str
    x: int
    width: int


@dataclass(frozen=True)
class Progress:
    """How far an import is: a title, what comes next, and lines by what became of them."""

    title: str
    text: str
    processed: str
    lines: str
    parts: tuple[Part, ...]
    speed: str
    said: str


@dataclass(frozen=True)
class ErrorRow:
    """One error of one line."""

    line: str
    column: str
    value: str
    why: str
    remedy: str


@dataclass(frozen=True)
class ImportPage:
    """One import. `moving`: it changes by itself. `refusal`: why the file can't be imported, and what to do. `warnings`
    are to be read before it is begun; `start`: what the button that begins says, blank without one."""

    url: str
    number: str
    kind: str
    file: str
    by: str
    at: datetime
    pill: Pill
    moving: bool
    facts: tuple[Fact, ...]
    warnings: tuple[str, ...]
    refusal: tuple[str, str] | None
    progress: Progress | None
    start: str
    acts: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class ErrorTable:
    """The refused lines of a page, with the filter by reason."""

    title: str
    filters: tuple[Link, ...]
    rows: tuple[ErrorRow, ...]
    file_url: str
    first_url: str
    next_url: str


def kind_row(kind: ImportKind[Any]) -> KindRow:
    """A kind with its columns."""
    columns = tuple(
        ColumnRow(by_language(each.name), by_language(each.about), each.example, each.required) for each in kind.columns
    )
    return KindRow(
        kind.code,
        by_language(kind.name),
        by_language(kind.about),
        columns,
        url_for("console.import_template", kind=kind.code),
    )


def row(it: ImportLine) -> ImportRow:
    """A line of the list."""
    return ImportRow(
        url_for("console.import_one", batch=it.id),
        _named(it),
        by_language(it.kind.name),
        pill(it),
        it.uploaded_at,
        ngettext("%(lines)s line", "%(lines)s lines", it.lines, lines=number(it.lines)) if it.lines else "–",
    )


def pill(it: ImportLine) -> Pill:
    """Its state; of one that is over how it ended."""
    if it.state == "done" and it.refused:
        return Pill(
            ngettext("%(n)s line to correct", "%(n)s lines to correct", it.refused, n=number(it.refused)),
            "wait",
            "info",
        )
    return {
        "uploaded": Pill(_("Being read"), "wait", "hourglass"),
        "checking": Pill(_("Being checked"), "wait", "hourglass"),
        "checked": Pill(_("Waits for your word"), "wait", "info"),
        "running": Pill(_("Importing"), "wait", "refresh-cw"),
        "paused": Pill(_("Paused"), "plain", "clock"),
        "done": Pill(_("All imported"), "ok", "circle-check"),
        "stopped": Pill(_("Stopped"), "plain", "x"),
        "failed": Pill(_("Can't be imported"), "bad", "circle-alert"),
    }[it.state]


def page(it: ImportView) -> ImportPage:
    """One import with its progress."""
    line, details = it.line, it.details
    ready = line.lines - line.refused
    return ImportPage(
        url=url_for("console.import_one", batch=line.id),
        number=_named(line),
        kind=by_language(line.kind.name),
        file=details.name if details else "",
        by=it.by,
        at=line.uploaded_at,
        pill=pill(line),
        moving=line.state in ("uploaded", "checking", "running"),
        facts=_facts(it),
        warnings=_warnings(it),
        refusal=None if it.failure is None else words.file_refused(line.kind, it.failure),
        progress=_progress(it) if line.lines else None,
        start=ngettext("Import %(n)s line", "Import %(n)s lines", ready, n=number(ready))
        if line.state == "checked" and ready
        else "",
        acts=tuple(act for act in acts_of(line.state) if act != "start"),
        notes=_notes(it),
    )


def error_table(it: ImportView, found: Page[RefusedLine], reason: str, cursor: str) -> ErrorTable | None:
    """The refused lines of a page; None where nothing is refused."""
    line = it.line
    if not line.refused or it.forgotten_at is not None:
        return None
    url = url_for("console.import_one", batch=line.id)
    of_all = Link(_("All reasons (%(n)s)", n=number(line.refused)), url, not reason)
    filters = [
        Link(
            f"{words.reason_name(line.kind, each)} ({number(count)})",
            url_for("console.import_one", batch=line.id, reason=each),
            each == reason,
        )
        for each, count in it.reasons
    ]
    return ErrorTable(
        title=_("Lines that were not imported") if it.begun else _("Lines that can't be imported"),
        filters=(of_all, *filters) if len(filters) > 1 else (),
        rows=tuple(row for each in found.items for row in _error_rows(line.kind, each)),
        file_url=url_for("console.import_refused", batch=line.id),
        first_url=url_for("console.import_one", batch=line.id, reason=reason or None) if cursor else "",
        next_url=url_for("console.import_one", batch=line.id, reason=reason or None, after=found.next)
        if found.next
        else "",
    )


def _named(it: ImportLine) -> str:
    return _("Import %(number)s", number=it.number)


def _error_rows(kind: ImportKind[Any], line: RefusedLine) -> Sequence[ErrorRow]:
    return [
        ErrorRow(
            number(line.number),
            words.column_name(kind, error.column),
            value or (_("(blank)") if error.column else ""),
            words.why(kind, error),
            words.remedy(kind, error),
        )
        for error, value in line.errors
    ]


def _facts(it: ImportView) -> tuple[Fact, ...]:
    details = it.details
    size = f"{number(round(it.size / MIB, 1))} MB" if it.size >= MIB else f"{number(-(-it.size // KIB))} KB"
    read_as = {"utf-8": "CSV, UTF-8", "utf-16": "CSV, UTF-16", "gb18030": "CSV, GB 18030", "": "XLSX"}
    return (
        Fact(_("File"), details.name if details else _("destroyed")),
        Fact(_("Size"), size),
        *([Fact(_("Read as"), read_as[details.encoding])] if details and details.form else []),
        *([Fact(_("Notes passed over"), number(details.notes))] if details and details.notes else []),
        Fact(_("Uploaded by"), it.by),
    )


def _warnings(it: ImportView) -> tuple[str, ...]:
    found = list[str]()
    if it.details and it.details.ignored:
        names = [name[:_LONGEST_HEADER] for name in it.details.ignored[:_MOST_HEADERS]]
        names += ["…"] if len(it.details.ignored) > _MOST_HEADERS else []
        found.append(_("These columns are not known and will not be read: %(names)s.", names=listed(names)))
    if it.same_as:
        earlier = listed(_("Import %(number)s", number=each) for each in it.same_as)
        found.append(
            _("The same file was uploaded before: %(imports)s. What it brought in is skipped.", imports=earlier)
        )
    if it.unforeseen and not it.begun:
        found.append(
            ngettext(
                "%(num)d line depends on more than %(most)d others of the file: what becomes of it shows only when "
                "they are imported.",
                "%(num)d lines depend on more than %(most)d others of the file: what becomes of them shows only when "
                "those are imported.",
                it.unforeseen,
                most=MOST,
            )
        )
    if it.line.state == "checked" and it.line.refused == it.line.lines:
        found.append(_("Every line has an error, so there is nothing to import. Correct the file and upload it again."))
    return tuple(found)


def _progress(it: ImportView) -> Progress:
    line = it.line
    titles = {
        "checking": _("Being checked, nothing is imported yet"),
        "checked": _("What the import would do"),
        "running": _("Importing"),
        "paused": _("Paused"),
        "done": _("Imported"),
        "stopped": _("Stopped"),
    }
    title = titles[line.state]
    text = ""
    if line.state in ("checking", "running"):
        text = (
            _("About %(time)s left; you can leave this page", time=span(_rounded(it.seconds_left)))
            if it.seconds_left is not None
            else _("You can leave this page")
        )
    elif line.state == "checked":
        text = _("Nothing was imported yet")
    speed = ""
    if line.state in ("checking", "running"):
        a_second = round(it.a_second, 1) if it.a_second < 10 else round(it.a_second)
        speed = number(a_second)
    said = _("%(done)s of %(all)s lines", done=number(it.processed), all=number(line.lines))
    return Progress(title, text, number(it.processed), number(line.lines), _parts(it), speed, said)


def _rounded(seconds: float) -> float:
    """Whole minutes from two on: nobody knows it better."""
    return seconds if seconds < 120 else round(seconds / 60) * 60


def _parts(it: ImportView) -> tuple[Part, ...]:
    """What became of the lines, in the kind's order, refused ones last; of what no line became only the first."""
    line = it.line
    tones = [
        (code, "done" if outcome.changed else "same", by_language(outcome.name))
        for code, outcome in line.kind.outcomes.items()
    ]
    refused = (REFUSED, "bad", _("With errors, not imported"))
    parts, x = list[Part](), 0
    always = (tones[0][0], REFUSED)
    for code, tone, name in (*tones, refused):
        count = line.counts.get(code, 0)
        if not count and code not in always:
            continue
        width = min(max(round(count * _WIDTH / line.lines), 2 if count else 0), _WIDTH - x)
        parts.append(Part(tone, name, number(count), x, width))
        x += width
    return tuple(parts)


def _notes(it: ImportView) -> tuple[str, ...]:
    """What will happen, said once."""
    days = STORED_FOR.days
    if it.forgotten_at is not None:
        return (_("The contents of this file were destroyed; what became of its lines stays as counts."),)
    return (
        _("A line with an error stops no other."),
        _("The same file uploaded again: what was imported is skipped, nothing is doubled."),
        _("Correct the refused lines that you download and upload that file: it becomes a new import."),
        _("After a stop, what was imported stays; the rest is not."),
        _("The contents of the file are encrypted and destroyed after %(days)s days without change.", days=days),
    )
