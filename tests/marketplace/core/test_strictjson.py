"""What a JSON document from a stranger may hold."""

from __future__ import annotations

from unittest import mock

import pytest

from marketplace.core import strictjson
from marketplace.core.errors import Invalid
from marketplace.core.strictjson import DEPTH, LARGEST, NotJson, canonical, loads


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": "\x00"}',
        b'{"a": "\xed\xa0\x80"}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * (DEPTH + 1) + b"]" * (DEPTH + 1),
        b"1" * 10_000,
    ],
)
def test_what_is_not_json_is_refused_as_such(raw: bytes) -> None:
    with pytest.raises(NotJson):
        loads(raw)


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b'{"a": "x\\u0000"}', "a"),
        (b'{"a": {"b": ["ok", "\\ud800"]}}', "a.b.1"),
        (b'{"a": "\\udc00\\ud800"}', "a"),
        (b'{"\\ud800": 1}', "body"),
        (b'{"a": 9223372036854775808}', "a"),
        (b'{"a": [-9223372036854775809]}', "a.0"),
        (b'{"a": 1e999}', "a"),
        (b'{"a":-1.5e999}', "a"),
        (b'{"a": [0,\n1E+999]}', "a.1"),
        (b'{"a":[' + b"9" * 400 + b".0]}", "a.0"),
        (b'{"a":[1,-' + b"9" * 19 + b"]}", "a.1"),
        (b'"\\u0000"', "body"),
    ],
)
def test_what_cannot_be_stored_is_named_by_its_path(raw: bytes, path: str) -> None:
    with pytest.raises(Invalid) as refused:
        loads(raw)
    assert refused.value.at == path


@pytest.mark.parametrize("raw", [b"1e999", b"-1e999", b" 9223372036854775808", b"[1e999]", b"\t-9223372036854775809"])
def test_a_number_that_cannot_be_stored_is_seen_wherever_it_stands(raw: bytes) -> None:
    with pytest.raises(Invalid):
        loads(raw)


def test_a_document_whose_ids_look_like_numbers_is_not_walked() -> None:
    with mock.patch.object(strictjson, "_check") as walked:
        loads(b'{"offer_id": "ofr_3e9d8e5r2k7c1x9d4t", "n": 12345678901234567, "f": 2.5}')
        assert walked.call_count == 0
        loads(b'{"offer_id": "ofr_3e9d8e5r2k7c1x9d4t", "n": 2e5}')
        assert walked.call_count == 1


def test_ordinary_documents_pass_with_their_values() -> None:
    assert loads('{"名": "沈 \\ud83d\\ude00", "n": 9223372036854775807, "f": 1.5e3}'.encode()) == {
        "名": "沈 😀",
        "n": LARGEST,
        "f": 1500.0,
    }
    assert loads(b"[" * DEPTH + b"]" * DEPTH) is not None


def test_equal_values_have_one_spelling() -> None:
    assert canonical(loads(b'{"b": 1, "a": [ "\\u0041" ]}')) == canonical(loads(b'{"a":["A"],"b":1}'))
    assert canonical({"a": 1}) != canonical({"a": "1"})


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b'{"a": 1, "a": 1}', "a"),
        (b'{"a": {"b": [{"c": 1}, {"c": 1, "d": 2, "c": 3}]}}', "a.b.1.c"),
        (b'{"\\u0061": 1, "a": 2}', "a"),
        (b'{"\\ud800": 1, "\\ud800": 2}', "body"),
        (b'{"": 1, "": 2}', "body"),
        (b'{"' + b"n" * 1000 + b'": 1, "' + b"n" * 1000 + b'": 2}', "n" * 64),
    ],
)
def test_a_name_that_stands_twice_is_named(raw: bytes, path: str) -> None:
    with pytest.raises(Invalid) as refusal:
        loads(raw)
    assert (refusal.value.at, refusal.value.facts["reason"]) == (path, "repeated")


@pytest.mark.parametrize("raw", [b'{"a": 1, "a": 2} x', b'{"a":' * DEPTH + b'{"b": 1, "b": 1}' + b"}" * DEPTH])
def test_a_name_that_stands_twice_in_what_is_not_json_is_not_looked_for(raw: bytes) -> None:
    with pytest.raises(NotJson):
        loads(raw)
