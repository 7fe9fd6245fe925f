"""The partner API on the application: every resource, its OpenAPI document, tokens and webhooks."""

from __future__ import annotations

from types import ModuleType

from flask import Flask

from marketplace.rest import openapi
from providers.partner_api import booking_answers, bookings, events, oauth, slots, webhooks
from providers.partner_api.description import PARTNER_API

RESOURCES: tuple[ModuleType, ...] = (slots, bookings, booking_answers, events)


def install_partner_api(app: Flask) -> None:
    """Add `/partner/v1` to the application."""
    app.register_blueprint(webhooks.blueprint)
    app.register_blueprint(oauth.blueprint)
    openapi.install(app, PARTNER_API, [resource.blueprint for resource in RESOURCES])
