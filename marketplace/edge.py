"""What every request passes through: its number, the size limit, security headers, refusals, one line in the log."""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from io import BytesIO
from typing import IO, Any

from flask import Flask, Request, Response, current_app, g, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.datastructures import Headers
from werkzeug.exceptions import BadHost, BadRequest, HTTPException, RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter, MapAdapter
from werkzeug.sansio.utils import host_is_trusted
from werkzeug.wsgi import get_host

from marketplace import problems
from marketplace.core.asked import asked
from marketplace.core.config import settings
from marketplace.core.errors import Refusal
from marketplace.core.ids import new_id
from marketplace.core.logging import get_logger
from marketplace.problems import Problem

BODY_LIMIT = 256 * 1024
MACHINE_PATHS = ("/api/", "/partner/", "/insurer/")
LARGE_BODY = "takes_large_body"
"""The mark of a view that may be sent more than BODY_LIMIT, and says itself how much."""
LARGE_FORM = "takes_large_form"
"""The mark of a page that may be sent a form of more than BODY_LIMIT, whose value says how much."""
SLOW_SECONDS = 0.5
"""Calls of programs that succeed sooner than this leave no line: it costs a sixth of a booking's own overhead."""

_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
_FOR_MACHINES = (
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cache-Control", "no-store"),
)
_TLS_ONLY = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
_LOWER = {
    name: name.lower()
    for name, _ in (*_HEADERS, *_FOR_MACHINES, _TLS_ONLY, ("X-Request-Id", ""), ("Content-Security-Policy", ""))
}
_GIVEN_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_QUIET = frozenset(
    {
        "health.healthz",
        "health.readyz",
        "assets.static",
        "web.home_live",
        "web.booking_live",
        "web.consultation_live",
        "web.escort_live",
        "web.followed_live",
        "desk.home_live",
        "desk.dispatch_live",
    }
)

_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})

PageMaker = Callable[[Problem], ResponseReturnValue]

log = get_logger(__name__)


class FormRequest(Request):
    """A request whose files stay in memory: results of people are never written to disk in the clear. A body is
    bounded by MAX_CONTENT_LENGTH, or by the page's own mark."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return BytesIO()


class Application(Flask):
    """Flask without what no view of ours asks for, which each request paid for."""

    request_class = FormRequest

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """As Flask's, but with a name that no host can have (`a..b`) taken as none, as werkzeug does with one of other
        characters. Flask would leave the request without an adapter, and so its refusal without a page."""
        try:
            return self._bound(request)
        except BadHost:
            if request is None:
                raise
            request.environ["HTTP_HOST"] = ""
            return self._bound(request)

    def _bound(self, request: Request | None) -> MapAdapter | None:
        """As Flask's, for which the host has no part in what a path means. It reads and encodes the host's name twice
        for each request; here once for each name. Raises BadHost."""
        if request is None or not self._path_alone(request):
            return super().create_url_adapter(request)
        environ = request.environ
        request.host = get_host(environ)
        return MapAdapter(
            self.url_map,
            _encoded(request.host),
            request.root_path,
            self.url_map.default_subdomain or "",
            environ["wsgi.url_scheme"],
            environ.get("PATH_INFO", "/").encode("latin-1").decode(errors="replace"),
            environ["REQUEST_METHOD"],
            request.query_string.decode(errors="replace"),
        )

    def _path_alone(self, request: Request) -> bool:
        """Whether nothing but the path is looked at to find a view."""
        config = self.config
        return not (
            self.url_map.host_matching
            or config["SERVER_NAME"] is not None
            or config["TRUSTED_HOSTS"] is not None
            or "HTTP_UPGRADE" in request.environ
        )

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself: none of ours is asynchronous."""
        return func


@lru_cache(256)
def _encoded(host: str) -> str:
    """A host as addresses spell it (IDNA), with its port. Raises BadHost."""
    name, colon, port = host.lower().partition(":")
    try:
        return f"{name.encode('idna').decode('ascii')}{colon}{port}"
    except UnicodeError as bad:
        raise BadHost() from bad


class PageSessions(SecureCookieSessionInterface):
    """Flask's signed session cookie for people's pages. Programs (MACHINE_PATHS) show a credential with every
    request and have none."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The session of the request, None for a program's."""
        return None if request.path.startswith(MACHINE_PATHS) else super().open_session(app, request)


class PublicIdConverter(BaseConverter):
    """A public id (or a code) in a path: `<id:booking_id>`. What can't be one has no route, so that it never reaches a
    query."""

    regex = "[0-9A-Za-z_-]{1,64}"


def install(app: Flask, *, page: PageMaker, page_policy: str) -> None:
    """Wire the edge to `app`. `page` shows a problem to people; programs (MACHINE_PATHS) get problem+json.
    `page_policy` is the content policy of what people get."""
    app.url_map.converters["id"] = PublicIdConverter
    trusted = settings().trusted_proxies
    if trusted:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=trusted, x_proto=trusted, x_host=0
        )
    # A path with // has no page: werkzeug would lead to the one without, at whatever host the request named.
    app.url_map.merge_slashes = False
    # One more than may be: of a body whose length is not announced werkzeug keeps what fits and drops the rest.
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT + 1
    app.before_request(_begin)
    app.after_request(partial(_finish, page_policy))

    def answer(problem: Problem) -> ResponseReturnValue:
        return problems.response(problem) if request.path.startswith(MACHINE_PATHS) else page(problem)

    def refused(refusal: Refusal) -> ResponseReturnValue:
        return answer(problems.of_refusal(refusal))

    def http(error: HTTPException) -> ResponseReturnValue:
        if error.code is None or error.code < 400:
            return error.get_response()
        return answer(problems.of_http(error))

    def unavailable(error: Exception) -> ResponseReturnValue:
        log.error("request.database_unavailable", request=problems.reference(), error=type(error).__name__)
        return answer(problems.plain("unavailable", 503, headers={"Retry-After": "2"}))

    def failed(error: Exception) -> ResponseReturnValue:
        log.error(
            "request.failed",
            request=problems.reference(),
            route=_route(),
            error=type(error).__name__,
            frames=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in _frames(error)],
        )
        return answer(problems.plain("internal", 500))

    app.register_error_handler(Refusal, refused)
    app.register_error_handler(HTTPException, http)
    for lost in (OperationalError, InterfaceError, PoolTimeout):
        app.register_error_handler(lost, unavailable)
    app.register_error_handler(Exception, failed)


def _readable(sent: Request) -> bool:
    """Whether the path is UTF-8: what is not would be read with U+FFFD in its place, and stored as somebody's name."""
    try:
        sent.environ.get("PATH_INFO", "").encode("latin-1").decode()  # PEP 3333: bytes in the guise of text
    except UnicodeError:
        return False
    return True


def _begin() -> None:
    g.started = time.perf_counter()
    sent, config = asked(), settings()
    given = sent.headers.get("X-Request-Id", "") if config.trusted_proxies else ""
    g.request_id = given if _GIVEN_ID.fullmatch(given) else new_id("req")
    allowed = config.allowed_hosts
    if allowed and not _is_allowed(sent.host, allowed):  # not Flask's own: its refusal could show no page
        raise BadRequest()
    if not _readable(sent):
        raise BadRequest()
    view = current_app.view_functions.get(sent.endpoint or "")
    if hasattr(view, LARGE_BODY):  # it reads its body itself, once it knows whose request it is
        return
    largest = getattr(view, LARGE_FORM, None)
    if largest is not None and sent.method == "POST":
        sent.max_content_length = sent.max_form_memory_size = largest  # read only when the page knows who sends it
        return
    size = sent.content_length
    if size is None and sent.method in _WITH_BODY:
        size = len(sent.get_data())
    if (size or 0) > BODY_LIMIT:
        raise RequestEntityTooLarge()


@lru_cache(256)
def _is_allowed(host: str, allowed: tuple[str, ...]) -> bool:
    """Whether a request may give that host as ours; most name the same one."""
    return host_is_trusted(host, allowed)


def _finish(page_policy: str, response: Response) -> Response:
    sent, reference = asked(), problems.reference()
    machine = sent.path.startswith(MACHINE_PATHS)
    wanted = [*_HEADERS, *(_FOR_MACHINES if machine else ()), ("X-Request-Id", reference)]
    if not machine:
        wanted.append(("Content-Security-Policy", page_policy))
    if sent.is_secure:
        wanted.append(_TLS_ONLY)
    _add_missing(response.headers, wanted)
    seconds = time.perf_counter() - g.started
    if sent.endpoint not in _QUIET and not (machine and response.status_code < 400 and seconds < SLOW_SECONDS):
        log.info(
            "request",
            request=reference,
            method=sent.method,
            route=_route(),
            status=response.status_code,
            ms=round(seconds * 1000, 1),
        )
    return response


def _add_missing(headers: Headers, wanted: Sequence[tuple[str, str]]) -> None:
    """Add each header whose name is not there yet. They are constants and our own number of the request, so the list is
    added to as it is: werkzeug would look through each for line breaks, and again for its name."""
    given = {name.lower() for name, _ in headers}
    headers._list += [header for header in wanted if _LOWER[header[0]] not in given]


def _route() -> str:
    """The route's pattern: a path itself may name a booking, and a query may hold anything."""
    return request.url_rule.rule if request.url_rule else "(none)"


def _frames(error: Exception) -> list[traceback.FrameSummary]:
    """Where it happened, without the error's text, which may quote what a person entered."""
    return list(traceback.extract_tb(error.__traceback__))[-12:]
