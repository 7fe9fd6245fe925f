"""What makes the escort worker's pages an app on her phone: a manifest, and a service worker for them alone.

The worker keeps the pages that she has opened, for hours and for her account alone: without a connection she goes on
where she was. Pages of the rest of the product are kept nowhere (marketplace/web/offline.py).
"""

from __future__ import annotations

import hashlib
import json

from flask import Response, make_response, render_template, url_for
from flask_babel import gettext as _

from marketplace.web.answers import Views, asked
from marketplace.web.assets import asset
from marketplace.web.cookies import MEMBERS
from marketplace.web.language import current, named

ACCOUNT = "X-Kept-For"
"""The header of a page that may be kept: for whom (the member's public id)."""
SCOPE = f"{MEMBERS}/escort"
HOURS_KEPT = 16
"""For so long a page that was kept is shown: a working day."""
FILES = (
    *("css/tokens.css", "css/base.css", "css/components.css", "css/booking.css", "css/escorting.css"),
    *("img/favicon.svg", "vendor/icons.svg", "vendor/htmx.min.js", "js/first.js", "js/page.js", "js/live.js"),
    *("js/stream.js", "js/kept.js", "js/countdown.js", "js/escort/guard.js", "js/escort/page.js"),
)
"""What the pages are drawn with."""
IMPORTED = ("js/escort/outbox.js", "js/escort/send.js", "js/escort/where.js", "js/escort/drawn.js")
"""Scripts that other scripts import, by their plain address."""


def escort_worker() -> Response:
    """The service worker in the language of the page that registers it; anew when what it keeps is."""
    language = (named(asked("language", 10)) or current()).code
    page = url_for("web.offline", lang=language)
    kept = [
        *(asset(path) for path in FILES),
        *(url_for("assets.static", filename=path) for path in IMPORTED),
        page,
    ]
    content = "\0".join([*kept, *(asset(path) for path in IMPORTED)])
    version = hashlib.sha256(content.encode()).hexdigest()[:12]
    script = render_template(
        "desk/escorting/sw.js",
        page=page,
        kept=kept,
        version=version,
        scope=SCOPE,
        account=ACCOUNT,
        milliseconds=HOURS_KEPT * 3_600_000,
    )
    answer = make_response(script)
    answer.headers["Content-Type"] = "text/javascript; charset=utf-8"
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["Service-Worker-Allowed"] = SCOPE
    return answer


def escort_manifest() -> Response:
    """How the pages are installed on a phone."""
    facts = {
        "id": SCOPE,
        "name": _("Anxiang escorts"),
        "short_name": _("Escorts"),
        "lang": current().html,
        "start_url": SCOPE,
        "scope": SCOPE,
        "display": "standalone",
        "background_color": "#f6f3ec",
        "theme_color": "#15223b",
        "icons": [
            {"src": asset("img/favicon.svg"), "type": "image/svg+xml", "sizes": "any", "purpose": "any"},
            {"src": asset("img/escort-192.png"), "type": "image/png", "sizes": "192x192", "purpose": "any"},
            {"src": asset("img/escort-512.png"), "type": "image/png", "sizes": "512x512", "purpose": "any maskable"},
        ],
    }
    answer = make_response(json.dumps(facts, ensure_ascii=False))
    answer.headers["Content-Type"] = "application/manifest+json; charset=utf-8"
    answer.headers["Cache-Control"] = "no-cache"
    return answer


VIEWS: Views = {"escort_worker": escort_worker, "escort_manifest": escort_manifest}
