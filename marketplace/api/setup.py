"""The API on the application: every resource, and the OpenAPI document."""

from __future__ import annotations

from flask import Flask
from flask_smorest import Api

from marketplace.api import openapi
from marketplace.api.v1 import (
    booking_changes,
    bookings,
    consents,
    entitlements,
    me,
    notifications,
    offers,
    personal,
    problem_types,
    reports,
    sessions,
    shares,
    sites,
    waiting,
)
from marketplace.edge import PublicIdConverter

RESOURCES = (
    *(sessions, me, personal, consents, entitlements, sites, offers, bookings, booking_changes, waiting),
    *(reports, shares, notifications, problem_types),
)


class PlainApi(Api):
    """Refusals are told by marketplace.edge alone, so flask-smorest neither handles nor documents errors."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        return


def install(app: Flask) -> None:
    """Add `/api/v1` to the application."""
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
    for blueprint in dict.fromkeys(resource.blueprint for resource in RESOURCES):
        api.register_blueprint(blueprint)
    openapi.serve(app, api)
