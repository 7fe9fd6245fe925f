"""Clinicians of an outside provider: played by the sandbox, which is called and calls as a provider's own system."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import requests

from drill.consultations.plan import Setting
from drill.consultations.rows import Case, Line, Stored, read
from drill.judge.books import Difference
from drill.rig.fleet import answers
from marketplace.demo.hospital import HOSPITAL, load_hospital
from marketplace.demo.offers import place_offers

SANDBOX = "sandbox"
SOON = timedelta(seconds=20)
"""A line that was said so long ago stands here, however its event was lost: the list is read every ten seconds."""
FAULTS: Sequence[Mapping[str, Any]] = (
    {"fault": "webhook_duplicate", "command": "consultation.message", "probability": 0.15},
    {"fault": "webhook_drop", "command": "consultation.message", "probability": 0.1},
    {"fault": "webhook_reorder", "command": "consultation.message", "probability": 0.1},
    {"fault": "webhook_late", "command": "consultation.message", "probability": 0.1, "seconds": 3},
    {"fault": "line_twice", "probability": 0.1},
    {"fault": "error_after_commit", "command": "post", "probability": 0.05},
    {"fault": "commit_then_drop", "command": "post", "probability": 0.05},
    {"fault": "commit_then_drop", "command": "open", "probability": 0.05},
)
"""What goes wrong all the time between here and there."""
_TURNS = 1


@dataclass(frozen=True)
class Outside:
    """The provider's system, and what is known of it there. `config` is its file; `ours` the address of our
    database, for its owner."""

    url: str
    config: Path
    ours: str

    @property
    def command(self) -> list[str]:
        """How it is started; its books lie beside its file."""
        port, data = self.url.rsplit(":", 1)[1], self.config.with_name("books")
        return [
            *(sys.executable, "-m", "providers.sandbox", "--port", port),
            *("--data", str(data), "--config", str(self.config)),
        ]

    def up(self, _pid: int) -> bool:
        """Whether it answers."""
        return answers(f"{self.url}/_control/health")

    def begin(self) -> None:
        """From now on things go wrong on the way. Raises requests.RequestException."""
        for fault in FAULTS:
            self._control("POST", "/faults", {**fault, "times": None})

    def end(self) -> None:
        """Its clinicians go on by themselves."""

    def books(self) -> list[dict[str, Any]]:
        """Its consultations, with what was heard and said in each. Raises requests.RequestException."""
        found: list[dict[str, Any]] = self._control("GET", "/consultations")["consultations"]
        return found

    @property
    def done(self) -> dict[str, int]:
        """How often each fault has struck."""
        found: dict[str, int] = {}
        for each in self._control("GET", "/faults")["faults"]:
            name = f"{each['fault']} of {each['command']}"
            found[name] = found.get(name, 0) + int(each["struck"])
        return found

    @property
    def idle(self) -> bool:
        """Whether everything that was said on either side has reached the other one."""
        with suppress(requests.RequestException):
            return not list(reached(read(self.ours), self.books(), timedelta()))
        return False

    def _control(self, verb: str, path: str, body: Any = None) -> Any:
        address = f"{self.url}/_control/accounts/{HOSPITAL}{path}"
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(verb, address, json=body, timeout=30)
        answer.raise_for_status()
        return answer.json() if answer.content else None


def furnish(url: str, webhooks_url: str, owner_url: str, setting: Setting, now: datetime) -> Outside:
    """Make the provider with its offer, and as many verified clinicians as are wanted, in its books and in ours."""
    made = place_offers(sandbox_url=url, webhooks_url=webhooks_url, now=now, auto={}, most_sites=0)
    load_hospital(now)
    document = json.loads(made.config.read_text(encoding="utf-8"))
    roster = list(_roster(setting.clinicians))
    for account in document["accounts"]:
        if account["code"] == HOSPITAL:
            account["consultations"] |= {
                "doctors": roster,
                "at_once": setting.at_once,
                "answer_after": list(setting.answers),
                "turns": _TURNS,
            }
    made.config.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    with psycopg.connect(owner_url, autocommit=True) as books:
        for one in roster:
            books.execute(_VERIFIED, {**one, "provider": HOSPITAL})
    return Outside(url, made.config, owner_url)


_VERIFIED = """
    INSERT INTO outside_clinician (public_id, provider_id, code, name, title_zh, title_en, licence, verified_at,
                                   verified_by, listed_at, created_at, updated_at)
    SELECT 'ocl_' || %(code)s, p.id, %(code)s, %(name)s, %(title_zh)s, %(title_en)s, %(licence)s, now(),
           (SELECT min(id) FROM operator), now(), now(), now()
      FROM provider p WHERE p.code = %(provider)s
"""


def _roster(many: int) -> Iterator[dict[str, Any]]:
    for number in range(many):
        yield {
            "code": f"drill-{number:03d}",
            "name": f"医生{number:03d}",
            "title_zh": "主治医师",
            "title_en": "Attending physician",
            "licence": f"1103300000{number:05d}",
            "departments": ["general", "internal", "dermatology", "paediatrics"],
            "languages": ["zh", "en"],
        }


def reached(stored: Stored, books: Sequence[Mapping[str, Any]], soon: timedelta = SOON) -> Iterator[Difference]:
    """What did not reach the other side, or in another order. `books` were read after `stored`; what was said less than
    `soon` before may still be on its way."""
    there = {each["our_reference"]: each for each in books}
    for case in stored.cases:
        if not case.outside:
            continue
        known = there.pop(case.booking, None)
        ours = [line for line in case.lines if line.author == "customer" and _is_due(line, case, stored, soon)]
        heard = [] if known is None else [(each["id"], each["seq"]) for each in known["heard"]]
        wanted = [(line.message, line.seq) for line in ours]
        if heard[: len(wanted)] != wanted:
            yield Difference("the provider heard otherwise", case.conversation, {"ours": wanted, "theirs": heard})
        said = [] if known is None else known["said"]
        numbers = [each["seq"] for each in said]
        if case.their_lines != numbers[: len(case.their_lines)]:
            facts = {"ours": case.their_lines, "theirs": numbers}
            yield Difference("the provider's lines stand here otherwise", case.conversation, facts)
        missing = [
            each["seq"]
            for each in said[len(case.their_lines) :]
            if datetime.fromisoformat(each["sent_at"]) <= stored.now - soon
        ]
        if missing and not case.closed:
            yield Difference("a line of the provider is missing here", case.conversation, {"numbers": missing})
    for reference in there:
        yield Difference("a consultation there that is not ours", str(reference))


def is_answer_to_what_crossed(found: Difference, books: Sequence[Mapping[str, Any]]) -> bool:
    """Whether it is the case of a line after the end that an outside doctor wrote because the customer's words had
    crossed her summary: she goes on, here it is over, and a person is asked, as it should be."""
    if found.facts.get("kind") != "line_after_end":
        return False
    reference, number = found.subject.rsplit(":", 1)
    for case in books:
        if case["our_reference"] == reference:
            ends = [each["sent_at"] for each in case["said"] if each["kind"] == "summary" and each["seq"] < int(number)]
            return any(_moment(each["at"]) >= _moment(end) for each in case["heard"] for end in ends[-1:])
    return False


def _moment(told: str) -> datetime:
    return datetime.fromisoformat(told)


def _is_due(line: Line, case: Case, stored: Stored, soon: timedelta) -> bool:
    """Whether the provider must have been told: not what it refused, nor what was said a moment ago."""
    return case.deliveries.get(line.message) == "delivered" or (
        case.deliveries.get(line.message) != "refused" and line.at <= stored.now - soon
    )
