"""A form drawn from a schema: every installed kind's package, there and back."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from marketplace.catalog.kinds import kinds
from marketplace.web import schema_form
from tests.marketplace.web.samples.desk_offers import PACKAGE

SCHEMA = kinds()["health_check"].package_schema


@pytest.mark.parametrize("code", sorted(kinds()))
def test_every_kind_has_a_form_that_shows_all_of_its_package_with_names_in_both_languages(
    app: Flask, code: str
) -> None:
    schema = kinds()[code].package_schema
    assert schema_form.is_whole(schema)
    for language in ("zh", "en"):
        with app.test_request_context(headers={"Accept-Language": language}):
            for group in schema_form.drawn(schema, "package", {}):
                for box in group.rows[0]:
                    assert box.label != box.name.rpartition(".")[2], box.name
                    assert group.legend != group.name.rpartition(".")[2]
                    assert all(value != label for value, label in box.options)


def test_a_package_goes_into_the_form_and_comes_back_as_it_was() -> None:
    fields = schema_form.fields_of(SCHEMA, "package", PACKAGE)
    assert fields["package.items.1.code"] == "ecg" and fields["package.fasting.hours"] == "8"
    assert schema_form.value_in(SCHEMA, "package", fields) == PACKAGE


def test_blank_rows_between_are_left_out_and_the_rest_is_numbered_anew() -> None:
    sent = {"package.items.0.code": "", "package.items.2.code": "ecg", "package.items.x.code": "no", "other": "1"}
    fields = schema_form.numbered(SCHEMA, "package", sent)
    assert fields == {"package.items.0.code": "ecg", "other": "1"}
    assert schema_form.value_in(SCHEMA, "package", fields)["items"] == [{"code": "ecg"}]


def test_what_no_form_shows_stays_as_it_was() -> None:
    schema: dict[str, Any] = {"properties": {"plain": {"type": "string"}, "odd": {"type": "array"}}}
    before = {"plain": "a", "odd": [1], "older": True}
    assert not schema_form.is_whole(schema)
    assert schema_form.value_in(schema, "p", {"p.plain": "b", "p.odd": "x"}, before) == {
        "plain": "b",
        "odd": [1],
        "older": True,
    }


def test_a_choice_of_several_is_a_field_for_each_word() -> None:
    schema = {
        "type": "object",
        "required": ["languages"],
        "properties": {"languages": {"type": "array", "items": {"enum": ["zh", "en"]}}},
    }
    fields = schema_form.fields_of(schema, "package", {"languages": ["en"]})
    assert fields == {"package.languages.en": "1"}
    assert schema_form.value_in(schema, "package", fields) == {"languages": ["en"]}
    assert schema_form.value_in(schema, "package", {}) == {"languages": []}
