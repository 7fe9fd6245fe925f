"""Ciphertexts under several master keys, told apart from those of before without a guess."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from marketplace.core import crypto, integrity
from marketplace.core.config import settings
from tests.keys import logged_alarms, use_keys

RECORD = "customer:cus_a:phone"


@pytest.fixture(autouse=True)
def own_settings() -> Iterator[None]:
    """Settings are read anew afterwards, and each alarm is raised at once."""
    integrity.forget_raised()
    yield
    settings.cache_clear()


def old(plain: bytes, key_id: str = "a", record: str = RECORD, nonce: bytes = b"n" * 12) -> bytes:
    """A ciphertext as it was made before there were key ids."""
    key = next(key.secret for key in settings().master_keys if key.id == key_id)
    return nonce + AESGCM(key).encrypt(nonce, plain, record.encode())


def test_what_was_sealed_under_an_earlier_key_opens_beside_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch, master="a")
    before, wrapped = crypto.seal_master("plain", RECORD), crypto.new_wrapped_key("ben_a")
    key = crypto.unwrap_key(wrapped, "ben_a")
    use_keys(monkeypatch, master="b a")
    assert crypto.unseal_master(before, RECORD) == "plain"
    assert crypto.unwrap_key(wrapped, "ben_a") == key
    assert crypto.open_master(before, RECORD) == ("a", b"plain")
    assert crypto.open_master(crypto.seal_master("new", RECORD), RECORD) == ("b", b"new")


def test_once_resealed_a_ciphertext_opens_without_the_earlier_key(monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch, master="a")
    before = old(b"plain")
    use_keys(monkeypatch, master="b a")
    moved = crypto.reseal(before, RECORD)
    assert moved is not None and not crypto.is_current(before, RECORD) and crypto.is_current(moved, RECORD)
    use_keys(monkeypatch, master="b")
    assert crypto.unseal_master(moved, RECORD) == "plain"
    with pytest.raises(crypto.Unreadable):
        crypto.unseal_master(before, RECORD)


def test_an_old_ciphertext_whose_nonce_looks_like_a_header_is_read_as_what_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use_keys(monkeypatch, master="abcdef a")
    unlucky = old(b"plain", "a", nonce=crypto.header("abcdef"))
    assert len(crypto.header("abcdef")) == 12 and unlucky.startswith(crypto.header("abcdef"))
    assert crypto.open_master(unlucky, RECORD) == ("a", b"plain")
    assert not crypto.is_current(unlucky, RECORD), "so it is not left behind"


def test_a_ciphertext_whose_key_id_was_changed_does_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch, master="a b")
    sealed = crypto.seal_master("plain", RECORD)
    assert sealed.startswith(crypto.header("a"))
    forged = crypto.header("b") + sealed[len(crypto.header("a")) :]
    without = sealed[len(crypto.header("a")) :]
    assert crypto.open_master(forged, RECORD) is None
    assert crypto.open_master(without, RECORD) is None, "the header is part of what the tag proves"


def test_what_is_damaged_raises_an_alarm_that_names_the_record_and_no_person(monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch, master="a")
    swapped = crypto.seal_master("+8613800000001", "customer:cus_b:phone")
    with logged_alarms() as lines, pytest.raises(crypto.Unreadable) as refused:
        crypto.unseal_master(swapped, RECORD)
    broken = [line for line in lines if line["event"] == "integrity.broken"]
    assert [(line["record"], line["log_level"]) for line in broken] == [(RECORD, "error")]
    assert refused.value.record == RECORD and refused.value.facts == {}


def test_a_destroyed_key_and_a_browsers_own_bytes_raise_no_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch, master="a")
    with logged_alarms() as lines:
        with pytest.raises(crypto.Unreadable):
            crypto.unwrap_key(None, "ben_a")
        with pytest.raises(crypto.Unreadable):
            crypto.unseal_master(b"whatever", "web:sign_in", stored=False)
    assert lines == []


def test_indexes_are_made_under_each_live_key(monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch, index="a")
    before = crypto.blind_index("+8613800000001", "phone")
    use_keys(monkeypatch, index="b a")
    now = crypto.blind_indexes("+8613800000001", "phone")
    assert len(set(now)) == 2 and now[0] == crypto.blind_index("+8613800000001", "phone") and now[1] == before


def test_under_a_key_without_an_id_the_form_is_the_one_that_the_release_before_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MASTER_KEY", base64.b64encode(bytes(32)).decode())
    settings.cache_clear()
    sealed = crypto.seal_master("plain", RECORD)
    assert AESGCM(bytes(32)).decrypt(sealed[:12], sealed[12:], RECORD.encode()) == b"plain"
    assert crypto.is_current(sealed, RECORD)
    monkeypatch.delenv("MASTER_KEY")
    monkeypatch.setenv("MASTER_KEYS", f"k1:{base64.b64encode(bytes(32)).decode()}")
    settings.cache_clear()
    assert crypto.open_master(sealed, RECORD) == ("k1", b"plain")
    assert not crypto.is_current(sealed, RECORD), "once it has an id, ciphertexts shall name it"
    named = crypto.reseal(sealed, RECORD)
    assert named is not None and named.startswith(crypto.header("k1"))
