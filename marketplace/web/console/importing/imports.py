"""Imports: the list with the form that uploads a file, and one with what is said to it."""

from __future__ import annotations

from flask import Response, flash, make_response, render_template, request, url_for
from flask_babel import gettext as _

from marketplace.core import clock
from marketplace.core.bulk.intake.bounds import LARGEST, MIB, MOST_LINES
from marketplace.core.bulk.table import ADDED, TableRefused
from marketplace.core.bulk.template import template
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.spreadsheet import Cell, spreadsheet
from marketplace.core.text import language_of
from marketplace.edge import LARGE_FORM
from marketplace.web import language
from marketplace.web.answers import Views, asked, field, live, see_other, tag
from marketplace.web.console import session
from marketplace.web.console.answers import console_page
from marketplace.web.console.importing import page, words
from marketplace.web.doors.problems import Problem, problem_of
from marketplace.web.language import by_language
from marketplace.web.parts import Form
from vip.imports import steer, upload, view
from vip.imports.kinds import KINDS, kind_of

_SHOWN = 20
_LINES_SHOWN = 25
_RECENT = 5
_FORM_BYTES = LARGEST + 64 * 1024


def imports() -> Response:
    """What was imported, the newest first; the form uploads a file."""
    who, form, status = session.operator(), Form({"kind": next(iter(KINDS))}), 200
    if request.method == "POST":
        kind = field("kind", 40)
        try:
            return see_other(url_for("console.import_one", batch=_uploaded(kind)))
        except TableRefused as refused:
            why, remedy = words.file_refused(kind_of(kind), refused.facts)
            said = _("%(why)s. %(remedy)s.", why=why, remedy=remedy)
            form, status = Form({"kind": kind}, {"document": said}), refused.status
    found = view.imports(who, cursor=asked("after", 500) or None, limit=_SHOWN)
    return console_page(
        "imports",
        "imports",
        status,
        rows=tuple(map(page.row, found.items)),
        kinds=tuple(map(page.kind_row, KINDS.values())),
        form=form,
        largest=LARGEST,
        most=MOST_LINES,
        megabytes=LARGEST // MIB,
        more_url=url_for("console.imports", after=found.next) if found.next else "",
    )


def _uploaded(kind: str) -> str:
    given = request.files.get("document")
    content = given.stream.read(LARGEST + 1) if given is not None else b""
    name = given.filename if given is not None and given.filename else ""
    return upload.upload(session.operator(), kind, name, content, now=clock.now())


def import_one(batch: str) -> Response:
    """One import; the form begins, pauses, goes on with or stops it."""
    problem: Problem | None = None
    status = 200
    if request.method == "POST":
        try:
            steer.steer(session.operator(), batch, field("act", 20), now=clock.now())
        except NotFound:
            raise
        except Refusal as refusal:
            problem, status = problem_of(refusal), refusal.status
        else:
            flash(_said(field("act", 20)), "ok")
            return see_other(url_for("console.import_one", batch=batch))
    it, errors = _shown(batch)
    return console_page(
        "import",
        "imports",
        status,
        it=it,
        errors=errors,
        recent=tuple(map(page.row, view.imports(session.operator(), cursor=None, limit=_RECENT).items)),
        problem=problem,
        version=tag(it, errors),
        live_url=url_for("console.import_live", batch=batch, reason=_reason() or None, after=_after() or None),
    )


def import_live(batch: str) -> Response:
    """The part of it that changes by itself."""
    it, errors = _shown(batch)
    return live(render_template("console/import_live.html", it=it, errors=errors), tag(it, errors))


def import_refused(batch: str) -> Response:
    """The refused lines as a table that can be corrected and uploaded."""
    found = view.refused_file(session.operator(), batch, now=clock.now())
    header = [words.column_name(found.kind, code) for code in found.columns]
    rows: list[list[Cell]] = [
        [
            *cells,
            number,
            " / ".join(
                f"{words.column_name(found.kind, each.column)}: {words.why(found.kind, each)}" for each in errors
            ),
            " / ".join(words.remedy(found.kind, each) for each in errors),
        ]
        for number, cells, errors in found.lines
    ]
    table = spreadsheet([*header, *map(by_language, ADDED)], rows, exact=True)
    return _csv(f"import-{found.number}-refused.csv", table)


def import_template(kind: str) -> Response:
    """The file to fill in."""
    known = kind_of(kind)
    return _csv(f"{known.code}.csv", template(known, language_of(language.current().code)))


def _shown(batch: str) -> tuple[page.ImportPage, page.ErrorTable | None]:
    who = session.operator()
    it = view.one_import(who, batch, now=clock.now())
    found = view.refused_lines(who, batch, reason=_reason(), cursor=_after() or None, limit=_LINES_SHOWN)
    return page.page(it), page.error_table(it, found, _reason(), _after())


def _reason() -> str:
    return asked("reason", 60)


def _after() -> str:
    return asked("after", 500)


def _said(act: str) -> str:
    return {
        "start": _("The import begins within seconds."),
        "pause": _("Paused. Nothing more is imported until you go on."),
        "resume": _("The import goes on."),
        "stop": _("Stopped. What was imported stays."),
    }[act]


def _csv(name: str, content: str) -> Response:
    answer = make_response(content)
    answer.content_type = "text/csv; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


setattr(imports, LARGE_FORM, _FORM_BYTES)

VIEWS: Views = {
    "imports": imports,
    "import_one": import_one,
    "import_live": import_live,
    "import_refused": import_refused,
    "import_template": import_template,
}
