"""Why a file or a line was refused and what to do about it, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from marketplace import wording
from marketplace.core.bulk.cells import LineError
from marketplace.core.bulk.kind import ImportKind
from marketplace.core.bulk.reasons import FILE_REASONS, LINE_REASONS
from marketplace.core.errors import Invalid
from marketplace.core.text import Text
from marketplace.web.formats import listed
from marketplace.web.language import by_language


def column_name(kind: ImportKind[Any], code: str) -> str:
    """What a column is called; the whole line where there is none."""
    column = kind.column(code)
    return _("Whole line") if column is None else by_language(column.name)


def why(kind: ImportKind[Any], error: LineError) -> str:
    """Why a line is refused: in the words for files, or in those that programs are told."""
    known = kind.reasons.get(error.reason) or LINE_REASONS.get(error.reason)
    if known is not None:
        return _filled(known.why, error.facts)
    return wording.sentence(Invalid(field=error.column, **{**error.facts, "reason": error.reason}))


def remedy(kind: ImportKind[Any], error: LineError) -> str:
    """What to do about it."""
    known = kind.reasons.get(error.reason) or LINE_REASONS.get(error.reason)
    if known is not None:
        return _filled(known.remedy, error.facts)
    special = kind.remedies.get(error.reason)
    return _("Correct it and upload the refused lines again") if special is None else by_language(special)


def reason_name(kind: ImportKind[Any], reason: str) -> str:
    """A reason without what belongs to one line: a filter's name."""
    named = why(kind, LineError("", reason, {"most": "…", "least": "…", "line": "…", "minimum": "…", "maximum": "…"}))
    return named.rstrip("。.")


def file_refused(kind: ImportKind[Any], failure: Mapping[str, Any]) -> tuple[str, str]:
    """Why a file as a whole is refused, and what to do about it; columns are called by their names."""
    known = FILE_REASONS.get(str(failure.get("reason")), FILE_REASONS["unreadable"])
    named = {
        name: listed(column_name(kind, code) for code in str(failure[name]).split(","))
        for name in ("column", "columns")
        if name in failure
    }
    facts = {**failure, **named}
    return _filled(known.why, facts), _filled(known.remedy, facts)


class _Facts(dict[str, Any]):
    """Facts of a refusal; one that is missing leaves a gap, not an error."""

    def __missing__(self, name: str) -> str:
        return "…"


def _filled(text: Text, facts: Mapping[str, Any]) -> str:
    return by_language(text).format_map(_Facts(facts))
