"""What every benefit kind declares: names, words, traits, rules, the schemas of its packages and of answers.

Other code branches on traits and asks for the words, never for a kind's code.
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
from marketplace.core.text import Text, opening

Sex = Literal["male", "female"]


class NotEligible(Refusal):
    """The person may not have this package. `facts["reason"]` is `age` (with min_age, max_age, age; a bound that is
    not set is None) or `sex` (with sex: the one the package is for). Ages are whole years at the service date."""

    code = "not_eligible"
    field = "beneficiary_id"


@dataclass(frozen=True)
class Traits:
    """How a kind behaves. `supply`: slot (a place at a time), window (a service within a time window), immediate (no
    slot at all). `report`: a report follows, within `report_days` unless the package says otherwise. `occupies_person`:
    nobody can have two of them at the same time; else it goes on beside anything. `pledge_seconds`: how long a first
    answer may take, unless the package says otherwise; None: nothing is pledged. `answer_hours`: after how many hours
    without a first answer the clock ends what is immediate; what has times is ended after its provider's own hours.
    What is immediate has no time in which it could occupy anybody and has to say so. `dispatch`: somebody is sent to a
    place that the customer chooses, the booking's venue; else it is done where the offer is. `policy`: who may use it
    has a valid policy of that kind on the day of the service; None: her benefit is enough. `answer_pledged`: that a
    request is answered by its deadline is a pledge.
    """

    supply: Literal["slot", "window", "immediate"]
    report: bool = False
    report_days: int = 7
    occupies_person: bool = True
    pledge_seconds: int | None = None
    answer_hours: int = 24
    dispatch: bool = False
    policy: Literal["long_term"] | None = None
    answer_pledged: bool = False

    def __post_init__(self) -> None:
        if self.dispatch and not self.has_times:
            raise ValueError("nobody can be sent to what has no time")
        if self.occupies_person and not self.has_times:
            raise ValueError("what is immediate occupies nobody")

    @property
    def has_times(self) -> bool:
        """Whether a time is chosen: there are slots, and what goes with them (changes, reminders, no-shows)."""
        return self.supply != "immediate"


@dataclass(frozen=True)
class Message:
    """What a customer is told: a title of a few words and a sentence. Both may hold the places of facts that
    marketplace.messages.words.every names."""

    title: Text
    text: Text


@dataclass(frozen=True)
class Advice:
    """How to prepare. `icon` names an icon of the pages' sprite."""

    icon: str
    title: Text
    text: Text


BRING_CARD = Advice(
    icon="id-card",
    title=Text("带身份证原件", "Bring the original ID card"),
    text=Text("电子证件也可以。", "The electronic card will do as well."),
)


@dataclass(frozen=True)
class Words:
    """How a kind speaks. Each has a general default, so that a kind declares only what it calls otherwise.

    Nouns stand inside sentences, in English with their article: `service` what is done, `place` who is asked and
    answers, `person` whom it is done to. `services` is the service as the front door names it, blank for the kind's
    name. `for_whom` labels a person's name, `report` a report. `check_in`, `not_attended`, `began`, `under_way` and
    `done` are what a booking's steps are called, `queued` what it is while it waits for its first answer (blank for a
    kind with times, which is confirmed), `guidance` what helps while it is under way. `bring` says what to
    bring; it is left out where a package's own hints hold the word `brought`. `advice` is how to prepare, and `fasting`
    stands beside the hint of a package that asks for an empty stomach. `messages` holds what is told otherwise than in
    general, by the kind of notice. Icons are those of the pages' sprite.
    """

    service: Text = Text("服务", "the service")
    services: Text = Text("", "")
    place: Text = Text("服务方", "the provider")
    person: Text = Text("使用人", "the person it is for")
    for_whom: Text = Text("使用人", "For")
    report: Text = Text("服务报告", "Report")
    check_in: Text = Text("到场签到", "Check in")
    not_attended: Text = Text("未到场", "Not attended")
    began: Text = Text("服务开始", "The service began")
    queued: Text = Text("", "")
    under_way: Text = Text("服务进行中", "The service is under way")
    done: Text = Text("服务完成", "Service done")
    guidance: Text = Text("请听工作人员安排。", "Follow the staff.")
    bring: Text = Text("请携带使用人的身份证原件。", "Bring the original ID card of the person it is for.")
    brought: Text = Text("身份证", "ID")
    fasting: Text = Text("", "")
    advice: tuple[Advice, ...] = (BRING_CARD,)
    messages: Mapping[str, Message] = field(default_factory=dict)
    place_icon: str = "building-2"
    service_icon: str = "clock"

    def nouns(self, language: str) -> dict[str, str]:
        """The nouns for a sentence's places, by name; one that begins with a capital opens a sentence."""
        spoken = {name: getattr(self, name).in_language(language) for name in ("service", "place", "person")}
        return spoken | {opening(name): opening(noun) for name, noun in spoken.items()}


@dataclass(frozen=True)
class NotAt:
    """Places that can't give a benefit: those of these kinds, as the list of sites names them, and those whose name
    ends so, where the list knows no kind for them. `reason` is a sentence for who would offer it there."""

    reason: Text
    kinds: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()


EligibilityRule = Callable[[Mapping[str, Any], str, date, date], None]


@dataclass(frozen=True)
class BenefitKind:
    """One kind of benefit. The schemas are JSON Schema 2020-12; a property's `title` is English, `x-title-zh` Chinese;
    `x-names` and `x-names-zh` are what the values of an `enum` are called.

    `check_eligible(package, person_sex, birth_date, on_date)` returns None or raises NotEligible. `not_at`: where it
    can't be given at all (catalog.one_place.suits). `example_details` are what a test booking answers where the tester
    gives no answers.
    """

    code: str
    name: Text
    traits: Traits
    package_schema: Mapping[str, Any]
    details_schema: Mapping[str, Any]
    check_eligible: EligibilityRule
    words: Words = Words()
    not_at: tuple[NotAt, ...] = ()
    max_details_bytes: int = field(default=4_000)
    example_details: Mapping[str, Any] = field(default_factory=dict)

    def check_package(self, package: Mapping[str, Any]) -> None:
        """Raises Invalid(field="package.…") if the package breaks its schema."""
        _check("package", package, self._package_rules)

    def check_details(self, details: Any) -> None:
        """Raises Invalid(field="details.…") if the answers break their schema or cannot be stored as text."""
        if details == {} and self._asks_nothing:
            return
        _check("details", details, self._details_rules)

    @cached_property
    def _package_rules(self) -> Draft202012Validator:
        return Draft202012Validator(self.package_schema)

    @cached_property
    def _asks_nothing(self) -> bool:
        """Whether no answer is needed."""
        return bool(self._details_rules.is_valid({}))

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
