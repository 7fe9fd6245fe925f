"""A browser that asks ahead of its reader: nobody looks yet, and a look (at a report, at a message) is recorded."""

from __future__ import annotations

from flask import Response, make_response, request


def only_prefetched() -> bool:
    """Whether the browser asks ahead of its reader."""
    asked_ahead = f"{request.headers.get('Sec-Purpose', '')} {request.headers.get('Purpose', '')}"
    return "prefetch" in asked_ahead.lower()


def not_yet() -> Response:
    """Nothing to show until somebody looks."""
    return make_response("", 503, {"Cache-Control": "no-store"})
