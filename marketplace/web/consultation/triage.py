"""What the doctor would ask first, answered beforehand by whoever likes: the questions are those of the kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marketplace.catalog.kinds import kinds
from marketplace.web import schema_form
from marketplace.web.schema_form import Box, Fields

DETAILS = "details"
"""Under this path the schema names what is wrong."""
QUESTION = "symptoms"
"""What troubles her: the first words of the conversation besides, so that the doctor's time begins with them."""


def sent() -> Fields:
    """The answers of this request's form, lines ending as they are stored."""
    return {name: text.replace("\r\n", "\n") for name, text in schema_form.sent().items()}


def answers(kind: str | None, fields: Fields) -> dict[str, Any]:
    """The details that the form says; none of a kind that asks nothing."""
    return schema_form.value_in(_schema(kind), DETAILS, fields)


def question(details: Mapping[str, Any]) -> str:
    """The first words; blank without any."""
    return str(details.get(QUESTION, ""))


def boxes(kind: str | None) -> tuple[Box | None, tuple[Box, ...]]:
    """The box of the first words (None where the kind has no such question), and the others."""
    groups = schema_form.drawn(_schema(kind), DETAILS, {})
    found = groups[0].rows[0] if groups else ()
    first = next((box for box in found if box.name == f"{DETAILS}.{QUESTION}"), None)
    return first, tuple(box for box in found if box is not first)


def _schema(kind: str | None) -> Mapping[str, Any]:
    known = None if kind is None else kinds().get(kind)
    return {} if known is None else known.details_schema
