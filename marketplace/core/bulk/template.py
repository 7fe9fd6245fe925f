"""The file that people start from: the header, what stands in each column, and an example, which are never imported."""

from __future__ import annotations

from typing import Any

from marketplace.core.bulk.intake.bounds import NOTE
from marketplace.core.bulk.kind import ImportKind
from marketplace.core.spreadsheet import spreadsheet
from marketplace.core.text import Language, Text

_EXAMPLE = Text("例：", "Example: ")
_MAY_BE_BLANK = Text("（可不填）", " (may stay blank)")


def template(kind: ImportKind[Any], language: Language) -> str:
    """The CSV to fill in, its header in the reader's language; the explanations are in both. Their rows begin with `#`,
    so that who leaves them in imports none of them."""
    header = [column.name.in_language(language) for column in kind.columns]
    rows = [_about(kind, "zh"), _about(kind, "en"), [column.example for column in kind.columns]]
    rows[2][0] = _EXAMPLE.in_language(language) + rows[2][0]
    return spreadsheet(header, [[f"{NOTE} {row[0]}", *row[1:]] for row in rows], exact=True)


def _about(kind: ImportKind[Any], language: Language) -> list[str]:
    return [
        f"{column.about.in_language(language)}{'' if column.required else _MAY_BE_BLANK.in_language(language)}"
        for column in kind.columns
    ]
