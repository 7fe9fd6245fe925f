"""Lines of policies as they come."""

from __future__ import annotations

import json

from marketplace.api.insurer.forms import read_lines
from tests.marketplace.api.insurer.policies import told
from vip.insurers.telling import Fault
from vip.policies.facts import PolicyFacts


def test_blank_lines_are_none_at_the_end_and_wrong_before_it() -> None:
    line = json.dumps({"key": "p-1", **told()}).encode()
    for end in (b"", b"\n", b"\r\n", b"\n\n", b"\n \r\n\t\n"):
        [read] = read_lines(line + end)
        assert isinstance(read, PolicyFacts) and read.key == "p-1", end
    for nothing in (b"", b"\n", b"\n\n"):
        assert read_lines(nothing) == []
    first, blank, last = read_lines(line + b"\n\n" + line)
    assert (first, blank) == (last, (Fault("line", "not_json"),))
