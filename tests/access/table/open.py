"""What anybody may ask: health, sign-in, the description of the interfaces; and what is asked with a proof."""

from __future__ import annotations

from tests.access.row import anybody, proof

OPEN = (
    anybody("GET /healthz", 200),
    anybody("GET /readyz", 503),  # no worker runs here
    anybody("GET /api/v1/openapi.json", 200),
    anybody("GET /partner/v1/openapi.json", 200),
    anybody("GET /insurer/v1/openapi.json", 200),
    anybody("GET /partner/docs", 200),
    anybody("GET /insurer/docs", 200),
    anybody("GET /insurer/docs/<name>", 200, names={"name": "=policies.md"}),
    anybody("GET /partner/docs/<name>", 200, names={"name": "=first-booking.md"}),
    anybody("GET /api/v1/problems/<id:code>", 200, names={"code": "=not_found"}),
    anybody("POST /api/v1/sessions/codes", 202, json={"phone": "{phone}"}),
    anybody("POST /api/v1/sessions", 422, json={"phone": "{phone}", "code": "000000"}),
    anybody("POST /preferences", 303, form={"theme": "dark", "next": "/offline"}, idle=True),
    anybody("GET /offline", 200),
    anybody("GET /sw.js", 200),
    anybody("GET /erased", 303),
    anybody("GET /consent", 200),
    anybody("POST /consent", 200, form={"phone": "13900000099"}),
)
PROOF = (
    # a secret, a signature, or the link itself
    proof("GET /metrics", 404),
    proof("GET /development/outbox", 200),
    proof("POST /partner/v1/oauth/token", 401, form={"grant_type": "client_credentials"}),
    proof("POST /partner/v1/oauth/revoke", 401, form={"token": "x"}),
    proof("POST /insurer/v1/oauth/token", 401, form={"grant_type": "client_credentials"}),
    proof("POST /insurer/v1/oauth/revoke", 401, form={"token": "x"}),
    proof("POST /partner/v1/webhooks/<id:code>", 401, names={"code": "provider"}, body=b"{}"),
    proof("GET /arrive/<token>", 200, names={"token": "arriving"}),
    proof("POST /arrive/<token>", 303, names={"token": "arriving"}, form={}),
    proof("GET /shared/<token>", 200, names={"token": "share_token"}),
    proof("POST /shared/<token>", 303, names={"token": "share_token"}, form={}),
    proof("GET /shared/escort/<token>", 200, names={"token": "escort_token"}),
    proof("POST /shared/escort/<token>", 303, names={"token": "escort_token"}, form={}, idle=True),
    proof("GET /shared/escort/<token>/live", 401, names={"token": "escort_token"}),
    proof("GET /shared/<token>/papers/<position>", 404, names={"token": "share_token", "position": "=0"}),
    proof("GET /calendar/<token>.ics", 200, names={"token": "feed"}),
)
