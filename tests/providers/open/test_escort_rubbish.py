"""Whatever stands in one field of a line, or in place of a line, the others are read, and what is read is as stated."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from providers.adapters.open.deeds import KINDS, read_deed
from providers.adapters.open.numbered import read_page
from tests.providers.open.done import deed
from tests.providers.open.said import THEIRS

ODD = st.text("\0\ud800 \n", max_size=3)
ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80) | ODD
ANYTHING = st.recursive(ATOMS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner))
OWN = ("worker", "cost", "picture")


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    """A line of any kind with one field replaced by anything, perhaps within one of its objects; or no line at all."""
    row = deed(2, draw(st.sampled_from(KINDS)))
    if draw(st.integers(0, 9)) == 0:
        return draw(ANYTHING)
    name = draw(st.sampled_from(sorted({*row, "position", "accuracy_m", "code", "cause", *OWN})))
    if name in OWN and isinstance(row.get(name), dict) and draw(st.booleans()):
        inner = draw(st.sampled_from(sorted(row[name])))
        return {**row, name: {**row[name], inner: draw(ANYTHING)}}
    return {**row, name: draw(ANYTHING)}


@settings(derandomize=True, max_examples=300, deadline=None)
@given(spoilt().filter(lambda row: not isinstance(row, dict) or row.get("seq") not in (1, 3)))
@example({**deed(2, "cost"), "cost": {"amount": True, "currency": "CNY", "purpose": "x"}})
@example({**deed(2, "met"), "position": "within", "accuracy_m": None})
def test_one_line_that_is_rubbish_changes_nothing_of_the_others(row: Any) -> None:
    page = read_page({"lines": [deed(1), row, deed(3)], "next": None}, "lines", read_deed, THEIRS, 0)
    read = [line for line in page.lines if line.id in ("line-1", "line-3")]
    assert [line.seq for line in read] == [1, 3]
    assert len(page.lines) + len(page.unreadable) == 3
    for line in page.lines:
        assert 1 <= line.seq < 2**31 and 0 < len(line.escort) <= 64 and line.at.utcoffset() is not None
        assert (line.worker is not None) == (line.safe_word != "") == (line.kind == "assigned")
        assert (line.cause != "") == (line.kind == "released") and (line.cost is not None) == (line.kind == "cost")
        assert line.picture == "" or line.kind in ("paper", "cost")
        assert line.kind in ("arrived", "met") or (line.position, line.accuracy_m, line.code) == (None, None, "")
        assert line.position in (None, "not_checkable") or line.accuracy_m is not None
        assert "\0" not in line.words and len(line.words) <= 1_000
