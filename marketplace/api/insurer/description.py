"""What the insurer's API says of itself."""

from __future__ import annotations

from typing import Any

from marketplace.api.insurer.door import PREFIX
from marketplace.clients.owners import INSURERS
from marketplace.core.config import ROOT
from marketplace.core.errors import TooMany, Unauthenticated
from marketplace.rest.openapi import Description
from marketplace.rest.programs import NoScope

_OPTIONS: dict[str, Any] = {
    "info": {
        "description": (
            "How an insurer tells its policies, singly, in bulk and in full snapshots, and brings customers whom its "
            "app has signed in. Begin with /insurer/docs/policies.md. Every refusal but those of the token is a "
            "problem document (RFC 9457)."
        ),
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    },
    "servers": [{"url": "/"}],
    "security": [{"client_credentials": []}],
    "components": {
        "securitySchemes": {
            "client_credentials": {
                "type": "oauth2",
                "description": (
                    f"RFC 6749, section 4.4. Tokens are revoked at {PREFIX}/oauth/revoke (RFC 7009). The token "
                    "endpoint exchanges what the insurer's app signs for a session of its customer, too (RFC 8693)."
                ),
                "flows": {
                    "clientCredentials": {"tokenUrl": f"{PREFIX}/oauth/token", "scopes": dict(INSURERS.scopes)},
                },
            }
        }
    },
}

INSURER_API = Description(
    name="insurer",
    title="Anxiang Insurer API",
    version="1.0.0",
    prefix=PREFIX,
    file=ROOT / "docs" / "insurer-openapi.json",
    options=_OPTIONS,
    refuses=(Unauthenticated, NoScope, TooMany),
)
