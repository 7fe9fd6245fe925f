"""What the customer's API says of itself."""

from __future__ import annotations

from typing import Any

from marketplace.core.config import ROOT
from marketplace.rest.openapi import Description

_OPTIONS: dict[str, Any] = {
    "info": {
        "description": (
            "What a customer has, what she can book, and what became of it. Policy, and the whole path with curl: "
            "docs/api.md. Every refusal is a problem document (RFC 9457)."
        ),
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    },
    "servers": [{"url": "/"}],
    "security": [{"bearer": []}],
    "components": {
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer", "description": "The token of POST /api/v1/sessions."}
        }
    },
}

CUSTOMER_API = Description(
    name="api",
    title="Anxiang API",
    version="1.0.0",
    prefix="/api/v1",
    file=ROOT / "docs" / "openapi.json",
    options=_OPTIONS,
)
