"""What the first visit of a page weighs: it and everything that it and its files refer to, as it travels."""

from __future__ import annotations

import gzip
import http.client
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import unescape
from urllib.parse import urljoin

import brotli

ACCEPTED = "gzip, deflate, br, zstd"

_IN_PAGES = re.compile(r'(?:href|src)="(/static/[^"#]+)')
_IN_FILES = {
    "text/css": re.compile(r"""(?:url\(|@import )["']?(?!data:)([^"')#;]+)"""),
    "text/javascript": re.compile(r"""^(?:import|export)\b(?:[^;"']*\bfrom\b)?\s*["']([^"']+)["']""", re.MULTILINE),
}
_OPEN: Mapping[str, Callable[[bytes], bytes]] = {"br": brotli.decompress, "gzip": gzip.decompress, "": bytes}


@dataclass(frozen=True)
class Fetched:
    """An answer as it travelled: `body` is still compressed, if `encoding` says so."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def weight(self) -> int:
        """Its bytes, the head included, as HTTP/1.1 writes them."""
        lines = sum(len(f"{name}: {value}\r\n".encode()) for name, value in self.headers.items())
        return len("HTTP/1.1 200 OK\r\n\r\n") + lines + len(self.body)


Get = Callable[[str, Mapping[str, str]], Fetched]


def first_visit(get: Get, page: str) -> dict[str, int]:
    """The weight of each address that a browser without a cache asks for. Raises ValueError unless all are there."""
    weights: dict[str, int] = {}
    waiting = [(page, "none")]
    while waiting:
        address, asked_by = waiting.pop()
        if address not in weights:
            answer = get(address, {"Accept-Encoding": ACCEPTED, "Sec-Fetch-Site": asked_by})
            if answer.status != 200:
                raise ValueError(f"{address} is answered with {answer.status}")
            weights[address] = answer.weight
            waiting += [(one, "same-origin") for one in _references(address, answer)]
    return weights


def over_http(port: int, cookie: str) -> Get:
    """Asks the server at `port`, with a cookie."""

    def get(address: str, headers: Mapping[str, str]) -> Fetched:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", address, headers={**headers, "Cookie": cookie})
            answer = connection.getresponse()
            return Fetched(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    return get


def _references(address: str, answer: Fetched) -> list[str]:
    kept = {name.lower(): value for name, value in answer.headers.items()}
    mimetype = kept.get("content-type", "").partition(";")[0]
    if mimetype != "text/html" and mimetype not in _IN_FILES:
        return []
    text = _OPEN[kept.get("content-encoding", "")](answer.body).decode()
    if mimetype == "text/html":
        return [unescape(one) for one in _IN_PAGES.findall(text)]
    return [urljoin(address, one) for one in _IN_FILES[mimetype].findall(text)]
