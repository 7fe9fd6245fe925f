"""Access tokens for providers' programs: OAuth 2.0 client credentials (RFC 6749, section 4.4; RFC 9700) and revocation
(RFC 7009). The protocol is Authlib's; what is stored and for how long is `providers.clients`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.flask_oauth2.requests import FlaskOAuth2Request
from authlib.oauth2.rfc6749 import ClientMixin, OAuth2Request, scope_to_list
from authlib.oauth2.rfc6749.errors import InvalidRequestError, InvalidScopeError, OAuth2Error
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from flask import Blueprint, Response, current_app, jsonify, request
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_token
from marketplace.core.logging import get_logger
from marketplace.core.strictjson import storable
from providers.clients import tokens
from providers.clients.credentials import secret_of
from providers.clients.models import ApiClient, ApiSecret
from vip.signin import limits
from vip.signin.limits import Caller, Limit

log = get_logger(__name__)

TRIES = Limit(capacity=30, per_hour=600)
"""Wrong secrets from one address: no secret of 256 bits is guessed, but each try costs a look into the database."""

_METHODS = ["client_secret_basic", "client_secret_post"]

_SENTENCES: Mapping[str, str] = {
    "invalid_client": "The client or its secret is not known, or has ended.",
    "invalid_request": "The request needs a form body that names each parameter once, and nothing in the query.",
    "invalid_scope": "The client does not have a scope that was asked for.",
    "unsupported_grant_type": "The only grant is client_credentials.",
    "unsupported_token_type": "Only access tokens are given out here.",
}

blueprint = Blueprint("partner_oauth", __name__, url_prefix="/partner/v1/oauth")


class Client(ClientMixin):
    """A client as Authlib asks about it. For an id that nobody has it knows no secret: that answer is the same."""

    def __init__(self, client_id: str) -> None:
        self.client_id = client_id
        self.secret: ApiSecret | None = None
        self._row: ApiClient | None = None

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether this is one of its live secrets."""
        if not storable(self.client_id):
            return False
        with reading() as session:
            self._row = session.scalar(
                select(ApiClient).where(ApiClient.public_id == self.client_id, ApiClient.ended_at.is_(None))
            )
            if self._row is not None:
                self.secret = secret_of(session, self._row, client_secret)
        return self.secret is not None

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Whether a client may show its secret in this way: in the header or in the body."""
        return method in _METHODS

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether it may have tokens by this grant."""
        return grant_type == ClientCredentialsGrant.GRANT_TYPE

    def get_allowed_scope(self, scope: Collection[str] | str | None) -> str:
        """The scopes of its token: those asked for, or all it has. Raises InvalidScopeError for one it doesn't have."""
        mine = set(self._row.scopes) if self._row is not None else set()
        asked = set(scope_to_list(scope or "")) or mine
        if not asked <= mine:
            raise InvalidScopeError()
        return " ".join(sorted(asked))


class Grant(ClientCredentialsGrant):
    """Client credentials, the secret in the header or in the body."""

    TOKEN_ENDPOINT_AUTH_METHODS = _METHODS


class Revocation(RevocationEndpoint):
    """Revocation of a client's own tokens; for any other it says the same and does nothing."""

    CLIENT_AUTH_METHODS = _METHODS

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
        """The request. Raises InvalidRequestError for a parameter in the query, or one that is given twice."""
        made = super().create_oauth2_request(request)
        if made.args or any(len(values) > 1 for _, values in made.form.lists()):
            raise InvalidRequestError()
        return made

    def handle_error_response(self, request: Any, error: OAuth2Error) -> Response:
        """The error (RFC 6749, section 5.2)."""
        return _error(error.error)


def server() -> Server:
    """The authorization server, for one application."""
    lifetime = int(tokens.LIFETIME.total_seconds())
    made = Server(query_client=Client, save_token=_save)
    made.register_token_generator(
        "default",
        BearerTokenGenerator(lambda **_: new_token(), expires_generator=lambda *_: lifetime),
    )
    made.register_grant(Grant)
    made.register_endpoint(Revocation)
    return made


@blueprint.record_once
def _install(state: Any) -> None:
    state.app.extensions["partner_oauth"] = server()


@blueprint.post("/token")
def token() -> Response:
    """Give a token for a client's id and secret. 401 for whoever is not let in, 429 after too many wrong tries."""
    return _answered(current_app.extensions["partner_oauth"].create_token_response)


@blueprint.post("/revoke")
def revoke() -> Response:
    """End a token. 200 also for one that is not the client's, or over."""
    return _answered(partial(current_app.extensions["partner_oauth"].create_endpoint_response, "revocation"))


def _answered(answer: Callable[[], Response]) -> Response:
    """Let Authlib answer. What it cannot decode is no client of ours; tries that fail are counted by address."""
    caller, now = Caller(request.remote_addr or ""), clock.now()
    limits.look(TRIES, "partner_client", caller.name, now=now)
    try:
        made = answer()
    except (UnicodeDecodeError, ValueError):
        made = _error("invalid_client")
    except OAuth2Error as error:
        made = _error(error.error)
    if made.status_code == 401:
        log.info("api_client.refused")
        with transaction() as session:
            limits.take(session, TRIES, "partner_client", caller.name, now=now)
    made.headers["Cache-Control"] = "no-store"
    return made


def _error(code: str | None) -> Response:
    """An error (RFC 6749, section 5.2)."""
    said = code or "invalid_request"
    answer = jsonify(error=said, error_description=_SENTENCES.get(said, "The request is refused."))
    answer.status_code = 401 if said == "invalid_client" else 400
    if answer.status_code == 401:
        answer.headers["WWW-Authenticate"] = 'Basic realm="partner", charset="UTF-8"'
    return answer


def _save(token: Mapping[str, Any], asked: OAuth2Request) -> None:
    client = asked.client
    if not isinstance(client, Client) or client.secret is None:
        raise ValueError("a token for nobody")
    with transaction() as session:
        tokens.give(session, client.secret, token["access_token"], token["scope"].split(), clock.now())
