"""How every adapter speaks HTTP: one total deadline, a bounded body, no redirects, one kind of error, one log line.

A deadline that starts anew with each byte is none, so a watchdog cuts the connection when the call's time is over;
name resolution alone is left to the resolver's own limits, and nothing is sent after the deadline.
"""

from __future__ import annotations

import http.cookiejar
import json
import math
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError

from marketplace.core.database import released
from marketplace.core.logging import get_logger
from providers.port import Oversize, ProviderError

MAX_DEADLINE_SECONDS = 10.0
CONNECT_SECONDS = 3.0
MAX_BODY = 5 * 1024 * 1024
CHUNK = 64 * 1024
MAX_RETRY_AFTER = 3600.0
RATE_LIMIT_SECONDS = 5.0
"""The pause after a 429 that does not say how long."""

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

    def retry_after(self, now: datetime) -> float | None:
        """Seconds of Retry-After (RFC 9110 section 10.2.3), between 0 and an hour; None if it is not there."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            return min(float(text[:9]), MAX_RETRY_AFTER)
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return min(max((moment - now).total_seconds(), 0.0), MAX_RETRY_AFTER)

    def come_back(self, now: datetime) -> float | None:
        """After how many seconds the provider wants to be asked again, which did not look at the call: a 429, or a 503
        that says when. None of any other answer."""
        wait = self.retry_after(now)
        if self.status == 429:
            return RATE_LIMIT_SECONDS if wait is None else wait
        return wait if self.status == 503 else None


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

    def __init__(self, deadline: Deadline) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
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
    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        _watched(self)
        super().putrequest(*args, **kwargs)


class _SecureConnection(HTTPSConnection):
    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        _watched(self)
        super().putrequest(*args, **kwargs)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Transport(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


# Connections are kept and shared by all adapters of the process: the pools are safe for threads.
_transport = _Transport(pool_connections=64, pool_maxsize=32, max_retries=0)


class HttpClient:
    """HTTP for one provider. `headers` go with every call; proxies, netrc and cookies are not used."""

    def __init__(self, provider: str, base_url: str, headers: Mapping[str, str], deadline_seconds: float) -> None:
        self._provider = provider
        self._base_url = base_url.rstrip("/")
        self._deadline_seconds = deadline_seconds
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.update({"Accept-Encoding": "gzip", **headers})
        self._session.mount("http://", _transport)
        self._session.mount("https://", _transport)

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
        headers: Mapping[str, str] | None = None,
        read: bool = False,
    ) -> Reply:
        """The whole answer, of any status. Raises NoAnswer. `read`: nothing is changed there, as with every GET."""
        began = time.monotonic()
        outcome = "no answer"
        try:
            reply = self._call(verb, path, deadline, {"params": params, "json": payload, "headers": headers})
            outcome = str(reply.status)
            return reply
        except NoAnswer as error:
            outcome = error.reason
            raise
        finally:
            milliseconds = round((time.monotonic() - began) * 1000)
            # The first step of the path only: the rest names bookings and reports.
            action = f"{verb} {path.split('/')[1]}"
            quiet = str(outcome) == "200" and (read or verb == "GET")  # a pull is hundreds of pages
            tell = log.debug if quiet else log.info
            tell("provider.call", provider=self._provider, action=action, outcome=outcome, ms=milliseconds)

    def _call(self, verb: str, path: str, deadline: Deadline, parts: Mapping[str, Any]) -> Reply:
        left = deadline.left()
        if left <= 0:
            raise NoAnswer("no time was left", sent=False)
        if released.held():
            raise NoAnswer("this database was restored and not released", sent=False)
        with _Watchdog(deadline) as dog:
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
                    reply = _read(response, deadline)
            except (requests.RequestException, HTTPError, OSError, ValueError) as error:
                if dog.bitten or deadline.left() <= 0:
                    raise NoAnswer("the deadline passed", sent=not _never_sent(error)) from error
                raise NoAnswer(type(error).__name__, sent=not _never_sent(error)) from error
            if dog.bitten:
                # A connection cut between two headers looks like a whole answer.
                raise NoAnswer("the deadline passed", sent=True)
        return reply


def _read(response: requests.Response, deadline: Deadline) -> Reply:
    body = bytearray()
    while chunk := response.raw.read(CHUNK, decode_content=True):
        body += chunk
        if len(body) > MAX_BODY:
            raise TooLarge("the answer is too large", sent=True)
        if deadline.left() <= 0:
            raise NoAnswer("the deadline passed", sent=True)
    kind = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, kind, bytes(body), headers)


def _never_sent(error: BaseException) -> bool:
    """No connection came about, so nothing can have been taken: refused, unreachable, or no such name."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    inner = error.args[0] if isinstance(error, requests.ConnectionError) and error.args else error
    return isinstance(getattr(inner, "reason", inner), NewConnectionError)
