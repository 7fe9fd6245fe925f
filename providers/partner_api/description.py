"""What the partner API says of itself."""

from __future__ import annotations

from typing import Any

from marketplace.clients.owners import SCOPES
from marketplace.core.config import ROOT
from marketplace.core.errors import TooMany, Unauthenticated
from marketplace.rest.openapi import Description
from marketplace.rest.programs import NoScope

PREFIX = "/partner/v1"

_OPTIONS: dict[str, Any] = {
    "info": {
        "description": (
            "How a provider publishes places, answers bookings and delivers reports. Begin with "
            "/partner/docs/first-booking.md. Every refusal but those of the token is a problem document (RFC 9457)."
        ),
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    },
    "servers": [{"url": "/"}],
    "security": [{"client_credentials": []}],
    "components": {
        "securitySchemes": {
            "client_credentials": {
                "type": "oauth2",
                "description": "RFC 6749, section 4.4. Tokens are revoked at /partner/v1/oauth/revoke (RFC 7009).",
                "flows": {
                    "clientCredentials": {"tokenUrl": f"{PREFIX}/oauth/token", "scopes": dict(SCOPES)},
                },
            }
        }
    },
}

PARTNER_API = Description(
    name="partner",
    title="Anxiang Partner API",
    version="1.0.0",
    prefix=PREFIX,
    file=ROOT / "docs" / "partner-openapi.json",
    options=_OPTIONS,
    refuses=(Unauthenticated, NoScope, TooMany),
)
