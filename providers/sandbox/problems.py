"""Answers that say no, as problem+json (RFC 9457)."""

from __future__ import annotations

import json

from flask import Response


class Problem(Exception):
    """A refusal with a stable `code`; nothing was changed."""

    def __init__(self, status: int, code: str, title: str, detail: str = "") -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail

    def document(self) -> dict[str, object]:
        """The body."""
        body: dict[str, object] = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "code": self.code,
        }
        return {**body, "detail": self.detail} if self.detail else body

    def response(self) -> Response:
        """The HTTP answer."""
        text = json.dumps(self.document(), ensure_ascii=False)
        return Response(text, self.status, content_type="application/problem+json")
