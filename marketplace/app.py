"""The web application: everything is wired here, top to bottom."""

from __future__ import annotations

from flask import Flask

from marketplace import edge, health, metrics
from marketplace.api import setup
from marketplace.api.insurer.setup import install_insurer_api
from marketplace.core import logging
from marketplace.core.config import settings
from marketplace.core.database.db import db
from marketplace.rest.json import Json
from marketplace.web import cookies, demonstration, pages
from marketplace.web.assets import content_policy
from marketplace.web.error_page import error_page
from providers.partner_api.setup import install_partner_api


def create_app() -> Flask:
    """The WSGI application of one process. Raises ConfigError when a setting is missing."""
    config = settings()
    logging.configure(json=not config.development)
    app = edge.Application(__name__, static_folder=None)
    app.session_interface = edge.PageSessions()
    app.json = Json(app)
    app.config.update(
        SECRET_KEY=config.secret_key,
        SECRET_KEY_FALLBACKS=list(config.secret_key_fallbacks),
        # the tokens of forms, signed with the last and checked with each: Flask-WTF knows no fallbacks
        WTF_CSRF_SECRET_KEY=[*reversed(config.secret_key_fallbacks), config.secret_key],
        PROPAGATE_EXCEPTIONS=False,
        **cookies.of_pages(),
    )
    db.init_app(app)
    pages.install(app)
    demonstration.install(app, development=config.development)
    edge.install(app, page=error_page, page_policy=content_policy())
    app.register_blueprint(health.blueprint)
    metrics.install(app)
    install_partner_api(app)
    setup.install(app)
    install_insurer_api(app)
    return app
