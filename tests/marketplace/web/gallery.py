"""Every page with invented content, to be looked at; served on a free loopback port.

`python -m tests.marketplace.web.gallery`

What is shown stands in `shown`.
"""

from __future__ import annotations

import os

from axe_playwright_python.base import AXE_SCRIPT
from flask import Blueprint, Flask, Response, render_template
from flask_wtf import CSRFProtect
from jinja2 import StrictUndefined
from werkzeug.serving import make_server

from marketplace.core import clock
from marketplace.web.assets import CONTENT_POLICY, init_look
from marketplace.web.urls import DESK_PAGES, OPERATOR_PAGES, PAGES
from providers.partner_api import documents
from tests.marketplace.web.samples import everyday
from tests.marketplace.web.shown.every import SHOWN

AXE = "/axe.js"
"""Where the script that examines a page lies."""


def _show(name: str) -> str:
    template, context = SHOWN[name]
    with clock.frozen(everyday.NOW):
        return render_template(template, **context())


def _secured(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CONTENT_POLICY
    return response


def _no_worker() -> Response:
    """A worker that does nothing, for any page."""
    return Response("", content_type="text/javascript", headers={"Service-Worker-Allowed": "/"})


def _no_manifest() -> Response:
    """A manifest that says nothing."""
    return Response("{}", content_type="application/manifest+json")


_STAND_INS = {"escort_worker": _no_worker, "escort_manifest": _no_manifest}


def _axe() -> Response:
    """The script, to be kept for as long as the browser lives."""
    kept = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(AXE_SCRIPT, content_type="text/javascript", headers=kept)


def create_gallery() -> Flask:
    """An application that holds the pages' addresses and shows each sample under `/gallery/<name>`. A template that
    names something its context lacks fails."""
    app = Flask(__name__, static_folder=None)
    app.config.update(SECRET_KEY="only for looking at pages", TESTING=True)
    app.jinja_env.undefined = StrictUndefined
    CSRFProtect(app)
    init_look(app)
    app.jinja_env.globals.update(unread_notices=lambda: 2, drawn_for=lambda: "prv_x", account=lambda: "cus_x")
    web = Blueprint("web", __name__)
    for page in PAGES:
        view = _no_worker if page.endpoint == "service_worker" else lambda **_parts: ("", 204)
        web.add_url_rule(page.rule, page.endpoint, view, methods=page.methods)
    app.register_blueprint(web)
    app.register_blueprint(documents.DOCUMENTS.blueprint)
    for name, pages in (("console", OPERATOR_PAGES), ("desk", DESK_PAGES)):
        behind = Blueprint(name, __name__)
        for page in pages:
            view = _STAND_INS.get(page.endpoint, lambda **_parts: ("", 204))
            behind.add_url_rule(page.rule, page.endpoint, view, methods=page.methods)
        app.register_blueprint(behind)
    app.add_url_rule("/gallery/<name>", "gallery", _show)
    app.add_url_rule(AXE, "axe", _axe)
    app.after_request(_secured)
    return app


if __name__ == "__main__":
    os.environ.setdefault("ANXIANG_ENV", "development")
    os.environ.setdefault("DATABASE_URL", "postgresql://nobody@127.0.0.1/none")  # settings want one; nothing connects
    server = make_server("127.0.0.1", 0, create_gallery(), threaded=True)
    print(f"http://127.0.0.1:{server.server_port}/gallery/home", flush=True)
    server.serve_forever()
