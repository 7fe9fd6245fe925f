"""A new key as settings, in two steps: what each step of a fleet reads of what the other wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from booking.keys.rotate import PURPOSES, Purpose, rotate
from marketplace.core import crypto
from marketplace.core.config import ConfigError, settings
from tests.keys import text_of, use_keys
from tests.people import NOON

RECORD = "customer:cus_a:phone"


@pytest.fixture(autouse=True)
def own_settings() -> Iterator[None]:
    """Settings are read anew, before and after."""
    settings.cache_clear()
    yield
    settings.cache_clear()


def use(monkeypatch: pytest.MonkeyPatch, values: Mapping[str, str], gone: str = "") -> None:
    """From now on these settings count."""
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    if gone:
        monkeypatch.delenv(gone)
    settings.cache_clear()


def test_each_step_reads_what_the_steps_beside_it_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASTER_KEY", text_of("a").removeprefix("a:"))
    made = rotate("master", now=NOON)
    assert made.gone == "MASTER_KEY"
    before = crypto.seal_master("before", RECORD)
    use(monkeypatch, made.known, made.gone)
    known = crypto.seal_master("known", RECORD)
    assert crypto.unseal_master(before, RECORD) == "before"
    use(monkeypatch, made.used)
    used = crypto.seal_master("used", RECORD)
    assert [crypto.unseal_master(each, RECORD) for each in (before, known)] == ["before", "known"]
    use(monkeypatch, made.known)
    assert crypto.unseal_master(used, RECORD) == "used"
    monkeypatch.delenv("MASTER_KEYS")
    monkeypatch.setenv("MASTER_KEY", text_of("a").removeprefix("a:"))
    settings.cache_clear()
    assert crypto.unseal_master(known, RECORD) == "known", "a process that has not been started anew yet"


def test_index_keys_change_in_the_same_two_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch, index="a")
    made = rotate("index", now=NOON)
    use(monkeypatch, made.known)
    assert [key.id for key in settings().index_keys] == ["a", "20260302"]
    use(monkeypatch, made.used)
    assert [key.id for key in settings().index_keys] == ["20260302", "a"]
    assert [key.id for key in settings().index_keys if key.id == "20260302"]
    use(monkeypatch, rotate("index", now=NOON).used)
    assert [key.id for key in settings().index_keys] == ["20260302-1", "20260302", "a"], "twice on one day"


def test_the_secret_of_cookies_changes_in_two_steps_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "old")
    made = rotate("secret", now=NOON)
    use(monkeypatch, made.known)
    [new] = settings().secret_key_fallbacks
    assert settings().secret_key == "old"
    use(monkeypatch, made.used)
    assert (settings().secret_key, settings().secret_key_fallbacks) == (new, ("old",))


def test_a_secret_with_a_blank_cannot_be_a_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "two words")
    with pytest.raises(ConfigError, match="has a blank"):
        rotate("secret", now=NOON)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_what_was_made_is_not_shown_by_chance(purpose: Purpose, monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch, master="a", index="a")
    made = rotate(purpose, now=NOON)
    assert not any(value in repr(made) for value in (*made.known.values(), *made.used.values()))
    assert not any(
        text_of("a").removeprefix("a:") in repr(one) for one in (settings().master_keys, settings().index_keys)
    )
