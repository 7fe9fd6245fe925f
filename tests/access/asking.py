"""One request of somebody's as a line of the table says, and its answer without what differs each time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from flask import Flask
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import TestResponse

from marketplace.web.cookies import DESK, OPERATOR, SIGNED_IN
from marketplace.web.desk.session import DRAWN_FOR
from tests.access.everybody import Actor
from tests.access.row import Ask, Row

PART = re.compile(r"<(?:[^<>]*:)?(\w+)>")
_HOLE = re.compile(r"\{(\w+)\}")
_NAME = re.compile(r"_id$")
AS_IT_IS = "="
# Each begins with letters, which are found many times faster than what is told by the letters before it.
_EACH_TIME = (
    re.compile(r"()req_(?<=\breq_)[0-9a-z]{20}\b"),
    re.compile(r'(name="csrf_token" value=")[^"]+'),
    re.compile(r'(name="idempotency_key" value=")[^"]+'),
)
_HEADERS = frozenset({"content-length", "x-request-id", "ratelimit", "set-cookie", "etag", "vary"})
"""What an answer has besides its content, and what differs each time or follows from the content."""


@dataclass(frozen=True)
class Answer:
    """What came back, with what the caller sent taken out, and what differs each time."""

    status: int
    headers: tuple[tuple[str, str], ...]
    text: str


def ask(app: Flask, row: Row, way: Ask, values: Mapping[str, str], who: Actor) -> TestResponse:
    """Send it as `who`, naming the things in `values`."""
    token = who.token
    headers = {"Accept-Language": "en", **filled(way.headers, values)}
    if token:
        cookies = "; ".join(f"{cookie.name}={token}" for cookie in (SIGNED_IN, OPERATOR, DESK))
        headers |= {"Authorization": f"Bearer {token}", "Cookie": cookies}
    if row.door in ("customer api", "partner api", "insurer api", "test api") and row.method != "GET":
        headers.setdefault("Idempotency-Key", "once")
    sent: dict[str, Any] = {}
    if way.json is not None:
        sent["json"] = filled(way.json, values)
    elif way.body is not None:
        sent["data"] = filled(way.body, values)
    elif way.form is not None:
        sent["data"] = MultiDict(filled(way.form, values))
        if way.file is not None:
            sent["data"]["document"] = FileStorage(BytesIO(way.file), "report.pdf", content_type="application/pdf")
    if who.desk and row.method == "POST" and way.json is None and way.body is None:
        sent.setdefault("data", MultiDict())[DRAWN_FOR] = who.desk
    return app.test_client(use_cookies=False).open(
        path_of(row, way, values), method=row.method, headers=headers, query_string=filled(way.query, values), **sent
    )


def path_of(row: Row, way: Ask, values: Mapping[str, str]) -> str:
    """The row's path with the things in `values`."""

    def filled_in(part: re.Match[str]) -> str:
        name = name_of(part[1], way)
        return name[1:] if name.startswith(AS_IT_IS) else values[name]

    return PART.sub(filled_in, row.rule)


def name_of(part: str, way: Ask) -> str:
    """What the table calls the thing that this part of a path names; `=text` stands for the text itself."""
    name = _NAME.sub("", part)
    return way.names.get(name, name)


def filled(sent: Any, values: Mapping[str, str]) -> Any:
    """What is sent with the names in braces replaced."""
    if isinstance(sent, str):
        return _HOLE.sub(lambda hole: values[hole[1]], sent)
    if isinstance(sent, Mapping):
        return {key: filled(each, values) for key, each in sent.items()}
    return [filled(each, values) for each in sent] if isinstance(sent, (list, tuple)) else sent


def named(row: Row, way: Ask) -> set[str]:
    """The table's names of the things that are named by it."""
    found = {name_of(part, way) for part in PART.findall(row.rule)}
    found = {name for name in found if not name.startswith(AS_IT_IS)}
    for text in _texts([way.query, way.json, way.form, way.body, way.headers]):
        found |= set(_HOLE.findall(text))
    return found


def _texts(sent: Any) -> Iterator[str]:
    if isinstance(sent, str):
        yield sent
    elif isinstance(sent, Mapping):
        yield from _texts(list(sent.values()))
    elif isinstance(sent, (list, tuple)):
        for each in sent:
            yield from _texts(each)


def plain(answer: TestResponse, sent: Mapping[str, str], names: set[str]) -> Answer:
    """The answer without what the caller sent (things of `sent` with these names) and what differs each time."""
    texts = sorted({sent[name] for name in names if len(sent[name]) > 4}, key=len, reverse=True)

    def without(text: str) -> str:
        for each in texts:
            text = text.replace(each, "(sent)")
        for pattern in _EACH_TIME:
            text = pattern.sub(r"\1(new)", text)
        return text

    headers = tuple(sorted((name, without(text)) for name, text in answer.headers if name.lower() not in _HEADERS))
    return Answer(answer.status_code, headers, without(answer.data.decode("utf-8", "replace")))
