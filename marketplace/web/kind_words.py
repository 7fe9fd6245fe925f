"""How the kind of a booking speaks, in the reader's language. A code that is blank or unknown speaks in general."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask
from flask_babel import gettext as _

from marketplace.catalog.kinds import kinds, words_of
from marketplace.core.text import opening
from marketplace.web import language
from marketplace.web.formats import listed
from marketplace.web.language import by_language
from marketplace.web.parts import Fact


def kind_name(code: str) -> str:
    """The benefit's name; its code where the kind is not installed any more."""
    known = kinds().get(code)
    return by_language(known.name) if known else code


def nouns(code: str) -> dict[str, str]:
    """What fills the places of a sentence: `service`, `place` and `person`, and `Service` … where they open it."""
    return words_of(code).nouns(language.current().code)


def all_services() -> str:
    """Every service there is, as the front door names them."""
    return opening(listed(by_language(it.words.services) or by_language(it.name) for it in kinds().values()))


def answered(answers: Mapping[str, Any], kind_code: str) -> tuple[Fact, ...]:
    """The answers to the offer's questions, under the titles that the kind gives them; what is blank, no, or had to be
    agreed to anyway is left out."""
    known = kinds().get(kind_code)
    titles = known.details_schema.get("properties", {}) if known else {}
    chinese = language.current().code == "zh"
    facts = []
    for name, value in answers.items():
        title = titles.get(name, {})
        text = _("Yes") if value is True else "" if value is False or value is None else str(value)
        if text and title.get("const") is not True:
            text = title.get("x-names-zh" if chinese else "x-names", {}).get(text, text)
            named = title.get("x-title-zh" if chinese else "title")
            facts.append(Fact(str(named or name), text))
    return tuple(facts)


def init_kind_words(app: Flask) -> None:
    """Make the words known to the templates."""
    app.jinja_env.globals.update(nouns=nouns, all_services=all_services)
