"""What every page needs from the application: static files, the language, formats, and a few words in templates."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, request, url_for

from marketplace.core.asked import asked
from marketplace.core.config import settings
from marketplace.core.contact import contact
from marketplace.web import compression, cookies
from marketplace.web.formats import init_formats
from marketplace.web.kind_words import init_kind_words
from marketplace.web.language import init_language
from marketplace.web.place_words import init_place_words
from marketplace.web.urls import desk_pages_of, pages_of

STATIC = Path(__file__).with_name("static")
THEMES = ("system", "light", "dark")

# htmx runs no code from attributes and adds no style element, so that the strict content policy holds; an answer
# "not modified" leaves the page as it is.
HTMX = json.dumps(
    {
        "includeIndicatorStyles": False,
        "allowEval": False,
        "allowScriptTags": False,
        "selfRequestsOnly": True,
        "historyCacheSize": 0,
        "timeout": 8000,
        "responseHandling": [
            {"code": "204", "swap": False},
            {"code": "304", "swap": False},
            {"code": "[23]..", "swap": True},
            {"code": "422", "swap": True},
            {"code": "[45]..", "swap": False, "error": True},
        ],
    }
)

CONTENT_POLICY = (
    "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)


def content_policy() -> str:
    """CONTENT_POLICY; where streams come from another port than pages, that is allowed too."""
    elsewhere = settings().stream_url
    return f"{CONTENT_POLICY}; connect-src 'self' {elsewhere}" if elsewhere else CONTENT_POLICY


_FOR_EVER = "public, max-age=31536000, immutable"
_FOR_NOW = "public, max-age=60"


@lru_cache(maxsize=256)
def _fingerprint(path: str, changed: int) -> str:
    return hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:12]


def fingerprint(path: str) -> str:
    """A part of the hash of what the static file holds now."""
    return _fingerprint(path, (STATIC / path).stat().st_mtime_ns)


def asset(path: str) -> str:
    """The address of a static file, with a part of its content's hash, so that browsers may keep it for ever."""
    return url_for("assets.static", filename=path, v=fingerprint(path))


def theme() -> str:
    """The reader's choice of light or dark: `system`, `light` or `dark`."""
    chosen = cookies.THEME.read()
    return chosen if chosen in THEMES else "system"


def _keep_files(response: Response) -> Response:
    """A static file under the address that names its content stays for ever; under any other it may change soon."""
    sent = asked()
    if sent.endpoint != compression.STATIC or response.status_code not in (200, 304):
        return response
    if sent.method not in ("GET", "HEAD"):  # OPTIONS: nobody has looked yet whether there is such a file, and where
        return response
    path = request.view_args["filename"] if request.view_args else ""
    for_ever = request.args.get("v") == fingerprint(path)
    response.headers["Cache-Control"] = _FOR_EVER if for_ever else _FOR_NOW
    response.vary.clear()
    return response


def init_look(app: Flask) -> None:
    """Wire templates, static files at `/static`, language and formats into `app`.

    The caller owns security headers (content_policy() is the policy these pages were made for) and `csrf_token()`.
    """
    app.register_blueprint(
        Blueprint("assets", __name__, static_folder=str(STATIC), static_url_path="/static", template_folder="templates")
    )
    init_language(app)
    init_formats(app)
    init_kind_words(app)
    init_place_words(app)
    app.jinja_env.globals.update(pages_of=pages_of, desk_pages_of=desk_pages_of)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.globals["contact"] = contact()
    words: dict[str, Any] = {"asset": asset, "theme": theme, "themes": THEMES, "htmx_config": HTMX}
    words["theme_cookie"] = cookies.THEME
    app.jinja_env.globals.update(words)
    compression.install(app)  # before _keep_files: what is added first is done last
    app.after_request(_keep_files)
