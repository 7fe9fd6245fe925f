"""What the gallery knows of a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.marketplace.web.samples.everyday import Context

Shown = Mapping[str, tuple[str, Callable[[], Context]]]
"""Name to template and to the function that makes its context."""
