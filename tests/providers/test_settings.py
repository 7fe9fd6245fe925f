"""What adapters declare of their settings: a form is drawn from it, and what says the same is stored the same."""

from __future__ import annotations

import pytest
from marshmallow import fields, validate

from providers.adapters.day_capacity import DayCapacitySettings
from providers.adapters.fhir.options import FhirSettings
from providers.adapters.settings import BadSettings, addresses_in, form_schema, read_settings, without_change
from providers.registry import ADAPTERS, about, answering_here, settings_schema, with_system


def test_systems_that_are_called_and_providers_that_answer_here_are_all_there_is() -> None:
    assert sorted([*with_system(), *answering_here()]) == sorted(ADAPTERS)


@pytest.mark.parametrize("code", with_system())
def test_each_kind_of_system_says_in_both_languages_what_it_is_and_what_its_secret_is(code: str) -> None:
    told = about(code)
    for text in (told.name, told.systems, told.secret, told.secret_help):
        assert text.zh and text.en


@pytest.mark.parametrize("code", answering_here())
def test_what_is_not_called_has_no_such_form(code: str) -> None:
    with pytest.raises((KeyError, AttributeError)):
        about(code)


@pytest.mark.parametrize("code", with_system())
def test_every_setting_is_drawn_with_its_limits_and_its_names(code: str) -> None:
    known = settings_schema(code)().fields
    drawn = form_schema(settings_schema(code), known)["properties"]
    assert list(drawn) == list(known)
    for name, each in drawn.items():
        assert each["title"] and each["x-title-zh"], name
        (rule,) = known[name].validators
        if isinstance(rule, validate.OneOf):
            assert each["enum"] == list(rule.choices) == list(each["x-names"]) == list(each["x-names-zh"])
        elif isinstance(known[name], fields.Integer):
            assert isinstance(rule, validate.Range)
            assert (each["type"], each["minimum"], each["maximum"]) == ("integer", rule.min, rule.max)
        else:
            assert isinstance(rule, validate.Length)
            assert (each["type"], each["maxLength"]) == ("string", rule.max)


@pytest.mark.parametrize(
    ("before", "wanted", "stored"),
    [
        ({}, {"auth": "private_key_jwt", "page_size": "100"}, {}),
        ({"page_size": "100"}, {"page_size": "100", "auth": "none"}, {"page_size": "100", "auth": "none"}),
        ({"page_size": "100"}, {}, {"page_size": "100"}),
        ({"page_size": "50"}, {}, {}),
        ({"page_size": "050"}, {"page_size": "50"}, {"page_size": "050"}),
        ({"page_size": "50"}, {"page_size": "100"}, {}),
        ({"app_key": "of another kind"}, {"client_id": "us"}, {"client_id": "us"}),
    ],
)
def test_what_means_the_same_is_stored_as_before(
    before: dict[str, str], wanted: dict[str, str], stored: dict[str, str]
) -> None:
    assert without_change(FhirSettings, before, wanted) == stored


def test_the_settings_that_are_addresses_are_known() -> None:
    given = {"token_url": "https://a.example", "test_url": "", "client_id": "https://no.example"}
    assert addresses_in(FhirSettings, given) == {"token_url": "https://a.example"}
    assert addresses_in(DayCapacitySettings, {"test_url": "https://t.example"}) == {"test_url": "https://t.example"}


def test_what_is_wrong_is_named_for_commands_and_with_a_reason_for_forms() -> None:
    with pytest.raises(BadSettings) as bad:
        read_settings(DayCapacitySettings, {"history_days": "0", "colour": "blue"})
    assert "history_days" in str(bad.value) and "colour" in str(bad.value)
    assert (bad.value.faults["history_days"].reason, dict(bad.value.faults["history_days"].facts)) == (
        "out_of_range",
        {"minimum": 1, "maximum": 3650},
    )
    assert bad.value.faults["colour"].reason == "unknown_field"
