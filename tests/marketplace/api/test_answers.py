"""Answers are made plain without marshmallow, and become the JSON that marshmallow would have made."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import marshmallow as ma
import orjson
import pytest
from flask import Flask
from marshmallow import fields as out

from marketplace.rest.fields import Answer
from marketplace.rest.json import Json


class Colour(StrEnum):
    """A word of a list."""

    RED = "red"


@dataclass(frozen=True)
class Inner:
    """Something inside."""

    name: str
    at: datetime | None


@dataclass(frozen=True)
class Outer:
    """One value for each kind of field."""

    public_id: str
    colour: Colour
    number: int
    true: bool
    day: date
    at: datetime
    elsewhere: datetime
    nothing: datetime | None
    share: float
    names: tuple[str, ...]
    one: Inner
    none: Inner | None
    many: list[Inner]
    extra: dict[str, Any]
    secret: str = "not declared, so it stays"


def fields(base: type[ma.Schema]) -> dict[str, Any]:
    """The same fields for a schema of ours and for one of marshmallow's."""
    inner = type(f"Inner{base.__name__}", (base,), {"name": out.String(), "at": out.DateTime(allow_none=True)})
    return {
        "id": out.String(attribute="public_id"),
        "colour": out.String(),
        "count": out.Integer(attribute="number", data_key="howMany"),
        "true": out.Boolean(),
        "day": out.Date(),
        "at": out.DateTime(),
        "elsewhere": out.DateTime(),
        "nothing": out.DateTime(allow_none=True),
        "share": out.Float(),
        "names": out.List(out.String()),
        "one": out.Nested(inner),
        "none": out.Nested(inner, allow_none=True),
        "many": out.List(out.Nested(inner)),
        "extra": out.Dict(),
        "inside": out.String(attribute="one.name"),
        "made": out.Function(lambda obj: "made"),
        "always": out.Constant("the same"),
        "missing": out.String(),
        "missing_inside": out.String(attribute="one.surname"),
    }


OURS = type("Ours", (Answer,), fields(Answer))
THEIRS = type("Theirs", (ma.Schema,), fields(ma.Schema))
AT = datetime(2026, 3, 10, 1, 2, 3, tzinfo=UTC)
OUTER = Outer(
    *("out_1", Colour.RED, 3, True, date(2026, 3, 10), AT, AT.astimezone(timezone(timedelta(hours=8))), None, 2),
    *(("甲", "乙"), Inner("in", AT + timedelta(microseconds=7)), None, [Inner("a", None), Inner("b", AT)], {"x": [1]}),
)


def test_an_answer_is_what_marshmallow_would_have_made_of_it() -> None:
    ours = orjson.loads(orjson.dumps(OURS().dump(OUTER)))
    assert ours == THEIRS().dump(OUTER)
    assert {"secret", "missing", "missing_inside"}.isdisjoint(ours)
    assert ours["elsewhere"] == "2026-03-10T09:02:03+08:00"


def test_a_mapping_is_read_by_its_keys() -> None:
    plain = {**asdict(OUTER), "one": {"name": "in", "at": None}}
    assert orjson.loads(orjson.dumps(OURS().dump(plain))) == THEIRS().dump(plain)


def test_many_become_a_list() -> None:
    assert OURS(many=True).dump([OUTER, OUTER]) == OURS().dump([OUTER, OUTER], many=True) == [OURS().dump(OUTER)] * 2


@pytest.mark.parametrize("value", [{"b": 1, "a": "中\u2028"}, [], None, {"at": AT, "day": AT.date()}])
def test_json_is_compact_utf_8_in_the_order_of_its_keys(value: Any) -> None:
    app = Flask(__name__)
    app.json = Json(app)
    with app.app_context():
        answer = app.json.response(value)
        assert answer.mimetype == "application/json"
        assert answer.get_data() == app.json.dumps(value).encode() + b"\n"
    assert app.json.dumps({"b": 1, "a": "中"}) == '{"a":"中","b":1}'
