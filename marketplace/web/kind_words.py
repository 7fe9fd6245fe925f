"""How the kind of a booking speaks, in the reader's language. A code that is blank or unknown speaks in general."""

from __future__ import annotations

from flask import Flask

from marketplace.catalog.kinds import kinds, words_of
from marketplace.core.text import opening
from marketplace.web import language
from marketplace.web.formats import listed
from marketplace.web.language import by_language


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


def init_kind_words(app: Flask) -> None:
    """Make the words known to the templates."""
    app.jinja_env.globals.update(nouns=nouns, all_services=all_services)
