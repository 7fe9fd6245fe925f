"""Reading a line of slots: what is read quickly is exactly what the schema would have made of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.partner_api import slot_lines
from providers.partner_api.slot_lines import read_line, split
from providers.reported import RemoteSlot

GOOD: dict[str, Any] = {
    "pool": "p",
    "reference": "r",
    "service_date": "2026-03-10",
    "starts_at": "2026-03-10T08:00:00+08:00",
    "ends_at": "2026-03-10T08:30:00+08:00",
    "offered": 5,
    "closed": False,
    "version": 1,
}
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(
        [0, -1, 2**31, 2**31 - 1, 2**63 - 1, 3.0, 3.5, "", "x" * 255, "x" * 256, [], {}, "2026-03-10", "2026-02-30"]
    ),
    st.sampled_from(
        ["2026-03-10T08:00:00Z", "2026-03-10t08:00:00.5z", "2026-03-10T08:00:00", "2026-03-10T24:00:00Z", "1999-01-01"]
    ),
    st.sampled_from(["2026-03-10T08:00:00+24:00", "2026-03-10 08:00:00Z", "2026-03-10T08:00:00.1234567Z", "9999"]),
    st.text(max_size=12),
)


@settings(max_examples=400, deadline=None)
@given(
    changes=st.dictionaries(st.sampled_from([*GOOD, "strange"]), ODD, max_size=3),
    left_out=st.sets(st.sampled_from(sorted(GOOD)), max_size=2),
)
def test_what_is_read_quickly_is_what_the_schema_says(changes: dict[str, Any], left_out: set[str]) -> None:
    line = {name: value for name, value in {**GOOD, **changes}.items() if name not in left_out}
    quick, slow = slot_lines._plain(line), slot_lines._judged(line)
    if quick is not None:
        assert quick == slow


def test_an_ordinary_line_never_needs_the_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slot_lines, "_judged", None)
    day = {name: value for name, value in GOOD.items() if name not in ("starts_at", "ends_at", "closed")}
    for line in (GOOD, day):
        assert isinstance(read_line(json.dumps(line).encode()), RemoteSlot)


def test_lines_end_with_line_feeds_with_or_without_a_carriage_return() -> None:
    assert split(b"") == []
    assert split(b"a\nb") == split(b"a\nb\n") == [b"a", b"b"]
    assert split(b"\n") == [b""]
    assert split(b"a\n\nb\n") == [b"a", b"", b"b"], "a line left blank is a line"
    assert isinstance(read_line(json.dumps(GOOD).encode() + b"\r"), RemoteSlot)
