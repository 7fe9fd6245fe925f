"""Pages and static files travel compressed, but never a page that another site made the reader ask for.

Who can choose a part of a page's address and see how long the encrypted answer is learns what else is in the page
(BREACH). So a page is compressed only when the browser says that one of our own pages, or the reader herself, asked for
it (docs/decisions/0010-compression.md).
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import lru_cache

import brotli
from flask import Flask, Request, Response

from marketplace.core.asked import asked

_TEXTS = frozenset({"text/html", "text/css", "text/javascript", "image/svg+xml"})
_SHORTEST = 500
"""Below so many bytes nothing is gained."""
_BY_US_OR_THE_READER = frozenset({"same-origin", "none"})
STATIC = "assets.static"


def install(app: Flask) -> None:
    """Compress the answers of `app`."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    sent, kind = asked(), response.mimetype
    static = sent.endpoint == STATIC
    if static or kind == "text/html":
        response.vary.add("Accept-Encoding")
    if kind == "text/html":
        response.vary.add("Sec-Fetch-Site")
    encoding = _wanted(sent, response) if kind in _TEXTS else None
    if encoding is None:
        return response
    response.direct_passthrough = False
    body = response.get_data()
    if len(body) < _SHORTEST:
        return response
    response.set_data(_once(encoding, body) if static else _QUICK[encoding](body))
    response.headers["Content-Encoding"] = encoding
    etag, _weak = response.get_etag()
    if etag is not None:  # other bytes, so no longer the strong one (RFC 9110, section 8.8.3.3)
        response.set_etag(etag, weak=True)
    return response


def _wanted(sent: Request, response: Response) -> str | None:
    """How this text is to be compressed, None if not at all."""
    if response.status_code != 200 or sent.method != "GET" or "Content-Encoding" in response.headers:
        return None
    if not (sent.endpoint == STATIC or _sent_by_us_or_the_reader(sent)):
        return None
    return next((each for each in _QUICK if sent.accept_encodings[each] > 0), None)


def _sent_by_us_or_the_reader(sent: Request) -> bool:
    """What another site starts says `cross-site` or `same-site`, redirections included; a browser that says nothing
    is not trusted to know (Fetch Metadata Request Headers, section 2.3)."""
    return sent.headers.get("Sec-Fetch-Site") in _BY_US_OR_THE_READER


_QUICK: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, quality=5),
    "gzip": lambda body: gzip.compress(body, 6, mtime=0),
}
_BEST: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, quality=11),
    "gzip": lambda body: gzip.compress(body, 9, mtime=0),
}


@lru_cache(maxsize=256)
def _once(encoding: str, body: bytes) -> bytes:
    """The smallest form of a static file, made when it is first asked for and kept: a tenth of a second for each."""
    return _BEST[encoding](body)
