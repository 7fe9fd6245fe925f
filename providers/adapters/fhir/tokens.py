"""How we sign in at a FHIR server: OAuth 2.0 client credentials, with a secret or with a signed assertion.

The assertion is that of SMART Backend Services (RFC 7523, `private_key_jwt`): the private key is the provider's sealed
secret. A token is kept for all adapters of this process until shortly before it ends, or until the server refuses it.
A token endpoint that the server tells itself is on its own origin or reached as an address from outside is
(marketplace.core.sending.outside): our credentials go to no machine of the inner network.
"""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from authlib.oauth2.rfc7523 import private_key_jwt_sign
from joserfc.errors import JoseError
from joserfc.jwk import import_key

from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.logging import get_logger
from marketplace.core.sending import outside
from providers.adapters import fields
from providers.adapters.fhir.options import Options
from providers.adapters.http import Deadline, HttpClient, NoAnswer, Reply
from providers.port import ComeBackLater, Connection, NotAuthorised, ProviderError

ASSERTION_SECONDS = 240
"""SMART Backend Services allow five minutes at most."""
SHORTEST_TOKEN, LONGEST_TOKEN = 10, 86400
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
WELL_KNOWN = "/.well-known/smart-configuration"

log = get_logger(__name__)

_kept: dict[str, tuple[str, float]] = {}
_lock = threading.Lock()


class Tokens:
    """The Authorization header of calls to one FHIR server."""

    def __init__(self, connection: Connection, options: Options) -> None:
        self._connection, self._options = connection, options
        about = "\n".join(
            (connection.provider, connection.base_url, options.client_id, options.scope, options.token_url,
             connection.secret)
        )  # fmt: skip
        self._key = hashlib.sha256(about.encode()).hexdigest()

    def header(self, deadline: Deadline) -> dict[str, str]:
        """The header. Raises NotAuthorised, ComeBackLater, or NoAnswer: nothing has reached the FHIR server."""
        if self._options.auth == "none":
            return {}
        if self._options.auth == "bearer":
            return {"Authorization": f"Bearer {self._connection.secret}"}
        with _lock:
            token, until = _kept.get(self._key, ("", 0.0))
        if time.monotonic() >= until:
            token, until = self._ask(deadline)
            with _lock:
                _kept[self._key] = token, until
        return {"Authorization": f"Bearer {token}"}

    def refused(self, header: Mapping[str, str]) -> bool:
        """The server refuses this header: whether another can be had, so that the call may be made once more."""
        with _lock:
            token, _ = _kept.get(self._key, ("", 0.0))
            if header.get("Authorization") == f"Bearer {token}":
                _kept.pop(self._key, None)
        return self._options.auth in ("client_credentials", "private_key_jwt")

    def _ask(self, deadline: Deadline) -> tuple[str, float]:
        try:
            return self._token(deadline)
        except (NotAuthorised, ComeBackLater):
            raise
        except NoAnswer as error:
            raise NoAnswer(error.reason, sent=False) from error
        except ProviderError as error:
            raise NoAnswer(str(error), sent=False) from error

    def _token(self, deadline: Deadline) -> tuple[str, float]:
        endpoint, from_outside = self._endpoint(deadline)
        form = {"grant_type": "client_credentials", "scope": self._options.scope}
        headers: dict[str, str] = {}
        if self._options.auth == "client_credentials":  # RFC 6749 section 2.3.1
            pair = f"{quote(self._options.client_id, safe='')}:{quote(self._connection.secret, safe='')}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            form |= {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self._assertion(endpoint)}
        asked = time.monotonic()
        client, path = self._client(endpoint, from_outside)
        reply = client.call("POST", path, deadline=deadline, form=form, headers=headers, action="POST token")
        return self._read(reply, asked)

    def _read(self, reply: Reply, asked: float) -> tuple[str, float]:
        wait = reply.come_back(clock.now())
        if wait is not None:
            raise ComeBackLater("the token endpoint asks for a pause", wait)
        if reply.status in (400, 401, 403):
            log.error("provider.key_not_accepted", provider=self._connection.provider, status=reply.status)
            raise NotAuthorised(f"no token: status {reply.status}")
        if reply.status != 200:
            raise ProviderError(f"the token endpoint answers {reply.status}")
        body = reply.json()
        token = fields.text(body, "access_token")
        if not (token.isascii() and token.isprintable() and " " not in token):
            raise ProviderError("a token that cannot be sent")
        lasts = fields.number(body, "expires_in")
        seconds = min(max(300.0 if lasts is None else lasts, SHORTEST_TOKEN), LONGEST_TOKEN)
        return token, asked + seconds - min(30.0, seconds / 5)

    def _endpoint(self, deadline: Deadline) -> tuple[str, bool]:
        """The token endpoint, and whether it is an address that somebody outside gave."""
        if self._options.token_url:
            return self._options.token_url, False
        base = self._connection.base_url.rstrip("/")
        client, path = self._client(base + WELL_KNOWN, False)
        reply = client.call("GET", path, deadline=deadline, action="GET smart-configuration")
        if reply.status != 200:
            raise ProviderError(f"no token endpoint is told: smart-configuration answers {reply.status}")
        told = fields.text(reply.json(), "token_endpoint")
        try:
            if _origin(told) == _origin(base):
                return told, False
            outside.read_url(told, loopback=settings().loopback_urls)
        except outside.BadUrl as bad:
            raise ProviderError(f"the token endpoint that is told cannot be called: {bad.reason}") from bad
        except ValueError as bad:
            raise ProviderError("the token endpoint that is told is no address") from bad
        return told, True

    def _client(self, url: str, from_outside: bool) -> tuple[HttpClient, str]:
        try:
            parts = urlsplit(url)
        except ValueError as bad:
            raise ProviderError("the token endpoint is no address") from bad
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        client = HttpClient(
            self._connection.provider,
            f"{parts.scheme}://{parts.netloc}",
            {"Accept": "application/json"},
            self._connection.deadline_seconds,
            networks=() if from_outside else self._connection.networks,
        )
        return client, path

    def _assertion(self, endpoint: str) -> str:
        """Who we are, signed (RFC 7523; SMART Backend Services, section "Authenticating to the Token Endpoint")."""
        algorithm = self._options.algorithm
        header: dict[str, Any] = {"alg": algorithm, "typ": "JWT", "kid": self._options.key_id}
        try:
            key = import_key(self._connection.secret, "RSA" if algorithm == "RS384" else "EC")
            return str(
                private_key_jwt_sign(
                    key, self._options.client_id, endpoint, alg=algorithm, header=header, expires_in=ASSERTION_SECONDS
                )
            )
        except (ValueError, JoseError) as unusable:
            log.exception("provider.key_unusable", provider=self._connection.provider, exc_info=False)
            raise NotAuthorised("the private key cannot be used") from unusable


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()
