"""Which keys the settings may name."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from marketplace.core import keyring
from marketplace.core.config import ConfigError, settings
from tests.keys import made, text_of, use_keys

ALONE = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(autouse=True)
def own_settings() -> Iterator[None]:
    """Settings are read anew, before and after."""
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_the_first_of_several_keys_is_the_current_one(monkeypatch: pytest.MonkeyPatch) -> None:
    use_keys(monkeypatch, master="b a", index="c")
    assert [key.id for key in settings().master_keys] == ["b", "a"]
    assert [key.id for key in settings().index_keys] == ["c"]
    assert keyring.text_of(settings().master_keys) == text_of("b a")


def test_a_key_given_alone_still_works_and_is_the_last_beside_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASTER_KEY", ALONE)
    settings.cache_clear()
    assert [(key.id, key.secret) for key in settings().master_keys] == [(keyring.SINGLE, bytes(range(32)))]
    monkeypatch.setenv("MASTER_KEYS", made("b"))
    settings.cache_clear()
    assert [key.id for key in settings().master_keys] == ["b", keyring.SINGLE]


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (f"{made('a')},{made('b').replace('b:', 'a:')}", "two keys with the id 'a'"),
        (f"{made('a')},{made('a').replace('a:', 'b:', 1)}", "one key twice"),
        (f"a:{base64.b64encode(b'short').decode()}", "must be 32 bytes, not 5"),
        (f"a:{base64.b64encode(bytes(33)).decode()}", "must be 32 bytes, not 33"),
        ("a:???", "not valid base64"),
        (ALONE, "must be id:key"),
        (f"A b:{ALONE}", "must be id:key"),
        (f"{'x' * 17}:{ALONE}", "must be id:key"),
        (" , ", "holds no key"),
    ],
)
@pytest.mark.parametrize("name", ["MASTER_KEYS", "INDEX_KEYS"])
def test_keys_that_cannot_be_used_end_the_start_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, setting: str, said: str
) -> None:
    monkeypatch.setenv(name, setting)
    with pytest.raises(ConfigError) as refused:
        settings()
    assert said in str(refused.value) and name in str(refused.value)
    assert setting.strip(" ,")[-20:] not in str(refused.value) or len(setting) < 20, "a key is never quoted"


def test_a_key_alone_may_not_repeat_one_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASTER_KEY", made("a").removeprefix("a:"))
    monkeypatch.setenv("MASTER_KEYS", made("a"))
    with pytest.raises(ConfigError, match="one key twice"):
        settings()


def test_production_without_a_key_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANXIANG_ENV", "production")
    monkeypatch.setenv("SECRET_KEY", "x" * 40)
    with pytest.raises(ConfigError, match="MASTER_KEYS is not set"):
        settings()
