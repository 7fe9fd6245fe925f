"""The suite speaks to this machine only: a socket to anywhere else raises, and the test that tried fails.

Also where the code under test swallows the error, since each attempt is remembered.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

attempts: list[str] = []

_connect = socket.socket.connect
_connect_ex = socket.socket.connect_ex
_sendto = socket.socket.sendto
_getaddrinfo = socket.getaddrinfo


class OutsideWorld(AssertionError):
    """A test tried to reach another machine."""


def close() -> None:
    """Close the way out, for the rest of this process."""
    socket.socket.connect = _guarded(_connect)  # type: ignore[method-assign]
    socket.socket.connect_ex = _guarded(_connect_ex)  # type: ignore[method-assign]
    socket.socket.sendto = _guarded_sendto  # type: ignore[method-assign,assignment]
    socket.getaddrinfo = _guarded_getaddrinfo


def is_here(host: str | bytes | None) -> bool:
    """True for loopback addresses and names, and for no host at all."""
    if host is None:
        return True
    name = host.decode() if isinstance(host, bytes) else host
    if name in ("", "localhost") or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _check(host: str | bytes | None) -> None:
    if not is_here(host):
        attempts.append(str(host))
        raise OutsideWorld(f"tests must not reach {host!r}")


def _guarded(original: Any) -> Any:
    def connect(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _check(address[0])
        return original(self, address)

    return connect


def _guarded_sendto(self: socket.socket, data: Any, *rest: Any) -> int:
    if self.family in (socket.AF_INET, socket.AF_INET6):
        _check(rest[-1][0])
    return _sendto(self, data, *rest)


def _guarded_getaddrinfo(host: Any, *rest: Any, **more: Any) -> Any:
    _check(host)
    return _getaddrinfo(host, *rest, **more)
