"""The API on the application: every resource, and the OpenAPI document."""

from __future__ import annotations

from flask import Flask
from flask_smorest import Api
from werkzeug.routing import BaseConverter

from marketplace.api import openapi
from marketplace.api.v1 import bookings, entitlements, me, offers, problem_types, reports, sessions, sites

RESOURCES = (sessions, me, entitlements, sites, offers, bookings, reports, problem_types)


class PublicIdConverter(BaseConverter):
    """A public id in a path. What can't be one has no route, so it never reaches a query."""

    regex = "[0-9A-Za-z_-]{1,64}"


class PlainApi(Api):
    """Refusals are told by marketplace.edge alone, so flask-smorest neither handles nor documents errors."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        return


def install(app: Flask) -> None:
    """Add `/api/v1` to the application."""
    app.url_map.converters["id"] = PublicIdConverter
    app.config.update(
        API_TITLE="Anxiang API",
        API_VERSION=openapi.VERSION,
        OPENAPI_VERSION="3.1.0",
        API_SPEC_OPTIONS=openapi.OPTIONS,
    )
    api = PlainApi(app)
    api.register_converter(
        PublicIdConverter, lambda _converter: {"type": "string", "pattern": f"^{PublicIdConverter.regex}$"}
    )
    for resource in RESOURCES:
        api.register_blueprint(resource.blueprint)
    openapi.serve(app, api)
