"""Which language a reader sees, and the catalogues behind it.

The choice is `?lang=`, else the cookie `lang`, else the browser's Accept-Language, else Chinese. A choice made by
`?lang=` is kept in the cookie for a year.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, Response, g, has_request_context, request
from flask_babel import Babel

from marketplace.core.asked import asked
from marketplace.core.text import Text
from marketplace.web.cookies import LANGUAGE

CATALOGUES = Path(__file__).with_name("translations")


@dataclass(frozen=True)
class Language:
    """`code` is what URLs and cookies carry, `locale` Babel's name, `html` the BCP 47 tag, `name` its own name."""

    code: str
    locale: str
    html: str
    name: str


CHINESE = Language("zh", "zh_Hans_CN", "zh-CN", "中文")
ENGLISH = Language("en", "en", "en", "English")
LANGUAGES = {language.code: language for language in (CHINESE, ENGLISH)}


def named(text: str | None) -> Language | None:
    """The language that `text` names (`zh`, `zh-CN`, `zh_Hans_CN`, `en-GB` …), or None."""
    primary = re.split("[-_]", (text or "").strip().lower(), maxsplit=1)[0]
    return LANGUAGES.get(primary)


def current() -> Language:
    """The reader's language; Chinese outside a request."""
    if not has_request_context():
        return CHINESE
    if "language" not in g:
        g.language = _chosen()
    chosen: Language = g.language
    return chosen


def by_language(text: Text) -> str:
    """The text in the reader's language, in the other one where that is blank."""
    return text.in_language(current().code)


def _chosen() -> Language:
    for wanted in (request.args.get("lang"), LANGUAGE.read()):
        if language := named(wanted):
            return language
    for tag, _quality in request.accept_languages:
        if language := named(tag):
            return language
    return CHINESE


def switch_url(code: str) -> str:
    """This page in the language `code`: the same path and query with `lang` replaced. A posted form's page has no
    address of its own, so from there the switch leads to the path alone."""
    query = [(key, value) for key, value in request.args.items(multi=True) if key != "lang"]
    if request.method != "GET":
        query = []
    return f"{request.path}?{urlencode([*query, ('lang', code)])}"


def _remember(response: Response) -> Response:
    sent = asked()
    if sent.path.startswith(("/api/", "/partner/")) or (sent.endpoint or "").endswith("static"):
        return response
    chosen = named(request.args.get("lang"))
    if chosen is not None and LANGUAGE.read() != chosen.code:
        LANGUAGE.write(response, chosen.code)
    response.headers["Content-Language"] = current().html
    response.vary.update(("Accept-Language", "Cookie"))
    return response


def compile_catalogues() -> None:
    """Write each `messages.mo` that is missing or older than its `messages.po`. Two starts at once do no harm."""
    for source in sorted(CATALOGUES.glob("*/LC_MESSAGES/messages.po")):
        compiled = source.with_suffix(".mo")
        if compiled.exists() and compiled.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as lines:
            catalogue = read_po(lines, locale=source.parents[1].name)
        draft = compiled.with_name(f"messages.{os.getpid()}.tmp")
        with draft.open("wb") as out:
            write_mo(out, catalogue)
        draft.replace(compiled)


def init_language(app: Flask) -> Babel:
    """Wire Flask-Babel to `app`: catalogues, the reader's locale, the cookie. Times are shown in zones of their own
    (see formats.py), so Babel's zone stays UTC."""
    compile_catalogues()
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(CATALOGUES)
    babel = Babel(app, default_locale=CHINESE.locale, locale_selector=lambda: current().locale)
    app.after_request(_remember)
    app.jinja_env.globals.update(language=current, languages=tuple(LANGUAGES.values()), switch_url=switch_url)
    return babel
