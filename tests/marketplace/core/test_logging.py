"""How a line of the log reaches the stream that several processes share."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import structlog

from marketplace.core import logging


class Writes:
    """A stream that remembers what each write was."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def write(self, text: str) -> int:
        """One write."""
        self.seen.append(text)
        return len(text)

    def flush(self) -> None:
        """Nothing is kept back."""


@pytest.mark.parametrize("json", [True, False])
def test_a_line_and_its_end_are_one_write(monkeypatch: pytest.MonkeyPatch, json: bool) -> None:
    before: dict[str, Any] = structlog.get_config()
    stream = Writes()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr("logging.basicConfig", lambda **_: None)
    try:
        logging.configure(json=json)
        logging.get_logger("tests").bind().info("something.happened", count=1)
    finally:
        structlog.configure(**before)
    assert len(stream.seen) == 1
    assert stream.seen[0].count("\n") == 1 and stream.seen[0].endswith("\n")
