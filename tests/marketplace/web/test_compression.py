"""What travels compressed, what doesn't, and how much a first visit weighs."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Mapping
from html import unescape
from urllib.parse import urljoin

import brotli
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.marketplace.web.visitors import Visitor
from tests.world import World

MODERN = {"Accept-Encoding": "gzip, deflate, br, zstd"}
HERSELF = {**MODERN, "Sec-Fetch-Site": "none"}
COLD_HOME = 60 * 1024

_REFERENCE = re.compile(r'(?:href|src|action)="(/static/[^"#]+)')
_IN_FILES = {
    "text/css": re.compile(r"""(?:url\(|@import )["']?(?!data:)([^"')#;]+)"""),
    "text/javascript": re.compile(r"""^(?:import|export)\b[^;"']*["']([^"']+)["']""", re.MULTILINE),
}


@pytest.mark.parametrize("origin", ["same-origin", "none"])
@pytest.mark.parametrize("encoding, opened", [("br", brotli.decompress), ("gzip", gzip.decompress)])
def test_a_page_is_compressed_when_we_or_the_reader_asked_for_it(
    visitor: Visitor, origin: str, encoding: str, opened: Callable[[bytes], bytes]
) -> None:
    answer = visitor.get("/places", headers={"Accept-Encoding": encoding, "Sec-Fetch-Site": origin})
    assert answer.headers["Content-Encoding"] == encoding
    assert opened(answer.data).decode().startswith("<!doctype html>")
    assert answer.content_length == len(answer.data)
    assert {"Accept-Encoding", "Sec-Fetch-Site", "Cookie"} <= set(answer.vary)


@pytest.mark.parametrize("origin", ["cross-site", "same-site", "", None])
def test_a_page_that_another_site_may_have_asked_for_travels_as_it_is(visitor: Visitor, origin: str | None) -> None:
    headers = MODERN if origin is None else {**MODERN, "Sec-Fetch-Site": origin}
    answer = visitor.get("/places?q=guess", headers=headers)
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers
    assert "Sec-Fetch-Site" in answer.vary


@pytest.mark.parametrize("accepted", ["identity", "br;q=0, gzip;q=0", "zstd"])
def test_who_cannot_read_it_gets_it_plain(visitor: Visitor, accepted: str) -> None:
    for path in ("/places", "/static/css/base.css"):
        answer = fetched(visitor, path, {"Accept-Encoding": accepted, "Sec-Fetch-Site": "none"})
        assert "Content-Encoding" not in answer.headers
        assert "Accept-Encoding" in answer.vary


def test_a_refusal_and_the_api_travel_as_they_are(visitor: Visitor) -> None:
    assert visitor.get("/nowhere", headers=HERSELF).headers.get("Content-Encoding") is None
    assert visitor.get("/api/v1/openapi.json", headers=HERSELF).headers.get("Content-Encoding") is None


def test_an_unchanged_live_part_is_still_known_by_its_tag(visitor: Visitor) -> None:
    first = visitor.get("/live", headers=HERSELF)
    again = visitor.get("/live", headers={**HERSELF, "If-None-Match": first.headers["ETag"]})
    assert first.status_code == 200
    assert (again.status_code, again.data) == (304, b"")


def test_a_static_file_is_compressed_for_everybody_and_keeps_its_tag(visitor: Visitor) -> None:
    first = fetched(visitor, "/static/css/base.css", {**MODERN, "Sec-Fetch-Site": "cross-site"})
    plain = fetched(visitor, "/static/css/base.css")
    assert brotli.decompress(first.data) == plain.data
    assert first.headers["ETag"] == f"W/{plain.headers['ETag']}"
    assert fetched(visitor, "/static/css/base.css", {"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_only_the_address_that_names_the_content_stays_for_ever(visitor: Visitor) -> None:
    (right,) = {one for one in _REFERENCE.findall(visitor.get("/").text) if "base.css" in one}
    addresses = (right, right + "0", right.partition("?")[0])
    kept = [fetched(visitor, address).cache_control for address in addresses]
    assert [bool(control.immutable) for control in kept] == [True, False, False]
    assert [control.max_age for control in kept] == [31_536_000, 60, 60]


def test_the_first_visit_of_the_home_page_weighs_at_most_sixty_kilobytes(app: Flask, world: World) -> None:
    visitor = Visitor.signed_in(app, "13800000021", language="zh")
    weights = first_visit(visitor, "/")
    assert {"base.css", "htmx.min.js", "icons.svg"} <= {address.partition("?")[0].split("/")[-1] for address in weights}
    assert sum(weights.values()) <= COLD_HOME, weights


def first_visit(visitor: Visitor, page: str) -> dict[str, int]:
    """The bytes, heads included, of a page and of everything that it and its files refer to, by address."""
    weights: dict[str, int] = {}
    waiting = [(page, "none")]
    while waiting:
        address, asked_by = waiting.pop()
        if address not in weights:
            answer = fetched(visitor, address, {**MODERN, "Sec-Fetch-Site": asked_by})
            assert answer.status_code == 200, address
            weights[address] = _weight(answer)
            waiting += [(one, "same-origin") for one in _references(address, answer)]
    return weights


def fetched(visitor: Visitor, address: str, headers: Mapping[str, str] | None = None) -> TestResponse:
    """An answer that was read to its end, as a server does with files."""
    answer = visitor.get(address, headers=dict(headers or {}))
    assert answer.data is not None
    answer.close()
    return answer


def _weight(answer: TestResponse) -> int:
    head = "".join(f"{name}: {value}\r\n" for name, value in answer.headers)
    return len(f"HTTP/1.1 {answer.status}\r\n{head}\r\n".encode()) + len(answer.data)


def _references(address: str, answer: TestResponse) -> list[str]:
    opened = brotli.decompress(answer.data) if answer.headers.get("Content-Encoding") == "br" else answer.data
    if answer.mimetype == "text/html":
        return [unescape(one) for one in _REFERENCE.findall(opened.decode())]
    inside = _IN_FILES.get(answer.mimetype)
    return [urljoin(address, one) for one in inside.findall(opened.decode())] if inside else []
