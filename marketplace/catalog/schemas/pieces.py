"""Pieces that the schemas of several benefit kinds are made of, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from marketplace.catalog.benefit_kind import NotEligible, age_on

DIALECT = "https://json-schema.org/draft/2020-12/schema"

LANGUAGES = {
    "mandarin": ("普通话", "Mandarin"),
    "cantonese": ("粤语", "Cantonese"),
    "shanghainese": ("上海话", "Shanghainese"),
    "sichuanese": ("四川话", "Sichuanese"),
    "hokkien": ("闽南语", "Hokkien"),
    "hakka": ("客家话", "Hakka"),
    "english": ("英语", "English"),
}
"""Languages and dialects of those who are sent, each with its Chinese and its English name."""


def text(title: str, title_zh: str, most: int = 200) -> dict[str, Any]:
    """A text of one to `most` characters."""
    return {"type": "string", "minLength": 1, "maxLength": most, "title": title, "x-title-zh": title_zh}


def number(title: str, title_zh: str, least: int, most: int) -> dict[str, Any]:
    """A whole number, both bounds included."""
    return {"type": "integer", "minimum": least, "maximum": most, "title": title, "x-title-zh": title_zh}


def choice(title: str, title_zh: str, names: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """One of several words; `names` gives each its Chinese and its English name."""
    return {
        "title": title,
        "x-title-zh": title_zh,
        "enum": list(names),
        "x-names": {word: english for word, (_chinese, english) in names.items()},
        "x-names-zh": {word: chinese for word, (chinese, _english) in names.items()},
    }


def named_list(title: str, title_zh: str) -> dict[str, Any]:
    """What a package contains: things with a code and a name in both languages, at least one."""
    code = {
        "type": "string",
        "pattern": "^[a-z0-9_-]{1,40}$",
        "title": "Code (a to z, 0 to 9, - and _)",
        "x-title-zh": "代码（a–z、0–9、- 和 _）",
    }
    return {
        "title": title,
        "x-title-zh": title_zh,
        "type": "array",
        "minItems": 1,
        "maxItems": 40,
        "items": {
            "type": "object",
            "additionalProperties": False,
            "required": ["code", "name_zh", "name_en"],
            "properties": {
                "code": code,
                "name_zh": text("Name in Chinese", "中文名称"),
                "name_en": text("Name in English", "英文名称"),
            },
        },
    }


def languages(title: str, title_zh: str) -> dict[str, Any]:
    """Some of LANGUAGES, at least one."""
    return {
        "title": title,
        "x-title-zh": title_zh,
        "type": "array",
        "minItems": 1,
        "uniqueItems": True,
        "items": choice("Language", "语言", LANGUAGES),
    }


PREPARATION = {
    "title": "How to prepare",
    "x-title-zh": "准备事项",
    "type": "array",
    "maxItems": 20,
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["zh", "en"],
        "properties": {"zh": text("In Chinese", "中文"), "en": text("In English", "英文")},
    },
}

_AGE = {"type": ["integer", "null"], "minimum": 0, "maximum": 150}
AGES = {
    "age_min": {**_AGE, "title": "Youngest age (years)", "x-title-zh": "最小年龄（岁）"},
    "age_max": {**_AGE, "title": "Oldest age (years)", "x-title-zh": "最大年龄（岁）"},
}


def check_ages(package: Mapping[str, Any], person_sex: str, birth_date: date, on_date: date) -> None:
    """The rule of AGES, both included, as a kind's `check_eligible`. Raises NotEligible."""
    age = age_on(birth_date, on_date)
    youngest, oldest = package.get("age_min"), package.get("age_max")
    if age < 0 or (youngest is not None and age < youngest) or (oldest is not None and age > oldest):
        raise NotEligible(reason="age", min_age=youngest, max_age=oldest, age=age)


CONTACT_NAME = {**text("Family contact", "家属联系人", 40), "x-fill": "name"}
CONTACT_PHONE = {
    **text("Their phone", "联系人电话", 20),
    "pattern": r"^\+?[0-9][0-9 -]{5,18}$",
    "format": "tel",
    "x-fill": "phone",
}
"""Whom to call; a form fills in the customer herself."""


def agreed(title: str, title_zh: str) -> dict[str, Any]:
    """Something that has to be agreed to."""
    return {"const": True, "title": title, "x-title-zh": title_zh}
