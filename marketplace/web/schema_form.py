"""A form drawn from a JSON Schema, and its fields back to a value: objects, lists of objects, texts, numbers, choices
of one and of several.

A field is called by its path (`package.items.0.code`), as a refusal of the schema calls it. What no form can show is
not drawn, and stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import request
from flask_babel import gettext as _

from marketplace.core import strictjson
from marketplace.core.text import Text
from marketplace.web.language import by_language, current

Fields = Mapping[str, str]
BLANK_ROWS = 1
MORE_ROWS = 5
MOST_ROWS = 300
TICKED = "1"


@dataclass(frozen=True)
class Box:
    """One field. `options` are pairs of value and label for a choice, none for what is typed; `type` and `extra` are
    attributes of the input; `hint` says more."""

    name: str
    label: str
    options: tuple[tuple[str, str], ...] = ()
    type: str = "text"
    extra: Mapping[str, Any] = field(default_factory=dict)
    hint: str = ""


@dataclass(frozen=True)
class Group:
    """Fields that belong together under a legend (blank for those of the value itself); a list has rows of them."""

    name: str
    legend: str
    rows: tuple[tuple[Box, ...], ...]
    listed: bool = False


def sent() -> Fields:
    """The fields of this request's form; one that can't be stored is as if it were blank."""
    return {name: text.strip() if strictjson.storable(text) else "" for name, text in request.form.items()}


def drawn(schema: Mapping[str, Any], path: str, fields: Fields, *, blanks: int = BLANK_ROWS) -> tuple[Group, ...]:
    """The groups of a form for values of this schema; lists have as many rows as `fields` fill, and blank ones."""
    plain = tuple(_box(f"{path}.{name}", name, each) for name, each in _of(schema, _is_plain))
    groups = [Group(path, "", (plain,))] if plain else []
    for name, each in _of(schema, _is_object):
        groups.append(Group(f"{path}.{name}", _title(name, each), (_boxes(f"{path}.{name}", each),)))
    for name, each in _of(schema, _is_choices):
        groups.append(Group(f"{path}.{name}", _title(name, each), (_ticks(f"{path}.{name}", each["items"]),)))
    for name, each in _of(schema, _is_list):
        most = min(each.get("maxItems", MOST_ROWS), MOST_ROWS)
        number = min(len(_rows(fields, f"{path}.{name}")) + blanks, most)
        rows = tuple(_boxes(f"{path}.{name}.{row}", each["items"]) for row in range(number))
        groups.append(Group(f"{path}.{name}", _title(name, each), rows, listed=True))
    return tuple(groups)


def fields_of(schema: Mapping[str, Any], path: str, value: Mapping[str, Any]) -> dict[str, str]:
    """The fields that say a value of this schema."""
    found = {
        f"{path}.{name}": str(value[name]) for name, _each in _of(schema, _is_plain) if value.get(name) is not None
    }
    for name, each in _of(schema, _is_object):
        found |= fields_of(each, f"{path}.{name}", value.get(name, {}))
    for name, _each in _of(schema, _is_choices):
        found |= {f"{path}.{name}.{word}": TICKED for word in value.get(name, ())}
    for name, each in _of(schema, _is_list):
        for number, item in enumerate(value.get(name, ())):
            found |= fields_of(each["items"], f"{path}.{name}.{number}", item)
    return found


def numbered(schema: Mapping[str, Any], path: str, fields: Fields) -> dict[str, str]:
    """The fields with the rows of lists numbered anew, without the blank ones between."""
    lists = [f"{path}.{name}" for name, _each in _of(schema, _is_list)]
    found = {name: text for name, text in fields.items() if not name.startswith(tuple(f"{each}." for each in lists))}
    for each in lists:
        for number, row in enumerate(_rows(fields, each)):
            found |= {f"{each}.{number}.{name}": text for name, text in row.items()}
    return found


def value_in(
    schema: Mapping[str, Any], path: str, fields: Fields, before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The value that the fields say. A blank one is left out; a number that is none stays text, which the schema
    refuses. What of `before` no form shows is kept."""
    known = schema.get("properties", {})
    hidden = {name for name, each in known.items() if not _is_shown(each)}
    found = {name: each for name, each in (before or {}).items() if name not in known or name in hidden}
    for name, each in _of(schema, _is_plain):
        text = fields.get(f"{path}.{name}", "")
        if text:
            found[name] = _typed(each, text)
    for name, each in _of(schema, _is_object):
        if inner := value_in(each, f"{path}.{name}", fields):
            found[name] = inner
    for name, each in _of(schema, _is_choices):
        chosen = [word for word in each["items"]["enum"] if fields.get(f"{path}.{name}.{word}")]
        if chosen or name in schema.get("required", ()):
            found[name] = chosen
    for name, each in _of(schema, _is_list):
        rows = range(len(_rows(fields, f"{path}.{name}")))
        items = [value_in(each["items"], f"{path}.{name}.{number}", fields) for number in rows]
        if items or name in schema.get("required", ()):
            found[name] = items
    return found


def _rows(fields: Fields, path: str) -> list[dict[str, str]]:
    """The rows of a list that are filled in, in the order of their numbers."""
    rows: dict[int, dict[str, str]] = {}
    for name, text in fields.items():
        number, dot, inner = name.removeprefix(f"{path}.").partition(".")
        if name.startswith(f"{path}.") and dot and text and _is_number(number):
            rows.setdefault(int(number), {})[inner] = text
    return [rows[number] for number in sorted(rows)][:MOST_ROWS]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 5


def _of(schema: Mapping[str, Any], fits: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((name, each) for name, each in schema.get("properties", {}).items() if fits(each))


def _types(schema: Mapping[str, Any]) -> Sequence[str]:
    types = schema.get("type", ())
    return [types] if isinstance(types, str) else [each for each in types if each != "null"]


def _is_plain(schema: Mapping[str, Any]) -> bool:
    words = schema.get("enum")
    if words is not None:
        return all(isinstance(word, str) and word for word in words)
    return _types(schema) in (["string"], ["integer"])


def _is_object(schema: Mapping[str, Any]) -> bool:
    return _types(schema) == ["object"] and all(_is_plain(each) for each in schema.get("properties", {}).values())


def _is_list(schema: Mapping[str, Any]) -> bool:
    return _types(schema) == ["array"] and _is_object(schema.get("items", {}))


def _is_choices(schema: Mapping[str, Any]) -> bool:
    items = schema.get("items", {})
    return _types(schema) == ["array"] and "enum" in items and _is_plain(items)


def _is_shown(schema: Mapping[str, Any]) -> bool:
    return _is_plain(schema) or _is_object(schema) or _is_list(schema) or _is_choices(schema)


def is_whole(schema: Mapping[str, Any]) -> bool:
    """Whether a form shows all of the values of this schema."""
    return all(map(_is_shown, schema.get("properties", {}).values()))


def _typed(schema: Mapping[str, Any], text: str) -> str | int:
    if _types(schema) != ["integer"]:
        return text
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdecimal() and len(text) < 19 else text


def _boxes(path: str, schema: Mapping[str, Any]) -> tuple[Box, ...]:
    return tuple(_box(f"{path}.{name}", name, each) for name, each in _of(schema, _is_plain))


def _ticks(path: str, schema: Mapping[str, Any]) -> tuple[Box, ...]:
    """A field for each word of a choice of several: blank, or TICKED for one that is chosen."""
    names = schema.get("x-names-zh" if current().code == "zh" else "x-names", {})
    return tuple(
        Box(f"{path}.{word}", names.get(word, word), (("", _("No")), (TICKED, _("Yes")))) for word in schema["enum"]
    )


def _box(path: str, name: str, schema: Mapping[str, Any]) -> Box:
    label, hint = _title(name, schema), _said(schema, "description")
    if "enum" in schema:
        names = schema.get("x-names-zh" if current().code == "zh" else "x-names", {})
        return Box(path, label, tuple((word, names.get(word, word)) for word in schema["enum"]), hint=hint)
    extra = {"placeholder": schema.get("default") or None}
    if _types(schema) == ["integer"]:
        extra |= {"min": schema.get("minimum"), "max": schema.get("maximum"), "inputmode": "numeric"}
        return Box(path, label, type="number", extra=_given(extra), hint=hint)
    return Box(path, label, extra=_given({**extra, "maxlength": schema.get("maxLength")}), hint=hint)


def _given(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if value is not None}


def _title(name: str, schema: Mapping[str, Any]) -> str:
    return _said(schema, "title") or name


def _said(schema: Mapping[str, Any], what: str) -> str:
    """A title or description in the reader's language."""
    return by_language(Text(schema.get(f"x-{what}-zh", ""), schema.get(what, "")))
