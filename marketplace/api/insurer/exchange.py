"""Token exchange (RFC 8693): what an insurer's app signs about its customer, for a session of hers at `/api/v1`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from authlib.oauth2.rfc6749.errors import UnauthorizedClientError
from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin

from marketplace.api.insurer.door import PREFIX
from marketplace.clients.models import ApiClient
from marketplace.core import clock
from marketplace.core.config import settings
from marketplace.core.errors import NotFound, Unauthenticated
from marketplace.rest.oauth import METHODS, Client, Told
from vip.insurers import bring
from vip.insurers.assertions import BadAssertion, Fault
from vip.insurers.bring import Bringer
from vip.signin.signin import SignedIn

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT = "urn:ietf:params:oauth:token-type:jwt"
ISSUED = "urn:ietf:params:oauth:token-type:access_token"
SCOPE = "customers"

_TAKEN = frozenset(
    {
        *("grant_type", "subject_token", "subject_token_type", "requested_token_type"),
        *("client_id", "client_secret"),
    }
)
_FAULTS: Mapping[Fault, str] = {
    "unreadable": "The subject token is no signed JWT of at most 4096 characters.",
    "header": "The subject token's header must hold alg and kid, may hold typ (JWT), and nothing else.",
    "key": "The subject token names a key that you have not registered, or that has ended.",
    "algorithm": "The subject token is signed by an algorithm that its key is not registered for.",
    "signature": "The subject token's signature is not that of its key.",
    "issuer": "The subject token's iss is not the issuer that its key was registered with.",
    "audience": "The subject token's aud must be the address of this endpoint, and nothing besides.",
    "time": "The subject token must hold iat and exp, at most five minutes apart, and not be over.",
    "claims": "The subject token must hold sub and jti, texts of at most 200 characters.",
    "replayed": "The subject token was used before: sign a new one, with a jti of its own.",
}
_NOBODY = "The subject token's sub is the key of no policy whose holder you may bring."


class TokenExchange(BaseGrant, TokenEndpointMixin):
    """The grant. It gives no token of the insurer's API: what is issued is the customer's."""

    GRANT_TYPE = GRANT
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def validate_token_request(self) -> None:
        """Let the program in, and judge the form. Raises OAuth2Error."""
        self.request.client = self.authenticate_token_endpoint_client()
        if SCOPE not in self._row().scopes:
            raise UnauthorizedClientError()
        form = self.request.form
        if not form.keys() <= _TAKEN:
            raise Told("invalid_request", "The exchange takes a subject token, its type, the wanted type, no more.")
        if form.get("subject_token_type") != JWT or not form.get("subject_token"):
            raise Told("invalid_request", f"The exchange needs a subject_token of the type {JWT}.")
        if form.get("requested_token_type", ISSUED) != ISSUED:
            raise Told("invalid_request", f"The only token type that is given is {ISSUED}.")

    def create_token_response(self) -> tuple[int, Any, list[tuple[str, str]]]:
        """The customer's token. Raises OAuth2Error, TooMany."""
        now = clock.now()
        signed_in = self._exchanged()
        return (
            200,
            {
                "access_token": signed_in.token,
                "issued_token_type": ISSUED,
                "token_type": "Bearer",
                "expires_in": int((signed_in.expires_at - now).total_seconds()),
            },
            list(self.TOKEN_RESPONSE_HEADER),
        )

    def _exchanged(self) -> SignedIn:
        row, secret = self._row(), getattr(self.request.client, "secret", None)
        if row.insurer_id is None or secret is None:
            raise UnauthorizedClientError()
        bringer = Bringer(row.id, row.public_id, row.insurer_id, secret.id)
        try:
            return bring.exchange(bringer, self.request.form["subject_token"], audience=audience(), now=clock.now())
        except BadAssertion as wrong:
            raise Told("invalid_request", _FAULTS[wrong.fault]) from wrong
        except NotFound as nobody:
            raise Told("invalid_request", _NOBODY) from nobody
        except Unauthenticated as ended:
            raise UnauthorizedClientError() from ended

    def _row(self) -> ApiClient:
        client = self.request.client
        if not isinstance(client, Client) or client.row is None:
            raise UnauthorizedClientError()
        return client.row


def audience() -> str:
    """For whom a subject token must be: the address of the token endpoint."""
    return f"{settings().public_url}{PREFIX}/oauth/token"
