"""How every call out is made: one total deadline, a bounded body, no redirects, one kind of error, one log line.

A deadline that starts anew with each byte is none, so a watchdog cuts the connection when the call's time is over;
nothing is sent after the deadline, and the look-up of the name is within it as well. Every address is taken for one
that somebody outside gave: a call reaches public addresses by https, and the networks that an operator allowed for
that provider (marketplace.core.sending.outside).
"""

from __future__ import annotations

import http.cookiejar
import json
import math
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property, lru_cache
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from marketplace.core.config import loopback_urls
from marketplace.core.database import released
from marketplace.core.logging import get_logger
from marketplace.core.sending import outside
from marketplace.core.sending.outside import Networks
from providers.port import Oversize, ProviderError

MAX_DEADLINE_SECONDS = 10.0
CONNECT_SECONDS = 3.0
MAX_BODY = 5 * 1024 * 1024
CHUNK = 64 * 1024
MAX_RETRY_AFTER = 3600.0
RATE_LIMIT_SECONDS = 5.0
"""The pause after a 429 that does not say how long."""

NOT_PUBLIC = "the address is not public"
TOO_LATE = "the deadline passed"
NO_TIME = "no time was left"
"""Reasons of a NoAnswer that somebody is told apart from the others."""

log = get_logger(__name__)


class NoAnswer(ProviderError):
    """The call brought no answer that can be read. `sent` is False only if surely nothing reached the provider."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent


class TooLarge(NoAnswer, Oversize):
    """The answer has more than MAX_BODY bytes, unpacked."""


def _integer(digits: str) -> int | float:
    """A whole number of JSON. One of more digits than anything we read is a float: it is wrong where it stands, and no
    reason to lose the rest of the document."""
    return int(digits) if len(digits) < 40 else float(digits)


@dataclass(frozen=True)
class Reply:
    """A whole answer. `content_type` is without parameters and in lower case."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """The body as a JSON object. Raises NoAnswer if it is none."""
        try:
            document = json.loads(self.body, parse_int=_integer)
        except (ValueError, RecursionError) as error:
            raise NoAnswer("the answer is not JSON", sent=True) from error
        if not isinstance(document, dict):
            raise NoAnswer("the answer is not a JSON object", sent=True)
        return document

    def retry_after(self, now: datetime, most: float = MAX_RETRY_AFTER) -> float | None:
        """Seconds of Retry-After (RFC 9110 section 10.2.3), between 0 and `most`; None if it is not there."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            return min(float(text[:9]), most)
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return min(max((moment - now).total_seconds(), 0.0), most)

    def come_back(self, now: datetime) -> float | None:
        """After how many seconds the provider wants to be asked again, which did not look at the call: a 429, or a 503
        that says when. None of any other answer."""
        wait = self.retry_after(now)
        if self.status == 429:
            return RATE_LIMIT_SECONDS if wait is None else wait
        return wait if self.status == 503 else None


Overheard = Callable[[str, Mapping[str, Any], "Reply | NoAnswer"], None]
overhear: ContextVar[Overheard | None] = ContextVar("overhear", default=None)
"""Who is told of each call of this thread: what was asked, its parts, and what came. A run of conformance sets it."""


class Deadline:
    """The moment by which a call, or several that belong together, must be over."""

    def __init__(self, seconds: float) -> None:
        allowed = min(seconds, MAX_DEADLINE_SECONDS) if math.isfinite(seconds) and seconds > 0 else MAX_DEADLINE_SECONDS
        self._end = time.monotonic() + allowed

    def left(self) -> float:
        """Seconds left, 0 when it is over."""
        return max(self._end - time.monotonic(), 0.0)


class _Watchdog:
    """Cuts the connection of this thread's call when the deadline is over."""

    current = threading.local()

    def __init__(self, deadline: Deadline, networks: Networks) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.deadline = deadline
        self.networks = networks
        self.bitten = False
        self._timer = threading.Timer(deadline.left(), self._bite)
        self._timer.daemon = True

    def __enter__(self) -> _Watchdog:
        _Watchdog.current.dog = self
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        _Watchdog.current.dog = None
        with self._lock:
            self._socket = None

    def watch(self, connection: HTTPConnection) -> None:
        """`connection` is about to send for this call. Raises if the time is over already."""
        with self._lock:
            if self.bitten:
                raise NewConnectionError(connection, "the deadline passed before anything was sent")
            # The socket and not the connection, which drops it when the answer ends with the connection.
            self._socket = connection.sock

    def _bite(self) -> None:
        with self._lock:
            self.bitten = True
            if self._socket is not None:
                try:
                    # Not SSLSocket.shutdown, which would also drop the TLS state under the reading thread.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
                except OSError:
                    log.debug("provider.connection_gone")


def _watched(connection: HTTPConnection) -> None:
    dog: _Watchdog | None = getattr(_Watchdog.current, "dog", None)
    if dog is not None:
        dog.watch(connection)


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self, https=False)

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        _watched(self)
        super().putrequest(*args, **kwargs)


class _SecureConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self, https=True)

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        _watched(self)
        super().putrequest(*args, **kwargs)


def _connect(connection: HTTPConnection, *, https: bool) -> socket.socket:
    """A socket for a connection, to an address that was judged."""
    dog: _Watchdog = _Watchdog.current.dog
    left = dog.deadline.left
    try:
        made = outside.connect(
            connection.host.strip("[]"),
            connection.port,
            https=https,
            loopback=loopback_urls(),
            left=left,
            each=CONNECT_SECONDS,
            networks=dog.networks,
        )
    except TimeoutError as late:
        raise ConnectTimeoutError(connection, "no connection within the time") from late
    except OSError as failed:
        raise NewConnectionError(connection, type(failed).__name__) from failed
    made.settimeout(max(left(), 0.001))  # the handshake of TLS is within the deadline as well
    return made


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Transport(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


@lru_cache(maxsize=1024)
def _transport(networks: Networks) -> _Transport:
    """The connections that are kept, of all adapters of the process that may reach the same networks: the pools are
    safe for threads. None is lent to a call that might not have made it."""
    return _Transport(pool_connections=64, pool_maxsize=32, max_retries=0)


class HttpClient:
    """HTTP for one provider. `headers` go with every call; proxies, netrc and cookies are not used. `networks`: what an
    operator allowed it besides public addresses; leave them out for an address that the provider gives in an answer."""

    def __init__(
        self,
        provider: str,
        base_url: str,
        headers: Mapping[str, str],
        deadline_seconds: float,
        *,
        networks: Networks = (),
    ) -> None:
        self._provider = provider
        self._base_url = base_url.rstrip("/")
        self._deadline_seconds = deadline_seconds
        self._headers = headers
        self._networks = tuple(networks)

    @cached_property
    def _session(self) -> requests.Session:
        """Made by the first call: to read a webhook an adapter is made that calls nobody."""
        made = requests.Session()
        made.trust_env = False
        made.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        made.headers.update({"Accept-Encoding": "gzip", **self._headers})
        for scheme in ("http://", "https://"):
            made.mount(scheme, _transport(self._networks))
        return made

    def deadline(self) -> Deadline:
        """A new deadline for one call of the port."""
        return Deadline(self._deadline_seconds)

    def call(
        self,
        verb: str,
        path: str,
        *,
        deadline: Deadline,
        params: Mapping[str, str] | None = None,
        payload: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        read: bool = False,
        action: str = "",
    ) -> Reply:
        """The whole answer, of any status. Raises NoAnswer. `read`: nothing is changed there, as with every GET. The
        body is `payload` as JSON or the fields of a `form`. `action` names the call in the log where the first step of
        its path says nothing."""
        # The first step of the path only: the rest names bookings and reports.
        action = action or f"{verb} {path.split('/')[1]}"
        quiet = read or verb == "GET"  # a pull is hundreds of pages
        parts = {"params": params, "json": payload, "data": form, "headers": headers}
        told = overhear.get() or (lambda *_: None)
        try:
            reply = self._logged(action, quiet, lambda: self._call(verb, path, deadline, parts, MAX_BODY))
        except NoAnswer as error:
            told(f"{verb} {path}", parts, error)
            raise
        told(f"{verb} {path}", parts, reply)
        return reply

    def post(self, path: str, body: bytes, *, action: str, headers: Mapping[str, str], excerpt: int) -> Reply:
        """Post these very bytes; the answer with no more than `excerpt` bytes of its body. Raises NoAnswer. `action`
        names the call in the log: the path may be a secret."""
        parts = {"data": body, "headers": headers}
        return self._logged(action, False, lambda: self._call("POST", path, self.deadline(), parts, excerpt, cut=True))

    def _logged(self, action: str, quiet: bool, call: Callable[[], Reply]) -> Reply:
        """What `call` answers, with one line in the log."""
        began = time.monotonic()
        outcome = "no answer"
        try:
            reply = call()
            outcome = str(reply.status)
            return reply
        except NoAnswer as error:
            outcome = error.reason
            raise
        finally:
            milliseconds = round((time.monotonic() - began) * 1000)
            tell = log.debug if quiet and outcome == "200" else log.info
            tell("provider.call", provider=self._provider, action=action, outcome=outcome, ms=milliseconds)

    def _call(
        self, verb: str, path: str, deadline: Deadline, parts: Mapping[str, Any], largest: int, *, cut: bool = False
    ) -> Reply:
        if path and not path.startswith("/"):
            raise ValueError("a path that could change the host")
        left = deadline.left()
        if left <= 0:
            raise NoAnswer(NO_TIME, sent=False)
        if released.held():
            raise NoAnswer("this database was restored and not released", sent=False)
        with _Watchdog(deadline, self._networks) as dog:
            try:
                response = self._session.request(
                    verb,
                    self._base_url + path,
                    timeout=(min(left, CONNECT_SECONDS), left),
                    stream=True,
                    allow_redirects=False,
                    **parts,
                )
                with response:
                    reply = _read(response, deadline, largest, cut=cut)
            except (requests.RequestException, HTTPError, OSError, ValueError) as error:
                if dog.bitten or deadline.left() <= 0:
                    raise NoAnswer(TOO_LATE, sent=not _never_sent(error)) from error
                raise NoAnswer(_named(error), sent=not _never_sent(error)) from error
            if dog.bitten:
                # A connection cut between two headers looks like a whole answer.
                raise NoAnswer(TOO_LATE, sent=True)
        return reply


def _read(response: requests.Response, deadline: Deadline, largest: int, *, cut: bool) -> Reply:
    """The answer. A body of more than `largest` bytes is too large, or is `cut`: the rest is not read."""
    body = bytearray()
    while chunk := response.raw.read(min(CHUNK, largest + 1), decode_content=True):
        body += chunk
        if len(body) > largest and cut:
            del body[largest:]
            break
        if len(body) > largest:
            raise TooLarge("the answer is too large", sent=True)
        if deadline.left() <= 0:
            raise NoAnswer(TOO_LATE, sent=True)
    kind = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, kind, bytes(body), headers)


def _never_sent(error: BaseException) -> bool:
    """No connection came about, so nothing can have been taken: refused, unreachable, or no such name."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    return isinstance(_inner(error), NewConnectionError)


def _named(error: BaseException) -> str:
    """What went wrong, without the address."""
    not_public = isinstance(_inner(error).__cause__, outside.NotPublic)
    return NOT_PUBLIC if not_public else type(error).__name__


def _inner(error: BaseException) -> BaseException:
    """What urllib3 raised inside an error of requests."""
    inner = error.args[0] if isinstance(error, requests.ConnectionError) and error.args else error
    reason = getattr(inner, "reason", inner)
    return reason if isinstance(reason, BaseException) else error
