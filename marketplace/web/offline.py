"""What a browser shows of ours when it can't reach us: one page, the same for everybody.

A service worker keeps it, with its looks, and answers with it when a page can't be fetched. It keeps nothing
else: no page of a customer's is ever stored in a browser. The page is fetched without cookies, so that it can hold
nothing of anybody's.
"""

from __future__ import annotations

import hashlib

from flask import Response, make_response, render_template, url_for

from marketplace.web.answers import Views, asked, render
from marketplace.web.assets import asset
from marketplace.web.language import current, named

STYLES = ("css/tokens.css", "css/base.css", "css/components.css")
ICON = "img/favicon.svg"


def offline() -> Response:
    """The page itself."""
    return render("offline.html", styles=[asset(path) for path in STYLES])


def service_worker() -> Response:
    """The worker for the language that the page which registers it is in; anew when what it keeps is."""
    language = (named(asked("language", 10)) or current()).code
    page = url_for("web.offline", lang=language)
    styles = [asset(path) for path in STYLES]
    kept = [*styles, asset(ICON)]
    content = "\0".join([page, render_template("offline.html", styles=styles), *kept])
    version = hashlib.sha256(content.encode()).hexdigest()
    answer = make_response(render_template("sw.js", page=page, kept=kept, version=version[:12]))
    answer.headers["Content-Type"] = "text/javascript; charset=utf-8"
    answer.headers["Cache-Control"] = "no-cache"
    return answer


VIEWS: Views = {"offline": offline, "service_worker": service_worker}
