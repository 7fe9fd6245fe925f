"""Access tokens for providers' programs: OAuth 2.0 client credentials (RFC 6749, section 4.4; RFC 9700) and revocation
(RFC 7009). The protocol is Authlib's; what is stored and for how long is `marketplace.clients`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, cast

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.flask_oauth2.requests import FlaskOAuth2Request
from authlib.oauth2.rfc6749 import ClientMixin, OAuth2Request, scope_to_list
from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidRequestError, InvalidScopeError, OAuth2Error
from authlib.oauth2.rfc6749.grants import BaseGrant, ClientCredentialsGrant
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from flask import Blueprint, Response, jsonify, request
from sqlalchemy import select

from marketplace.clients import tokens
from marketplace.clients.credentials import secret_of
from marketplace.clients.models import ApiClient, ApiSecret
from marketplace.clients.owners import Caller, Owners
from marketplace.core import clock
from marketplace.core.database.db import reading, transaction
from marketplace.core.logging import get_logger
from marketplace.core.strictjson import storable
from vip.signin import limits
from vip.signin.limits import Limit

log = get_logger(__name__)

TRIES = Limit(capacity=30, per_hour=600)
"""Wrong secrets from one address: no secret of 256 bits is guessed, but each try costs a look into the database."""

METHODS = ["client_secret_basic", "client_secret_post"]

_SENTENCES: Mapping[str, str] = {
    "invalid_client": "The client or its secret is not known, or has ended.",
    "invalid_request": "The request needs a form body, each parameter and one proof of the client once, and no query.",
    "invalid_scope": "The client does not have a scope that was asked for.",
    "unauthorized_client": "The client may not have a token by this grant.",
    "unsupported_grant_type": "There is no such grant here.",
    "unsupported_token_type": "Only access tokens are given out here.",
}


class Client(ClientMixin):
    """A client as Authlib asks about it. For an id that none of these owners' clients has it knows no secret: that
    answer is the same."""

    def __init__(self, owners: Owners[Caller], client_id: str) -> None:
        self.client_id = client_id
        self.secret: ApiSecret | None = None
        self.row: ApiClient | None = None
        self._owners = owners

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether this is one of its live secrets."""
        if not storable(self.client_id):
            return False
        with reading() as session:
            self.row = session.scalar(
                select(ApiClient).where(
                    ApiClient.public_id == self.client_id,
                    ApiClient.ended_at.is_(None),
                    self._owners.column.is_not(None),
                )
            )
            if self.row is not None:
                self.secret = secret_of(session, self.row, client_secret)
        return self.secret is not None

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Whether a client may show its secret in this way: in the header or in the body."""
        return method in METHODS

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether it may have tokens by this grant: by each that its API's endpoint has."""
        return True

    def get_allowed_scope(self, scope: Collection[str] | str | None) -> str:
        """The scopes of its token: those asked for, or all it has. Raises InvalidScopeError for one it doesn't have."""
        mine = set(self.row.scopes) if self.row is not None else set()
        asked = set(scope_to_list(scope or "")) or mine
        if not asked <= mine:
            raise InvalidScopeError()
        return " ".join(sorted(asked))


class Grant(ClientCredentialsGrant):
    """Client credentials, the secret in the header or in the body."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS


class Revocation(RevocationEndpoint):
    """Revocation of a client's own tokens; for any other it says the same and does nothing."""

    CLIENT_AUTH_METHODS = METHODS

    def authenticate_token(self, request: Any, client: Client) -> str:
        """The token that is named."""
        self.check_params(request, client)
        return str(request.form["token"])

    def revoke_token(self, token: str, request: Any) -> None:
        """End it at once."""
        tokens.revoke(token, request.client.client_id, now=clock.now())


class Server(AuthorizationServer):
    """Authlib's server. Its errors say nothing that the caller sent, and the same for all clients it can't let in."""

    def create_oauth2_request(self, request: Any) -> FlaskOAuth2Request:
        """The request. Raises InvalidRequestError for a parameter in the query, one that is given twice, and a client
        that proves itself in two ways at once (RFC 6749, section 2.3)."""
        made = super().create_oauth2_request(request)
        if made.args or any(len(values) > 1 for _, values in made.form.lists()):
            raise InvalidRequestError()
        if "Authorization" in (made.headers or {}) and "client_secret" in made.form:
            raise InvalidRequestError()
        return made

    def handle_error_response(self, request: Any, error: OAuth2Error) -> Response:
        """The error (RFC 6749, section 5.2)."""
        return _error(error)


class Told(OAuth2Error):
    """An error whose sentence is ours and says nothing that the caller sent."""

    def __init__(self, error: str, sentence: str) -> None:
        super().__init__()
        self.error, self.sentence = error, sentence


class Endpoints:
    """`<prefix>/token` and `<prefix>/revoke` of an API, for the programs of its owners. `name` is the API's: its limits
    go by it. `grants`: what tokens are given for besides client credentials."""

    def __init__(
        self, name: str, prefix: str, owners: Owners[Caller], grants: Collection[type[BaseGrant]] = ()
    ) -> None:
        self.name = name
        self.blueprint = Blueprint(f"{name}_oauth", __name__, url_prefix=prefix)
        self._server = _server(owners, (Grant, *grants))
        self._key = f"{name}_client"
        self.blueprint.post("/token", endpoint="token")(self.token)
        self.blueprint.post("/revoke", endpoint="revoke")(self.revoke)

    def token(self) -> Response:
        """Give a token for a client's id and secret. 401 for whoever is not let in, 429 after too many wrong tries."""
        return self._answered(cast(Callable[[], Response], self._server.create_token_response))

    def revoke(self) -> Response:
        """End a token. 200 also for one that is not the client's, or over."""
        return self._answered(partial(self._server.create_endpoint_response, "revocation"))

    def _answered(self, answer: Callable[[], Response]) -> Response:
        """Let Authlib answer. What it cannot decode is no client of ours; tries that fail are counted by address."""
        who, now = limits.Caller(request.remote_addr or "").name, clock.now()
        limits.look(TRIES, self._key, who, now=now)
        try:
            made = answer()
        except (UnicodeDecodeError, ValueError):
            made = _error(InvalidClientError())
        except OAuth2Error as error:
            made = _error(error)
        if made.status_code == 401:
            made.headers["WWW-Authenticate"] = f'Basic realm="{self.name}", charset="UTF-8"'
            log.info("api_client.refused")
            with transaction() as session:
                limits.take(session, TRIES, self._key, who, now=now)
        made.headers["Cache-Control"] = "no-store"
        return made


def _server(owners: Owners[Caller], grants: Collection[type[BaseGrant]]) -> Server:
    lifetime = int(tokens.LIFETIME.total_seconds())
    made = Server(query_client=partial(Client, owners), save_token=_save)
    made.register_token_generator(
        "default",
        BearerTokenGenerator(lambda **_: tokens.new_token(), expires_generator=lambda *_: lifetime),
    )
    for grant in grants:
        made.register_grant(grant)
    made.register_endpoint(Revocation)
    return made


def _error(error: OAuth2Error) -> Response:
    """An error (RFC 6749, section 5.2)."""
    code = error.error or "invalid_request"
    sentence = error.sentence if isinstance(error, Told) else _SENTENCES.get(code, "The request is refused.")
    answer = jsonify(error=code, error_description=sentence)
    answer.status_code = 401 if code == "invalid_client" else 400
    return answer


def _save(token: Mapping[str, Any], asked: OAuth2Request) -> None:
    client = asked.client
    if not isinstance(client, Client) or client.secret is None:
        raise ValueError("a token for nobody")
    with transaction() as session:
        tokens.give(session, client.secret, token["access_token"], token["scope"].split(), clock.now())
