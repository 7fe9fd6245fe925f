"""What whoever is sent needs to know, asked beside the time: the questions are those of the kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flask_babel import gettext as _

from marketplace.catalog.kinds import kinds
from marketplace.core.text import Text
from marketplace.web import schema_form
from marketplace.web.language import by_language
from marketplace.web.parts import Form
from marketplace.web.schema_form import TICKED, Box, Fields
from vip.customers.customers import own_contact

DETAILS = "details"
"""Under this path the schema names what is wrong."""
_FEW = 4
"""So many answers stand side by side; more of them are a list to choose from."""


@dataclass(frozen=True)
class Question:
    """One question. `looks`: typed, several answers side by side, a list to choose from, or a box to tick."""

    box: Box
    looks: Literal["typed", "segments", "list", "tick"]


def questions(code: str) -> tuple[Question, ...]:
    """The questions of a kind in the order of its schema; none of a kind that asks nothing."""
    schema = _schema(code)
    groups = schema_form.drawn(schema, DETAILS, {})
    boxes = {box.name: box for box in groups[0].rows[0]} if groups else {}
    needed = schema.get("required", ())
    found = []
    for name, each in schema.get("properties", {}).items():
        path = f"{DETAILS}.{name}"
        if each.get("const") is True:
            label = by_language(Text(each.get("x-title-zh", ""), each.get("title", "")))
            found.append(Question(Box(path, label), "tick"))
        elif path in boxes:
            found.append(_question(boxes[path], each, name in needed))
    return tuple(found)


def _question(box: Box, schema: Mapping[str, Any], needed: bool) -> Question:
    if not box.options:
        label = box.label if needed else _("%(question)s (if you like)", question=box.label)
        extra = {**box.extra, **({"required": ""} if needed else {})}
        kind = "tel" if schema.get("format") == "tel" else box.type
        return Question(Box(box.name, label, type=kind, extra=extra, hint=box.hint), "typed")
    if needed and len(box.options) <= _FEW:
        return Question(box, "segments")
    options = box.options if needed else (("", _("No wish")), *box.options)
    return Question(Box(box.name, box.label, options, hint=box.hint), "list")


def answers(code: str, fields: Fields) -> dict[str, Any]:
    """The details that the form says."""
    schema = _schema(code)
    agreed = [name for name, each in schema.get("properties", {}).items() if each.get("const") is True]
    ticked = {name: True for name in agreed if fields.get(f"{DETAILS}.{name}") == TICKED}
    return schema_form.value_in(schema, DETAILS, fields) | ticked


def first_form(code: str, customer_id: int) -> Form:
    """The form before anything was answered: the first of few answers is chosen, and the customer is whom to call."""
    values = {
        question.box.name: question.box.options[0][0]
        for question in questions(code)
        if question.looks == "segments" and question.box.options
    }
    asked = {each.get("x-fill"): f"{DETAILS}.{name}" for name, each in _schema(code).get("properties", {}).items()}
    if "name" in asked or "phone" in asked:
        name, phone = own_contact(customer_id)
        filled = {"name": name, "phone": phone}
        values |= {path: filled[what] for what, path in asked.items() if what in filled}
    return Form(values)


def _schema(code: str) -> Mapping[str, Any]:
    known = kinds().get(code)
    return known.details_schema if known is not None and known.traits.dispatch else {}
