"""The Idempotency-Key header (IETF draft-ietf-httpapi-idempotency-key-header) and a request's fingerprint."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from marketplace.core import strictjson
from marketplace.core.asked import asked
from marketplace.core.errors import Refusal

_KEY = re.compile(r"[\x21-\x7e]{1,255}")

PARAMETER = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": True,
    "description": (
        "A value of your own, new for each new request (a UUID, say). Sent again with the same content within "
        "24 hours it gives the same answer and does nothing more; with other content it is refused."
    ),
    "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$", "examples": ["0b6cf0a4-6f2e-4a3f-9d41-7a3c"]},
}


class IdempotencyKeyMissing(Refusal):
    """No usable key was sent with a request that needs one (section 2.7 of the draft: 400)."""

    code = "idempotency_key_missing"
    status = 400
    field = "Idempotency-Key"


def key() -> str:
    """The request's key. Raises IdempotencyKeyMissing."""
    given = asked().headers.get("Idempotency-Key", "")
    if not _KEY.fullmatch(given):
        raise IdempotencyKeyMissing()
    return given


def fingerprint(body: Any) -> bytes:
    """What makes two requests the same: method, path and the body's canonical form. 32 bytes."""
    sent = asked()
    text = f"{sent.method}\n{sent.path}\n".encode()
    return hashlib.sha256(text + strictjson.canonical(body)).digest()
