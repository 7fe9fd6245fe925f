"""What an adapter wants to know of a provider beside its address and secret: a schema that each adapter declares.

A provider's row holds them as texts by name (`Connection.settings`). Everything that a form says of them is declared
here, in both languages: `metadata["label"]` and `metadata["help"]` of each field, `metadata["names"]` of the words of a
choice, and `about` of the schema.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from marketplace.core.text import Text

NOTHING = Text("", "")


class BadSettings(ValueError):
    """Settings that are no use. `fields` names each one at fault with what is wrong with it, in English, and `faults`
    with a reason of the edge and its facts; never its value."""

    def __init__(self, wrong: Mapping[str, str], faults: Mapping[str, Fault] | None = None) -> None:
        super().__init__("; ".join(f"{name}: {says}" for name, says in sorted(wrong.items())))
        self.fields = dict(wrong)
        self.faults = dict(faults or {})


@dataclass(frozen=True)
class Fault:
    """Why a setting is no use: a reason of `Invalid`, and what its sentence needs."""

    reason: str
    facts: Mapping[str, int]


@dataclass(frozen=True)
class About:
    """What a form says of a kind of system: its name, which systems are of it, what the secret is and where it comes
    from. `long`: the secret may have several lines."""

    name: Text
    systems: Text
    secret: Text
    secret_help: Text
    long: bool = False


def text(label: Text, help: Text = NOTHING, *, default: str = "", longest: int = 500) -> fields.String:
    """A text, `default` where it is not given."""
    told = {"label": label, "help": help}
    return fields.String(load_default=default, validate=validate.Length(max=longest), metadata=told)


def address(label: Text, help: Text = NOTHING, *, longest: int = 2000) -> fields.String:
    """Where something is called; blank where it is not given. What is stored as a secret may go there."""
    told = {"label": label, "help": help, "address": True}
    return fields.String(load_default="", validate=validate.Length(max=longest), metadata=told)


def choice(label: Text, names: Mapping[str, Text], help: Text = NOTHING) -> fields.String:
    """One of some words, each with its name; the first where none is given."""
    words = tuple(names)
    told = {"label": label, "help": help, "names": dict(names)}
    return fields.String(load_default=words[0], validate=validate.OneOf(words), metadata=told)


def whole(label: Text, default: int, *, least: int, most: int, help: Text = NOTHING) -> fields.Integer:
    """A whole number from `least` to `most`."""
    told = {"label": label, "help": help}
    return fields.Integer(load_default=default, validate=validate.Range(least, most), metadata=told)


class AdapterSettings(Schema):
    """Base of the schemas: how the provider is tried (TEST_SETTINGS); names that are not declared are refused."""

    class Meta:
        unknown = RAISE

    about: ClassVar[About]

    test_url = address(
        Text("测试系统的地址", "Address of the system for tests"),
        Text("认证时调用。留空则使用正式地址。", "Certification calls it. Blank: the address above."),
    )
    test_offer = text(
        Text("测试用的套餐编码", "What tests book"),
        Text(
            "留空则用测试模式给出的，或第一个套餐。",
            "Blank: what your system's test mode says, or your first service.",
        ),
    )
    test_pool = text(
        Text("测试用的号源池编码", "In which pool tests book"),
        Text("留空则与套餐相同。", "Blank: that of the service."),
    )


TEST_SETTINGS = ("test_url", "test_offer", "test_pool")
"""The settings that say how a provider is tried, and nothing of how it is called."""


class NoSettings(AdapterSettings):
    """For a kind of system that needs none of its own."""


def read_settings(schema: type[Schema], given: Mapping[str, str]) -> dict[str, Any]:
    """The settings with their defaults. Raises BadSettings."""
    try:
        loaded: dict[str, Any] = schema().load(given)
    except ValidationError as wrong:
        told = wrong.messages if isinstance(wrong.messages, dict) else {"settings": wrong.messages}
        says = {str(name): " ".join(map(str, each)) for name, each in told.items()}
        known = schema().fields
        raise BadSettings(says, {name: _fault(known.get(name)) for name in says}) from wrong
    return loaded


def addresses_in(schema: type[Schema], given: Mapping[str, str]) -> dict[str, str]:
    """The settings that are addresses, by name; without the blank ones."""
    fields_by_name = schema().fields.items()
    return {name: given[name] for name, each in fields_by_name if each.metadata.get("address") and given.get(name)}


def without_change(schema: type[Schema], before: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """`wanted` as it is stored: what says the same as `before` is written as before, and what is as it is without being
    set is left out. So what changes nothing looks like no change. Raises BadSettings for `wanted`."""
    meant = read_settings(schema, wanted)
    nothing = schema().load({})
    try:
        meant_before = read_settings(schema, before)
    except BadSettings:  # of another kind of system
        before, meant_before = {}, nothing
    kept = {name: text for name, text in before.items() if meant[name] == meant_before[name]}
    new = {name: str(text) for name, text in wanted.items() if meant[name] != meant_before[name]}
    return {**kept, **{name: text for name, text in new.items() if meant[name] != nothing[name]}}


def form_schema(schema: type[Schema], names: Collection[str]) -> dict[str, Any]:
    """These settings as a JSON Schema, from which a form is drawn: texts, whole numbers and choices with `title`,
    `description`, `default` and, for a choice, `x-names`; what is in Chinese as `x-title-zh` and so on."""
    return {
        "type": "object",
        "properties": {name: _property(each) for name, each in schema().fields.items() if name in names},
    }


def _property(known: fields.Field[Any]) -> dict[str, Any]:
    label, help = known.metadata["label"], known.metadata["help"]
    told: dict[str, Any] = {"title": label.en, "x-title-zh": label.zh, "default": known.load_default}
    if help != NOTHING:
        told |= {"description": help.en, "x-description-zh": help.zh}
    (rule,) = known.validators
    if isinstance(rule, validate.OneOf):
        words: Mapping[str, Text] = known.metadata["names"]
        told |= {"enum": list(words), "x-names": {word: name.en for word, name in words.items()}}
        return told | {"x-names-zh": {word: name.zh for word, name in words.items()}}
    if isinstance(rule, validate.Range):
        return told | {"type": "integer", "minimum": rule.min, "maximum": rule.max}
    return told | {"type": "string", "maxLength": getattr(rule, "max", None)}


def _fault(known: fields.Field[Any] | None) -> Fault:
    """What is wrong with a value that the field refused."""
    if known is None:
        return Fault("unknown_field", {})
    (rule,) = known.validators
    if isinstance(rule, validate.Range):
        return Fault("out_of_range", {"minimum": int(rule.min), "maximum": int(rule.max)})
    if isinstance(rule, validate.Length):
        return Fault("too_long", {"maximum": int(rule.max or 0)})
    return Fault("choice", {})
