"""A customer's app as it should be: every request is repeated with the same key until it is answered."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests

_PAUSES = (0.2, 0.4, 0.8, 1.5)
_TIMEOUT = 10.0


class GaveUp(Exception):
    """Nobody answered for so long that a person would have put the phone away; what became of it is not known."""


@dataclass
class Tally:
    """What customers saw, all together; times in seconds."""

    answers: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def error(self, what: str) -> None:
        """A request that got no answer, or one that asks to come again."""
        with self.guard:
            self.errors[what] += 1

    def wrong(self, sentence: str) -> None:
        """An answer that no customer should get, whatever was killed."""
        with self.guard:
            self.broken.append(sentence)

    def answered(self, what: str, took: float, waited: float) -> None:
        """An answer that counts: how long it took, and how long since the first try."""
        with self.guard:
            self.answers[what] += 1
            self.times.append(took)
            self.waits.append(waited)

    def refused(self, code: str) -> None:
        """A no."""
        with self.guard:
            self.refusals[code] += 1


@dataclass(frozen=True)
class Answer:
    """A status below 500 with its document; `code` is the problem's."""

    status: int
    body: Mapping[str, Any]

    @property
    def yes(self) -> bool:
        """2xx."""
        return 200 <= self.status < 300

    @property
    def code(self) -> str:
        """The problem's code, blank for a yes."""
        return str(self.body.get("code", "")) if not self.yes else ""


class Api:
    """One customer's connection; when a web server breaks off, the next try goes to the other one. `timeout`: how many
    seconds one try may take, `patience` all of them."""

    def __init__(
        self, urls: Sequence[str], token: str, tally: Tally, patience: float, timeout: float = _TIMEOUT
    ) -> None:
        self._urls = [f"{url}/api/v1" for url in urls]
        self._tally = tally
        self._patience = patience
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {token}"

    def ask(self, verb: str, path: str, body: Any = None, *, key: str = "", about: str = "read") -> Answer:
        """Ask until there is an answer. Raises GaveUp."""
        first = time.monotonic()
        for pause in itertools.chain(_PAUSES, itertools.repeat(_PAUSES[-1])):
            if time.monotonic() - first > self._patience:
                break
            began = time.monotonic()
            answer = self._try(verb, path, body, key)
            if answer is not None:
                ended = time.monotonic()
                self._tally.answered(about if answer.yes else "refused", ended - began, ended - first)
                if not answer.yes:
                    self._tally.refused(answer.code or str(answer.status))
                return answer
            time.sleep(pause)
        self._tally.error("gave up")
        raise GaveUp(path)

    def _try(self, verb: str, path: str, body: Any, key: str) -> Answer | None:
        """One try; None when it has to be repeated."""
        headers = {"Idempotency-Key": key} if key else {}
        try:
            got = self._session.request(verb, self._urls[0] + path, json=body, headers=headers, timeout=self._timeout)
            document = got.json()
        except requests.Timeout:
            self._tally.error("no answer in time")
            self._urls.reverse()
            return None
        except requests.JSONDecodeError:
            self._tally.wrong(f"{verb} {path.split('?')[0]}: {got.status_code} without JSON")
            return None
        except requests.RequestException:
            self._tally.error("connection broken")
            self._urls.reverse()
            return None
        code = str(document.get("code", ""))
        if got.status_code in (429, 502, 503, 504) or code == "busy":
            self._tally.error(f"{got.status_code} {code}".strip())
            return None
        if got.status_code >= 500:
            self._tally.wrong(f"{verb} {path.split('?')[0]}: {got.status_code} {code} {document.get('instance', '')}")
            return None
        return Answer(got.status_code, document)

    def close(self) -> None:
        """Hang up."""
        self._session.close()
