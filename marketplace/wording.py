"""Refusals become sentences for people: one title and one sentence for each, in the language of the request.

Code below the entrypoints raises refusals with facts; here, and nowhere else, they become sentences. Every refusal's
code stands in WORDS of `refusal_words.every` (a test walks all subclasses), every reason of `Invalid` in REASONS of
`reason_words`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import force_locale, format_date, get_locale
from flask_babel.speaklater import LazyString

from marketplace.core.clock import HOME_ZONE
from marketplace.core.errors import Invalid, Refusal
from marketplace.core.text import Language, Text
from marketplace.reason_words import REASONS
from marketplace.refusal_words.every import WORDS
from marketplace.refusal_words.words import Words

PLACE = re.compile(r"%\((\w+)\)s")


def reader_language() -> Language:
    """The language of this request's reader."""
    locale = get_locale()
    return "en" if locale is not None and locale.language == "en" else "zh"


def title(code: str) -> str:
    """What kind of refusal `code` is, in a few words."""
    return str(WORDS[code].title)


def in_english(code: str) -> Words:
    """Title and sentence in English, whoever asks, for documents; the places of facts read `{name}`."""
    with force_locale("en"):
        sentence = PLACE.sub(r"{\1}", str(WORDS[code].sentence))
        return Words(str(WORDS[code].title), sentence)


def sentence(refusal: Refusal) -> str:
    """What to tell the person, with the refusal's facts, in the language of the request."""
    if isinstance(refusal, Invalid):
        given = str(refusal.facts.get("reason", "")).partition("schema_")
        words = REASONS.get("schema" if given[1] else given[0])
        if words is not None:
            return _with_facts(words, refusal.facts)
    return sentence_of(refusal.code, refusal.facts)


_IN_MINUTES = 120
"""Seconds from which on a wait is told in minutes."""


def sentence_of(code: str, facts: Mapping[str, Any]) -> str:
    """The sentence of `code` with `facts`."""
    words = WORDS.get(f"{code}.{_variant(facts)}") or WORDS.get(f"{code}.{facts.get('reason')}") or WORDS[code]
    return _with_facts(words.sentence, {**facts, "minutes": math.ceil(int(facts.get("retry_after", 0)) / 60)})


def _variant(facts: Mapping[str, Any]) -> str:
    if int(facts.get("retry_after", 0)) >= _IN_MINUTES:
        return "minutes"
    if "earliest" in facts and facts["earliest"] is None:
        return "none_ahead"
    if facts.get("reason") == "answered":
        return "answered"
    if facts.get("reason") == "sex":
        return str(facts.get("sex"))
    if facts.get("reason") != "age":
        return ""
    if facts.get("max_age") is None:
        return "age_from"
    return "age_to" if facts.get("min_age") is None else "age"


def reason(key: str) -> str:
    """The sentence about one field, for a key of REASONS; `one_of:a, b` names the values that are possible."""
    name, _colon, choices = key.partition(":")
    return _with_facts(REASONS[name], {"choices": choices})


class _Shown(dict[str, str]):
    """Facts as people read them; one that is missing leaves an empty place rather than an error."""

    def __missing__(self, name: str) -> str:
        return ""


def _with_facts(words: LazyString | str, facts: Mapping[str, Any]) -> str:
    template = str(words)
    if "%(" not in template:
        return template
    zone = ZoneInfo(str(facts.get("time_zone", HOME_ZONE)))
    return template % _Shown({name: _show(value, zone) for name, value in facts.items()})


def _show(value: Any, zone: ZoneInfo) -> str:
    chinese = (locale := get_locale()) is None or locale.language == "zh"
    if isinstance(value, datetime):
        local = value.astimezone(zone)
        return f"{_show(local.date(), zone)}{' ' if chinese else ', '}{local:%H:%M}"
    if isinstance(value, Text):
        return value.in_language("zh" if chinese else "en")
    if isinstance(value, date):
        return format_date(value, "M 月 d 日" if chinese else "d MMMM")
    return str(value)
