"""Where a URL that somebody outside gave us may lead: to public addresses by https, never into our own network. For one
provider an operator may allow networks besides (one behind a VPN), and plain http into them.

The form is judged when the URL is given, the address when it is called: the name is looked up once, every address found
is judged, and the connection goes to one of those very addresses, so that a second answer of the name server changes
nothing. Which address is public: IANA's special-purpose registries (RFC 6890), and the forms that carry an IPv4 address
inside an IPv6 one (RFC 4291 section 2.5.5, 6052, 3056, 4380, 8215).
"""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

LONGEST = 2000

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f]*:[0-9A-Fa-f:.]{1,44}\]|[A-Za-z0-9.-]{1,253})(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?)"
)
"""Only what every parser reads in the same way: no user, no fragment, no blank, no backslash, ASCII alone."""
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(each)
    for each in (
        "192.0.0.0/24",  # of protocols; some clouds have services there
        "192.88.99.0/24",  # relays of 6to4
        "168.63.129.16/32",  # a cloud's own services, at an address that looks public
        "2001::/32",  # Teredo: an IPv4 address inside
        "2002::/16",  # 6to4: an IPv4 address inside
        "3fff::/20",  # documentation
    )
)


_NEVER = tuple(
    ipaddress.ip_network(each)
    for each in (
        "0.0.0.0/8",  # this machine
        "::/128",
        "169.254.0.0/16",  # link-local, and the services of most clouds
        "fe80::/10",
        "224.0.0.0/3",  # multicast, and all of 255
        "ff00::/8",
        # what clouds tell their machines, at addresses that look as if they were anybody's
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.192/32",
        "fd00:ec2::254/128",
        "fd20:ce::254/128",
    )
)
"""What is called for nobody, whatever networks an operator allows."""

Networks = Sequence[str]
"""Networks that an operator allowed besides, such as 10.20.0.0/16."""


class BadUrl(Exception):
    """The URL is not one that we call. `reason`: url_form, url_https, url_host or url_address."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotPublic(OSError):
    """The host has an address that is not public; nothing was connected."""


@dataclass(frozen=True)
class Target:
    """A URL in its parts. `origin` is scheme, host and port as given; `path` begins with a slash and has the query."""

    origin: str
    path: str


def read_url(url: str, *, loopback: bool, networks: Networks = ()) -> Target:
    """The parts of a URL that may be called: https, with a public host. With `loopback` also http, to this machine
    alone; with `networks` also into them, by http too. Names are not looked up here. Raises BadUrl."""
    parts = _URL.fullmatch(url) if len(url) <= LONGEST else None
    if parts is None or not 0 < int(parts["port"] or 443) < 65536:
        raise BadUrl("url_form")
    if parts["scheme"] == "http" and not loopback and not networks:
        raise BadUrl("url_https")
    _judge_host(parts["host"], https=parts["scheme"] == "https", loopback=loopback, networks=networks)
    path = parts["path"]
    return Target(url[: parts.start("path")], path if path.startswith("/") else f"/{path}")


def _judge_host(host: str, *, https: bool, loopback: bool, networks: Networks) -> None:
    """Raises BadUrl. A host whose last part is a number is an address (WHATWG URL, section 3.5), written as one."""
    if host.startswith("[") or _NUMBER.fullmatch(host.rpartition(".")[2]):
        try:
            allowed = may_reach(host.strip("[]"), https=https, loopback=loopback, networks=networks)
        except ValueError as odd:
            raise BadUrl("url_host") from odd
        if not allowed:
            raise BadUrl("url_address")
        return
    labels = host.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels) or (len(labels) == 1 and not loopback and not networks):
        raise BadUrl("url_host")
    if labels[-1].lower() == "localhost" and not loopback:
        raise BadUrl("url_address")


def may_reach(address: str, *, https: bool, loopback: bool, networks: Networks = ()) -> bool:
    """Whether a URL from outside may lead to this IP address. Raises ValueError for one that is none."""
    given = ipaddress.ip_address(address)
    if loopback and given.is_loopback:
        return True
    known = _carried(given)
    if any(known in each for each in _NEVER):
        return False
    return any(known in ipaddress.ip_network(each) for each in networks) or (https and _is_public(known))


def read_networks(texts: Sequence[str]) -> tuple[str, ...]:
    """Networks as they are stored, each in its usual form. Raises ValueError for one that is none, or has bits of a
    host."""
    return tuple(dict.fromkeys(str(ipaddress.ip_network(text)) for text in texts))


def _carried(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 one carries for us to reach, else the address itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    special = address.is_multicast or address.is_reserved or any(address in each for each in _NOT_PUBLIC)
    return address.is_global and not special


def look_up(host: str, port: int) -> Sequence[str]:
    """All addresses of a host, in the order of the resolver. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def connect(
    host: str,
    port: int,
    *,
    https: bool,
    loopback: bool,
    left: Callable[[], float],
    each: float,
    networks: Networks = (),
) -> socket.socket:
    """A connection to the host, whose name is looked up once. The addresses are tried in turn, each for so many seconds
    at most, all of it within what is `left`. Raises NotPublic if any one of them may not be reached, else OSError, of
    which TimeoutError is one."""
    addresses = _within(lambda: look_up(host, port), left())

    def judged(address: str) -> bool:
        return may_reach(address, https=https, loopback=loopback, networks=networks)

    if not addresses or not all(map(judged, addresses)):
        raise NotPublic(host)
    failed: OSError = TimeoutError()
    for address in addresses:
        seconds = min(each, left())
        if seconds <= 0:
            raise TimeoutError
        try:
            return open_socket(address, port, seconds)
        except OSError as error:
            failed = error
    raise failed


def open_socket(address: str, port: int, seconds: float) -> socket.socket:
    """A connection to one address, no name. Raises OSError."""
    return socket.create_connection((address, port), timeout=seconds)


def _within(work: Callable[[], Sequence[str]], seconds: float) -> Sequence[str]:
    """What `work` returns or raises. Raises TimeoutError if it takes longer: the resolver can't be stopped, so its
    thread is left to end by itself."""
    found: list[Sequence[str]] = []
    failed: list[OSError] = []

    def run() -> None:
        try:
            found.append(work())
        except (OSError, UnicodeError) as error:
            failed.append(error if isinstance(error, OSError) else OSError(str(error)))

    thread = threading.Thread(target=run, name="resolve", daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not found:
        raise TimeoutError
    return found[0]
