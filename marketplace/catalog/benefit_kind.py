"""What every benefit kind declares: names, traits, the schema of its packages and of a booking's answers, its rules.

Other code branches on traits, never on a kind's code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, Literal

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from marketplace.core.errors import Invalid, Refusal
from marketplace.core.strictjson import storable

Sex = Literal["male", "female"]


class NotEligible(Refusal):
    """The person may not have this package. `facts["reason"]` is `age` (with min_age, max_age, age; a bound that is
    not set is None) or `sex` (with sex: the one the package is for). Ages are whole years at the service date."""

    code = "not_eligible"
    field = "beneficiary_id"


@dataclass(frozen=True)
class Traits:
    """How a kind behaves. `supply`: slot (a place at a time), window (a service within a time window), immediate (no
    slot at all). `report`: a report follows, within `report_days` unless the package says otherwise. `dispatch`: a
    person is sent. `pledge_seconds`: the promised time to the first answer, None without a promise."""

    supply: Literal["slot", "window", "immediate"]
    report: bool = False
    report_days: int = 7
    dispatch: bool = False
    pledge_seconds: int | None = None


EligibilityRule = Callable[[Mapping[str, Any], str, date, date], None]


@dataclass(frozen=True)
class BenefitKind:
    """One kind of benefit. The schemas are JSON Schema 2020-12; a property's `title` is English, `x-title-zh` Chinese.

    `check_eligible(package, person_sex, birth_date, on_date)` returns None or raises NotEligible.
    """

    code: str
    name_zh: str
    name_en: str
    traits: Traits
    package_schema: Mapping[str, Any]
    details_schema: Mapping[str, Any]
    check_eligible: EligibilityRule
    max_details_bytes: int = field(default=4_000)

    def check_package(self, package: Mapping[str, Any]) -> None:
        """Raises Invalid(field="package.…") if the package breaks its schema."""
        _check("package", package, self._package_rules)

    def check_details(self, details: Any) -> None:
        """Raises Invalid(field="details.…") if the answers break their schema or cannot be stored as text."""
        _check("details", details, self._details_rules)

    @cached_property
    def _package_rules(self) -> Draft202012Validator:
        return Draft202012Validator(self.package_schema)

    @cached_property
    def _details_rules(self) -> Draft202012Validator:
        return Draft202012Validator(self.details_schema)


def _check(name: str, value: Any, rules: Draft202012Validator) -> None:
    _check_text(name, value)
    error = best_match(rules.iter_errors(value))
    if error is None:
        return
    path = [name, *(str(step) for step in error.absolute_path)]
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        path.append(str(min(set(error.instance) - set(error.schema.get("properties", ()))))[:60])
    if error.validator == "required" and isinstance(error.instance, dict):
        path.append(next(key for key in error.validator_value if key not in error.instance))
    limit = error.validator_value if isinstance(error.validator_value, str | int) else None
    raise Invalid(field=".".join(path), reason="schema", rule=str(error.validator), limit=limit)


def _check_text(name: str, value: Any, depth: int = 0) -> None:
    """PostgreSQL stores neither NUL nor lone surrogates."""
    if depth > 8:
        raise Invalid(field=name, reason="too_deep")
    if isinstance(value, str):
        if not storable(value):
            raise Invalid(field=name, reason="bad_characters")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            _check_text(name, key, depth + 1)
            _check_text(f"{name}.{key}", inner, depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check_text(name, inner, depth + 1)


def age_on(birth_date: date, on_date: date) -> int:
    """Completed years on `on_date`; negative before birth.

    Born on 29 February, a year is complete on 1 March of a common year: a period whose last month lacks the date ends
    with the month's last day (Civil Code of the People's Republic of China, article 202).
    """
    return on_date.year - birth_date.year - ((on_date.month, on_date.day) < (birth_date.month, birth_date.day))
