"""The text that is hashed: one for each meaning, after RFC 8785."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from marketplace.chain.canonical import canonical, digest


def test_the_members_order_makes_no_difference() -> None:
    assert canonical({"b": 1, "a": {"d": [1, None, True], "c": "x"}}) == b'{"a":{"c":"x","d":[1,null,true]},"b":1}'


def test_names_are_sorted_by_their_utf_16_code_units() -> None:
    """U+1F600 is D83D DE00 in UTF-16 and so comes before U+FB33: the order of section 3.2.3 of the RFC."""
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    ordered = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    members = [canonical(name).decode() + ":0" for name in ordered]
    assert canonical(dict.fromkeys(names, 0)).decode() == "{" + ",".join(members) + "}"


def test_strings_are_escaped_only_where_json_demands_it() -> None:
    assert canonical('体检 "\\/\b\f\n\r\t\x0f\x7f') == '"体检 \\"\\\\/\\b\\f\\n\\r\\t\\u000f\x7f"'.encode()


def test_moments_are_in_utc_with_six_digits_wherever_they_come_from() -> None:
    moment = datetime(2026, 11, 2, 12, 0, 0, 5, timezone(timedelta(hours=8)))
    assert canonical(moment) == b'"2026-11-02T04:00:00.000005Z"' == canonical(moment.astimezone(UTC))


def test_what_has_no_canonical_form_is_refused() -> None:
    for value in (datetime(2026, 11, 2), b"bytes", {1, 2}):  # noqa: DTZ001
        with pytest.raises(TypeError):
            canonical(value)
    with pytest.raises(ValueError, match="Out of range"):
        canonical(float("nan"))


def test_the_digest_is_what_another_tool_computes() -> None:
    """printf '{"a":1}' | sha256sum"""
    assert digest({"a": 1}).hex() == "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
