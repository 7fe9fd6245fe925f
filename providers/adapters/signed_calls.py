"""Calls in the usual form of Chinese partner interfaces: JSON signed with a shared secret, answers in an envelope.

Every answer is HTTP 200 with `code`, `msg`, `data` and the provider's own time; any other status comes from something
between us and the provider and says nothing (docs/day-capacity-protocol.md).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from marketplace.core import clock
from marketplace.core.logging import get_logger
from providers.adapters import fields, zoneless
from providers.adapters.http import Deadline, HttpClient
from providers.port import ComeBackLater, Connection, ProviderError

OUR_CLOCK_REFUSED = 1004

log = get_logger(__name__)


@dataclass(frozen=True)
class Told:
    """An envelope. `server_time` is the provider's wall clock, without a zone."""

    code: int
    data: Any
    server_time: datetime

    def object(self) -> dict[str, Any]:
        """`data` as a JSON object. Raises ProviderError."""
        return fields.object_at({"data": self.data}, "data")


class SignedCalls:
    """Signs and sends; follows the provider's clock when it differs too much from ours."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._app_key = connection.settings.get("app_key") or connection.provider
        self._skew = timedelta()
        headers = {"Accept": "application/json"}
        self._http = HttpClient(
            connection.provider,
            connection.base_url,
            headers,
            connection.deadline_seconds,
            networks=connection.networks,
        )

    def deadline(self) -> Deadline:
        """A new deadline for one call of the port."""
        return self._http.deadline()

    def wall_clock(self) -> datetime:
        """The provider's wall clock now, as far as we know it."""
        return zoneless.wall_clock(clock.now(), self._connection.time_zone) + self._skew

    def ask(self, method: str, biz: Mapping[str, Any], deadline: Deadline) -> Told:
        """Call a method. A provider that refuses our time stamp has looked at nothing else, so it is asked once more by
        its own clock. Raises NoAnswer, or ProviderError for an answer that is none."""
        told = self._ask(method, biz, deadline)
        if told.code == OUR_CLOCK_REFUSED:
            self._skew += told.server_time - self.wall_clock()
            log.warning(
                "provider.clock_differs", provider=self._connection.provider, seconds=int(self._skew.total_seconds())
            )
            told = self._ask(method, biz, deadline)
        return told

    def _ask(self, method: str, biz: Mapping[str, Any], deadline: Deadline) -> Told:
        request = {
            "app_key": self._app_key,
            "method": method,
            "timestamp": zoneless.written(self.wall_clock()),
            "nonce": secrets.token_hex(16),
            "biz": json.dumps(biz, ensure_ascii=False, separators=(",", ":")),
        }
        request["sign"] = sign(request, self._connection.secret)
        reads = method.rpartition(".")[2] in ("query", "list", "fetch")
        reply = self._http.call("POST", f"/{method}", deadline=deadline, payload=request, read=reads)
        wait = reply.come_back(clock.now())
        if wait is not None and (reads or reply.status == 429):  # a 503 says nothing about a command
            raise ComeBackLater(f"status {reply.status}", wait)
        if reply.status != 200:
            raise ProviderError(f"status {reply.status}")
        body = reply.json()
        return Told(_code(body), body.get("data"), zoneless.read(body, "serverTime"))


def sign(request: Mapping[str, str], secret: str) -> str:
    """The signature of a request: HMAC-SHA256, in hexadecimal capitals, of its fields but `sign` that are not blank,
    by name, as name=value joined by &."""
    text = "&".join(f"{name}={request[name]}" for name in sorted(request) if name != "sign" and request[name])
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest().upper()


def _code(body: Mapping[str, Any]) -> int:
    """The envelope's code; some of these systems write it as text. Raises ProviderError."""
    code = body.get("code")
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) < 10:
        return int(code)
    if not isinstance(code, int) or isinstance(code, bool):
        raise ProviderError("code is missing or no number")
    return code
