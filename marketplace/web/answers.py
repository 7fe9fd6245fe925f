"""What a view answers with, and what it may read: pages, live fragments, the fields of a form or query."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from marketplace import wording
from marketplace.core import strictjson
from marketplace.core.errors import Refusal
from marketplace.web import formats, language

Views = dict[str, Callable[..., Response]]

_LONGEST_FIELD = 1_000


def render(template: str, status: int = 200, **context: Any) -> Response:
    """A page."""
    return make_response(render_template(template, **context), status)


def see_other(address: str) -> Response:
    """After a form: go to `address` by GET, so that loading again sends nothing twice."""
    answer = redirect(address, code=303)
    return make_response(answer)


def field(name: str, longest: int = _LONGEST_FIELD) -> str:
    """A field of the form, trimmed; blank when it is missing, longer than `longest`, or can't be stored."""
    return _usable(request.form.get(name, ""), longest)


def asked(name: str, longest: int = _LONGEST_FIELD) -> str:
    """A parameter of the query, trimmed; blank as in `field`."""
    return _usable(request.args.get(name, ""), longest)


def asked_all(name: str, longest: int = _LONGEST_FIELD, most: int = 30) -> tuple[str, ...]:
    """The values of a parameter that may be given several times, each once; those that `asked` would take for blank,
    and more than `most`, are left out."""
    given = (_usable(text, longest) for text in request.args.getlist(name))
    return tuple(dict.fromkeys(text for text in given if text))[:most]


def _usable(text: str, longest: int) -> str:
    return text.strip() if len(text) <= longest and strictjson.storable(text) else ""


def tag(*parts: object) -> str:
    """An ETag, quotes included, of what a live part shows; another language is another content."""
    text = "\0".join(str(part) for part in (language.current().code, *parts))
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:20]}"'


def unchanged(etag: str) -> bool:
    """Whether the browser shows `etag` already."""
    return request.if_none_match.contains_weak(etag.strip('"'))


def live(body: str, etag: str) -> Response:
    """A live part with its ETag, or 304 when the browser shows it already."""
    answer = make_response("", 304) if unchanged(etag) else make_response(body)
    answer.headers["ETag"] = etag
    return answer


def said(refusal: Refusal, *more: str) -> str:
    """The refusal's sentence, and `more` after it, for a message; with a link to the booking that it names."""
    text = formats.sentences(wording.sentence(refusal), *more)
    if "booking" not in refusal.facts:
        return text
    address = url_for("web.booking", booking=str(refusal.facts["booking"]))
    return Markup('{} <a href="{}">{}</a>').format(text, address, _("Look at that booking"))


def retry_after(response: Response, refusal: Refusal) -> Response:
    """The answer, with when to come back if the refusal says so."""
    if "retry_after" in refusal.facts:
        response.headers["Retry-After"] = str(refusal.facts["retry_after"])
    return response
