"""The request that is being answered, itself: for what every request passes through."""

from __future__ import annotations

from flask import Request, request


def asked() -> Request:
    """The request itself. Each look through Flask's proxy costs forty steps of the interpreter, so whoever looks more
    than once takes it from here. Raises RuntimeError outside a request."""
    return request._get_current_object()  # type: ignore[attr-defined,no-any-return]
