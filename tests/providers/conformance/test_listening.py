"""The listener of a run takes what comes to the path that the provider was told, and keeps a bounded part of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from providers.conformance import listening
from providers.conformance.listening import Listener


@pytest.fixture
def listener() -> Iterator[Listener]:
    """One on loopback."""
    made = Listener()
    yield made
    made.close()


def send(url: str, body: bytes) -> int:
    with requests.Session() as session:
        session.trust_env = False
        return session.post(url, data=body, timeout=10).status_code


def test_only_the_path_of_this_run_is_listened_at(listener: Listener) -> None:
    elsewhere = listener.url.rpartition("/")[0]
    assert [send(url, b"kit-1") for url in (f"{elsewhere}/", f"{elsewhere}/hook")] == [404, 404]
    assert send(listener.url, b"kit-1") == 204
    assert len(listener.about(b"kit-1")) == 1


def test_an_address_that_is_known_outside_gets_a_path_of_this_run_too() -> None:
    told = []
    for _ in range(2):
        made = Listener(url="https://ci.example/hook/")
        told.append(made.url)
        made.close()
    assert len(set(told)) == 2 and all(url.startswith("https://ci.example/hook/") for url in told)


def test_no_more_bytes_are_kept_than_a_run_can_need(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "MOST_BYTES", 25)
    assert [send(listener.url, b"0123456789") for _ in range(3)] == [204] * 3
    assert len(listener.about(b"0")) == 2
