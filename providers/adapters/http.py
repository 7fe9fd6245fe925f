"""How every call out is made: one total deadline, a bounded body, no redirects, one kind of error, one log line.

A deadline that starts anew with each byte is none, so a watchdog cuts the connection when the call's time is over;
name resolution alone is left to the resolver's own limits, and nothing is sent after the deadline. Where the address
was given by somebody outside, the call reaches public addresses only (marketplace.core.sending.outside), and the
look-up of the name is within the deadline as well.
"""

from __future__ import annotations

import http.cookiejar
import json
import math
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from marketplace.core.config import settings
from marketplace.core.database import released
from marketplace.core.logging import get_logger
from marketplace.core.sending import outside
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
        self.deadline = deadline
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


def _connect_outside(connection: HTTPConnection, *, https: bool) -> socket.socket:
    """A socket for a connection whose host somebody outside gave, to an address that was judged."""
    dog: _Watchdog = _Watchdog.current.dog
    left = dog.deadline.left
    try:
        made = outside.connect(
            connection.host.strip("[]"),
            connection.port,
            https=https,
            loopback=settings().loopback_urls,
            left=left,
            each=CONNECT_SECONDS,
        )
    except TimeoutError as late:
        raise ConnectTimeoutError(connection, "no connection within the time") from late
    except OSError as failed:
        raise NewConnectionError(connection, type(failed).__name__) from failed
    made.settimeout(max(left(), 0.001))  # the handshake of TLS is within the deadline as well
    return made


class _OutsideConnection(_Connection):
    def _new_conn(self) -> socket.socket:
        return _connect_outside(self, https=False)


class _SecureOutsideConnection(_SecureConnection):
    def _new_conn(self) -> socket.socket:
        return _connect_outside(self, https=True)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _OutsidePool(HTTPConnectionPool):
    ConnectionCls = _OutsideConnection


class _SecureOutsidePool(HTTPSConnectionPool):
    ConnectionCls = _SecureOutsideConnection


class _Transport(HTTPAdapter):
    pools: Mapping[str, type[HTTPConnectionPool]] = {"http": _Pool, "https": _SecurePool}

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = dict(self.pools)


class _OutsideTransport(_Transport):
    pools: Mapping[str, type[HTTPConnectionPool]] = {"http": _OutsidePool, "https": _SecureOutsidePool}


# Connections are kept and shared by all adapters of the process: the pools are safe for threads. Those to hosts that
# somebody outside gave are apart: none of them may be a connection that was made without judging the address.
_transport = _Transport(pool_connections=64, pool_maxsize=32, max_retries=0)
_outside_transport = _OutsideTransport(pool_connections=64, pool_maxsize=32, max_retries=0)


class HttpClient:
    """HTTP for one provider. `headers` go with every call; proxies, netrc and cookies are not used. `from_outside`: the
    address was given by the provider itself and not by who runs us, so that it may lead to public addresses only."""

    def __init__(
        self,
        provider: str,
        base_url: str,
        headers: Mapping[str, str],
        deadline_seconds: float,
        *,
        from_outside: bool = False,
    ) -> None:
        self._provider = provider
        self._base_url = base_url.rstrip("/")
        self._deadline_seconds = deadline_seconds
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.update({"Accept-Encoding": "gzip", **headers})
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _outside_transport if from_outside else _transport)

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
        # The first step of the path only: the rest names bookings and reports.
        action = f"{verb} {path.split('/')[1]}"
        quiet = read or verb == "GET"  # a pull is hundreds of pages
        parts = {"params": params, "json": payload, "headers": headers}
        return self._logged(action, quiet, lambda: self._call(verb, path, deadline, parts, MAX_BODY))

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
                    reply = _read(response, deadline, largest, cut=cut)
            except (requests.RequestException, HTTPError, OSError, ValueError) as error:
                if dog.bitten or deadline.left() <= 0:
                    raise NoAnswer("the deadline passed", sent=not _never_sent(error)) from error
                raise NoAnswer(_named(error), sent=not _never_sent(error)) from error
            if dog.bitten:
                # A connection cut between two headers looks like a whole answer.
                raise NoAnswer("the deadline passed", sent=True)
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
            raise NoAnswer("the deadline passed", sent=True)
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
    return "the address is not public" if not_public else type(error).__name__


def _inner(error: BaseException) -> BaseException:
    """What urllib3 raised inside an error of requests."""
    inner = error.args[0] if isinstance(error, requests.ConnectionError) and error.args else error
    reason = getattr(inner, "reason", inner)
    return reason if isinstance(reason, BaseException) else error
