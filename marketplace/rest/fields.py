"""Marshmallow fields of what callers send, strict about what JSON Schema calls the same thing.

Each complaint is a key of reason_words.REASONS, so that one place knows the words and their languages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cached_property
from typing import Any, TypeAlias

import marshmallow as ma
from marshmallow import validate

_COMMON = {"required": "required", "null": "null", "validator_failed": "format"}
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
MOMENT = re.compile(r"20\d\d-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-](0\d|1[0-4]):[0-5]\d)", re.ASCII)
"""A moment of this century as RFC 3339 writes it, with its zone; the calendar is to be asked too. No place on earth is
more than 14 hours from UTC, and PostgreSQL takes no more than 15."""


class Text(ma.fields.String):
    """Text of `shortest` to `longest` characters, of a `pattern` if one is given."""

    default_error_messages = {**_COMMON, "invalid": "string", "invalid_utf8": "text"}

    def __init__(self, *, longest: int, shortest: int = 0, pattern: str | None = None, **kwargs: Any) -> None:
        checks: list[Any] = [validate.Length(min=shortest, max=longest, error="length")]
        if pattern is not None:
            checks.append(validate.Regexp(re.compile(pattern), error="format"))
        super().__init__(validate=checks, **kwargs)


class Id(Text):
    """A public id. One that we would never give out is unknown rather than wrong, so only its length is judged."""

    def __init__(self, example: str, **kwargs: Any) -> None:
        super().__init__(shortest=1, longest=64, metadata={"examples": [example]}, **kwargs)


class Choice(ma.fields.String):
    """One of some words."""

    default_error_messages = {**_COMMON, "invalid": "string", "invalid_utf8": "text"}

    def __init__(self, *words: str, **kwargs: Any) -> None:
        possible = ", ".join(word for word in words if word)
        super().__init__(validate=validate.OneOf(words, error=f"one_of:{possible}"), **kwargs)


class Whole(ma.fields.Integer):
    """A whole number of a query, in decimal digits, from `least` to `most`."""

    default_error_messages = {**_COMMON, "invalid": "integer", "too_large": "number"}

    def __init__(self, *, least: int, most: int, **kwargs: Any) -> None:
        super().__init__(validate=validate.Range(least, most, error="range"), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        if not isinstance(value, str) or not _WHOLE.fullmatch(value):
            raise self.make_error("invalid", input=value)
        return int(value)


class Day(ma.fields.Date):
    """A calendar date of this century, as RFC 3339 writes it."""

    default_error_messages = {**_COMMON, "invalid": "date", "format": "date"}
    PATTERN = "20[0-9]{2}-[0-9]{2}-[0-9]{2}"

    def __init__(self, *, metadata: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(metadata={"pattern": f"^{self.PATTERN}$", **(metadata or {})}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> date:
        if not isinstance(value, str) or not re.fullmatch(self.PATTERN, value):
            raise self.make_error("invalid", input=value, obj_type="date")
        try:
            return date.fromisoformat(value)
        except ValueError as bad:
            raise self.make_error("invalid", input=value, obj_type="date") from bad


class LongDay(Day):
    """The same of the last century or the next two as well: when somebody was born, or a policy that is for life."""

    PATTERN = "(19|2[0-2])[0-9]{2}-[0-9]{2}-[0-9]{2}"


class Number(ma.fields.Integer):
    """A whole number of a body, from `least` to `most`; what JSON writes as 3.0 is one (JSON Schema, section 4.2.3)."""

    default_error_messages = {**_COMMON, "invalid": "integer", "too_large": "number"}

    def __init__(self, *, least: int, most: int, **kwargs: Any) -> None:
        super().__init__(validate=validate.Range(least, most, error="range"), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
            raise self.make_error("invalid", input=value)
        return int(value)


class Moment(ma.fields.DateTime):
    """A moment of this century as RFC 3339 writes it, with its zone."""

    default_error_messages = {**_COMMON, "invalid": "moment", "format": "moment"}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> datetime:
        if not isinstance(value, str) or not MOMENT.fullmatch(value):
            raise self.make_error("invalid", input=value, obj_type="datetime")
        try:
            return datetime.fromisoformat(value.upper())
        except ValueError as bad:
            raise self.make_error("invalid", input=value, obj_type="datetime") from bad


class Figure(ma.fields.Float):
    """A number of a body, whole or not, whose size is at most 10^12."""

    default_error_messages = {**_COMMON, "invalid": "figure", "special": "figure", "too_large": "number"}
    MOST = 1e12

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=validate.Range(-self.MOST, self.MOST, error="number"), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.make_error("invalid", input=value)
        return float(value)


class Truth(ma.fields.Boolean):
    """true or false, nothing that merely looks like it."""

    default_error_messages = {**_COMMON, "invalid": "truth"}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Items(ma.fields.List[Any]):
    """A list of `least` to `most` items."""

    default_error_messages = {**_COMMON, "invalid": "list"}

    def __init__(self, item: ma.fields.Field[Any], *, least: int, most: int, **kwargs: Any) -> None:
        super().__init__(item, validate=validate.Length(least, most, error="length"), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.make_error("invalid", input=value)
        self._validate(value)  # before its items are read: a body holds ten thousands of wrong ones, each told apart
        return super()._deserialize(value, attr, data, **kwargs)


class Inner(ma.fields.Nested):
    """An object within a body, by a schema of its own."""

    default_error_messages = {**_COMMON, "type": "object"}


class Answers(ma.fields.Dict):
    """An object whose schema the benefit kind declares; the use case judges it."""

    default_error_messages = {**_COMMON, "invalid": "object"}


class _Undeclared(Exception):
    """Something was sent that no field expects."""


class Request(ma.Schema):
    """Base of what callers send: what is not declared is refused, never ignored."""

    error_messages = {"unknown": "unknown_field", "type": "object"}

    class Meta:
        unknown = ma.RAISE

    def load(
        self, data: Any, *, many: bool | None = None, partial: Any = None, unknown: ma.types.UnknownOption | None = None
    ) -> Any:
        """What marshmallow's own makes of `data`, at half the cost where nothing is wrong. Where anything is, its own
        names every fault."""
        if self._has_fields_alone and not many and partial is None and type(data) is dict:
            try:
                return self._read(data)
            except (ma.ValidationError, _Undeclared):
                pass
        return super().load(data, many=many, partial=partial, unknown=unknown)

    def _read(self, data: dict[str, Any]) -> dict[str, Any]:
        read = {}
        left = len(data)
        for name, key, field in self._expected:
            value = data.get(name, ma.missing)
            left -= value is not ma.missing
            found = field.deserialize(value, name, data)
            if found is not ma.missing:
                read[key] = found
        if left:
            raise _Undeclared
        return read

    @cached_property
    def _has_fields_alone(self) -> bool:
        """Whether nothing but the fields has a word in what is loaded, and each puts its value at one place of it."""
        nested = any("." in key for _, key, _ in self._expected)
        return not (nested or self.many or self.partial or any(self._hooks.values()))

    @cached_property
    def _expected(self) -> list[tuple[str, str, _Field]]:
        """Name in what is sent, key in what is loaded, and field."""
        fields = self.load_fields.items()
        return [(name if one.data_key is None else one.data_key, one.attribute or name, one) for name, one in fields]


class Listing(Request):
    """Query of every list."""

    limit = Whole(least=1, most=100, load_default=20, metadata={"description": "How many items a page has at most."})
    cursor = Text(
        longest=2000, load_default=None, metadata={"description": "`next` of the page before; none for the first."}
    )


class Answer(ma.Schema):
    """Base of what we answer. Only declared fields leave; a later version may declare more."""

    class Meta:
        unknown = ma.EXCLUDE

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        """What marshmallow's own makes of `obj`, at a third of the cost; but dates and moments stay what they are, for
        marketplace.rest.json to write."""
        if self.many if many is None else many:
            return [self._plain(one) for one in obj]
        return self._plain(obj)

    def _plain(self, obj: Any) -> dict[str, Any]:
        by_key = isinstance(obj, Mapping)
        plain = {}
        for key, name, convert in self._known:
            value = obj.get(name, ma.missing) if by_key else getattr(obj, name, ma.missing)
            if value is not ma.missing:
                plain[key] = value if value is None or convert is None else convert(value)
        for key, name, one in self._others:
            value = one.serialize(name, obj)
            if value is not ma.missing:
                plain[key] = value
        return plain

    @cached_property
    def _known(self) -> list[tuple[str, str, _Convert | None]]:
        """Key, attribute and conversion of the fields that need no marshmallow."""
        fields = self.dump_fields.items()
        return [(one.data_key or name, one.attribute or name, _convert(one)) for name, one in fields if _is_known(one)]

    @cached_property
    def _others(self) -> list[tuple[str, str, _Field]]:
        return [(one.data_key or name, name, one) for name, one in self.dump_fields.items() if not _is_known(one)]


_Field: TypeAlias = "ma.fields.Field[Any]"
_Convert: TypeAlias = Callable[[Any], Any]
_AS_IT_IS = (ma.fields.String, ma.fields.Integer, ma.fields.Boolean, ma.fields.Date, ma.fields.DateTime)


def _is_known(one: _Field) -> bool:
    if "." in (one.attribute or ""):
        return False
    if isinstance(one, ma.fields.List):
        return _is_known(one.inner)
    if isinstance(one, ma.fields.Nested):
        return isinstance(one.schema, Answer)
    return type(one) in (*_AS_IT_IS, ma.fields.Float)


def _convert(one: _Field) -> _Convert | None:
    """What makes a known field's value plain; None if it is."""
    if isinstance(one, ma.fields.List):
        inner = _convert(one.inner)
        return list if inner is None else lambda values: [value if value is None else inner(value) for value in values]
    if isinstance(one, ma.fields.Nested):
        dump: _Convert = one.schema.dump
        return dump
    return float if type(one) is ma.fields.Float else None


def page_of(item: type[Answer]) -> type[Answer]:
    """The schema of a page of such items."""
    name = f"{item.__name__}Page"
    return type(
        name,
        (Answer,),
        {
            "__doc__": f"A page of {item.__name__}.",
            "items": ma.fields.List(ma.fields.Nested(item), required=True),
            "next": ma.fields.String(
                required=True, allow_none=True, metadata={"description": "Cursor of the next page; null on the last."}
            ),
        },
    )
