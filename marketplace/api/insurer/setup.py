"""The insurer's API on the application: every resource, its OpenAPI document, and tokens."""

from __future__ import annotations

from flask import Flask

from marketplace.api.insurer import links, policies, snapshots
from marketplace.api.insurer.description import INSURER_API
from marketplace.api.insurer.documents import DOCUMENTS
from marketplace.api.insurer.door import PREFIX
from marketplace.api.insurer.exchange import TokenExchange
from marketplace.clients.owners import INSURERS
from marketplace.rest import openapi
from marketplace.rest.oauth import Endpoints

RESOURCES = (policies, snapshots, links)


def install_insurer_api(app: Flask) -> None:
    """Add `/insurer/v1` to the application."""
    app.register_blueprint(Endpoints("insurer", f"{PREFIX}/oauth", INSURERS, [TokenExchange]).blueprint)
    app.register_blueprint(DOCUMENTS.blueprint)
    openapi.install(app, INSURER_API, [resource.blueprint for resource in RESOURCES])
