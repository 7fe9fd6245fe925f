"""A paper's picture is the one that its line announced, or none."""

from __future__ import annotations

import hashlib
from urllib.parse import quote

import pytest

from providers.port import ComeBackLater, Oversize, ProviderError
from providers.reported import EscortLine
from tests.providers.open.answering import Hospital
from tests.providers.open.done import deed
from tests.providers.open.said import THEIRS

PNG = b"\x89PNG\r\n\x1a\n and so on"
JPEG = b"\xff\xd8\xff and so on"


def line_of(hospital: Hospital, content: bytes, kind: str = "paper") -> EscortLine:
    """A line that announces these bytes."""
    picture = {"id": "p 1/2", "sha256": hashlib.sha256(content).hexdigest()}
    hospital.says(200, {"lines": [deed(1, kind, picture=picture)], "next": None})
    [line] = hospital.adapter().escort_lines_after(THEIRS, 0).lines
    return line


@pytest.mark.parametrize(
    ("content", "kind", "of"),
    [(PNG, "image/png", "paper"), (JPEG, "image/jpeg", "cost"), (JPEG, "image/jpeg", "paper")],
)
def test_a_picture_is_fetched_by_its_name(hospital: Hospital, content: bytes, kind: str, of: str) -> None:
    line = line_of(hospital, content, of)
    hospital.says(200, content, kind)
    found = hospital.adapter().fetch_paper(line)
    assert (found.content, found.content_type, found.sha256) == (content, kind, hashlib.sha256(content).hexdigest())
    assert hospital.asked[-1].path == f"/escorts/{quote(THEIRS, safe='')}/pictures/p%201%2F2"


@pytest.mark.parametrize(
    ("status", "came", "kind"),
    [
        (200, PNG + b"!", "image/png"),
        (200, PNG, "image/jpeg"),
        (200, PNG, "image/gif"),
        (200, PNG, "text/html"),
        (404, PNG, "image/png"),
        (500, PNG, "image/png"),
        (302, PNG, "image/png"),
    ],
)
def test_anything_else_is_no_picture(hospital: Hospital, status: int, came: bytes, kind: str) -> None:
    line = line_of(hospital, PNG)
    hospital.says(status, came, kind, Location=hospital.url)
    with pytest.raises(ProviderError):
        hospital.adapter().fetch_paper(line)


def test_what_is_too_large_is_told_from_what_may_come_later(hospital: Hospital) -> None:
    line = line_of(hospital, PNG)
    hospital.says(200, PNG + b"\0" * (6 * 1024 * 1024), "image/png")
    with pytest.raises(Oversize):
        hospital.adapter().fetch_paper(line)
    hospital.says(503, PNG, "image/png", Retry_After="9")
    with pytest.raises(ComeBackLater):
        hospital.adapter().fetch_paper(line)


def test_a_line_without_a_picture_asks_for_none(hospital: Hospital) -> None:
    hospital.says(200, {"lines": [deed(1, "cost")], "next": None})
    [line] = hospital.adapter().escort_lines_after(THEIRS, 0).lines
    with pytest.raises(ProviderError):
        hospital.adapter().fetch_paper(line)
    assert len(hospital.asked) == 1
