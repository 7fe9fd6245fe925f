"""What travels compressed, what doesn't, and how much a first visit weighs."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Mapping

import brotli
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from bench.pages import ACCEPTED, Fetched, first_visit
from tests.marketplace.web.visitors import Visitor
from tests.world import World

MODERN = {"Accept-Encoding": ACCEPTED}
HERSELF = {**MODERN, "Sec-Fetch-Site": "none"}
COLD_HOME = 60 * 1024

_STYLE = re.compile(r'href="(/static/css/base\.css[^"]*)')


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
    (right,) = _STYLE.findall(visitor.get("/").text)
    addresses = (right, right + "0", right.partition("?")[0])
    kept = [fetched(visitor, address).cache_control for address in addresses]
    assert [bool(control.immutable) for control in kept] == [True, False, False]
    assert [control.max_age for control in kept] == [31_536_000, 60, 60]


def test_the_first_visit_of_the_home_page_weighs_at_most_sixty_kilobytes(app: Flask, world: World) -> None:
    visitor = Visitor.signed_in(app, "13800000021", language="zh")

    def get(address: str, headers: Mapping[str, str]) -> Fetched:
        answer = fetched(visitor, address, headers)
        return Fetched(answer.status_code, dict(answer.headers), answer.data)

    weights = first_visit(get, "/")
    assert {"base.css", "htmx.min.js", "icons.svg"} <= {address.partition("?")[0].split("/")[-1] for address in weights}
    assert sum(weights.values()) <= COLD_HOME, weights


def fetched(visitor: Visitor, address: str, headers: Mapping[str, str] | None = None) -> TestResponse:
    """An answer that was read to its end, as a server does with files."""
    answer = visitor.get(address, headers=dict(headers or {}))
    assert answer.data is not None
    answer.close()
    return answer
