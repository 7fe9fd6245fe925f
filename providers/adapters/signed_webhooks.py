"""Verifying webhooks by the Standard Webhooks specification, symmetric signatures (v1, HMAC-SHA256)."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from standardwebhooks.webhooks import Webhook

from providers.port import BadSignature

TOLERANCE = timedelta(minutes=5)
LONGEST_ID = 255


def verify(secrets: Iterable[str], headers: Mapping[str, str], body: bytes, now: datetime) -> tuple[str, datetime]:
    """Identifier and time of a message that one of `secrets` signed within five minutes of `now`. Raises
    BadSignature, with the same text for every cause but age."""
    given = {name.lower(): value for name, value in headers.items()}
    identifier, stamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not 0 < len(identifier) <= LONGEST_ID or not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
        raise BadSignature("not signed")
    sent_at = datetime.fromtimestamp(int(stamp), UTC)
    if abs(now - sent_at) > TOLERANCE:
        raise BadSignature("too old or from the future")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise BadSignature("not signed") from error
    signatures = [part.encode() for part in given.get("webhook-signature", "").split() if part.startswith("v1,")]
    for secret in secrets:
        expected = Webhook(secret).sign(identifier, sent_at, text).encode()
        if any([hmac.compare_digest(expected, signature) for signature in signatures]):
            return identifier, sent_at
    raise BadSignature("not signed")
