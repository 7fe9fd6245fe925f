"""The partner API on the application: every resource, its OpenAPI document, tokens and webhooks."""

from __future__ import annotations

from types import ModuleType

from flask import Flask

from marketplace.clients.owners import PROVIDERS
from marketplace.rest import openapi
from marketplace.rest.oauth import Endpoints
from providers.partner_api import (
    booking_answers,
    bookings,
    contacts,
    events,
    offers,
    pools,
    rehearsals,
    reports,
    slots,
    webhook_endpoints,
    webhooks,
)
from providers.partner_api.description import PARTNER_API, PREFIX
from providers.partner_api.documents import DOCUMENTS

RESOURCES: tuple[ModuleType, ...] = (
    *(pools, offers, slots, bookings, booking_answers, events, reports, webhook_endpoints, contacts),
    rehearsals,
)


def install_partner_api(app: Flask) -> None:
    """Add `/partner/v1` to the application."""
    app.register_blueprint(webhooks.blueprint)
    app.register_blueprint(Endpoints("partner", f"{PREFIX}/oauth", PROVIDERS).blueprint)
    app.register_blueprint(DOCUMENTS.blueprint)
    openapi.install(app, PARTNER_API, [resource.blueprint for resource in RESOURCES])
