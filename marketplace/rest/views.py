"""Marks of views that both the door and the OpenAPI document read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from marketplace.core.errors import Refusal
from marketplace.edge import LARGE_BODY

View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    """Mark a view that anybody may call."""
    view.access = "public"  # type: ignore[attr-defined]
    return view


def refuses(*refusals: type[Refusal]) -> Callable[[View], View]:
    """State the refusals of a view for the OpenAPI document; each code becomes an example of its status."""

    def mark(view: View) -> View:
        view.refuses = refusals  # type: ignore[attr-defined]
        return view

    return mark


def is_public(view: Callable[..., Any]) -> bool:
    """Whether anybody may call the view."""
    return getattr(view, "access", "") == "public"


def reads_body(view: View) -> View:
    """Mark a view that declares a JSON body; any other one refuses a body that holds something."""
    view.reads_body = True  # type: ignore[attr-defined]
    return view


def takes_large_body(view: View) -> View:
    """Mark a view that may be sent more than edge.BODY_LIMIT: it reads its body by reading.large_body()."""
    setattr(view, LARGE_BODY, True)
    return view


def has_body(view: Callable[..., Any]) -> bool:
    """Whether the view is marked as one that reads a body."""
    return hasattr(view, "reads_body")
