"""Customers of the drill: they open a consultation, say what they have planned, and write down what was taken."""

from __future__ import annotations

import random
import threading
import time
import uuid
from dataclasses import dataclass
from typing import Any

from drill.api import Answer, Api, GaveUp, Tally
from drill.consultations.plan import EMERGENCY, Plan, Visit, Words
from drill.consultations.stage import Clinic
from drill.judge.journal import Journal, TakenMessage
from drill.rig.stage import Person

PATIENCE, TIMEOUT = 180.0, 45.0
"""Seconds: all come at the same moment, and to ask again meanwhile would only make the queue longer."""
_CLOSED = ("conversation_closed",)


@dataclass
class Patient:
    """One person with a telephone. `conversation` is blank until hers was opened; `began`: when her first words were
    taken, by the monotonic clock."""

    where: Clinic
    person: Person
    visit: Visit
    dice: random.Random
    tally: Tally
    journal: Journal
    conversation: str = ""
    booking: str = ""
    began: float | None = None
    has_warned: bool = False
    """Whether words of hers that were taken have a sign of an emergency."""

    def run(self, gate: threading.Barrier) -> None:
        """Wait for all others at the gate, open it, and say everything in its time."""
        api = Api(
            self.dice.sample(self.where.webs, len(self.where.webs)), self.person.token, self.tally, PATIENCE, TIMEOUT
        )
        try:
            family = api.ask("GET", "/me/family", about="list").body["items"]
            gate.wait(PATIENCE)
            self._open(api, family[0]["id"])
            self._say_all(api)
        except GaveUp:
            self.tally.wrong("a customer was not answered at all")
        except Exception as broken:  # a drill whose customers have gone proves nothing
            self.tally.wrong(f"a customer of the drill broke down: {broken!r}")
            raise
        finally:
            api.close()

    def words_of(self) -> list[dict[str, Any]]:
        """All that stands in her conversation, as she is shown it."""
        api = Api(self.where.webs, self.person.token, self.tally, PATIENCE, TIMEOUT)
        found: list[dict[str, Any]] = []
        try:
            while True:
                after = found[-1]["seq"] if found else 0
                path = f"/consultations/{self.conversation}/messages?after={after}&limit=50"
                page = api.ask("GET", path, about="messages").body["items"]
                found += page
                if not page:
                    return found
        finally:
            api.close()

    def _open(self, api: Api, beneficiary: str) -> None:
        body = {
            "offer_id": self.where.offer,
            "beneficiary_id": beneficiary,
            "department": self.visit.department,
            "language": self.visit.language,
        }
        key = self._id()
        opened = _yes(api.ask("POST", "/consultations", body, key=key, about="open"))
        self.conversation, self.booking = str(opened["id"]), str(opened["booking_id"])
        if self.dice.random() < 0.1:  # an impatient finger
            again = _yes(api.ask("POST", "/consultations", body, key=key, about="open again"))
            if again["id"] != self.conversation:
                self.tally.wrong(f"the same key opened {self.conversation} and {again['id']}")

    def _say_all(self, api: Api) -> None:
        given_up = self.visit.gives_up
        for words in self.visit.words:
            if given_up is not None and words.after >= given_up:
                break
            self._wait(words.after)
            if not self._say(api, words):
                return
            self.began = self.began or time.monotonic()
        if given_up is not None:
            self._wait(given_up)
            # refused once a doctor has answered: then it goes on
            api.ask("POST", f"/bookings/{self.booking}/cancel", about="cancel")

    def _say(self, api: Api, words: Words) -> bool:
        """Say it, some twice at the same moment under one id; False where the conversation is over."""
        body = {"client_message_id": self._id(), "text": words.text}
        answers: list[Answer] = []
        other = threading.Thread(target=self._once_more, args=(body, answers), name="once more")
        if words.twice:
            other.start()
        answers.append(api.ask("POST", f"/consultations/{self.conversation}/messages", body, about="say"))
        if words.twice:
            other.join()
        taken = [each.body for each in answers if each.yes]
        if len({(each["id"], each["seq"]) for each in taken}) > 1:
            self.tally.wrong(f"one message was taken as {taken}")
        for answer in answers:
            if not answer.yes and answer.code not in _CLOSED:
                self.tally.wrong(f"what a customer says was refused: {answer.code}")
        self.has_warned |= bool(taken) and words.text in EMERGENCY.values()
        for each in taken[:1]:
            said = (self.conversation, "customer", body["client_message_id"], words.text)
            self.journal.write(TakenMessage(*said, int(each["seq"]), str(each["id"])))
        return bool(taken)

    def _once_more(self, body: dict[str, str], answers: list[Answer]) -> None:
        api = Api(self.where.webs[::-1], self.person.token, self.tally, PATIENCE, TIMEOUT)
        try:
            answers.append(api.ask("POST", f"/consultations/{self.conversation}/messages", body, about="say again"))
        except GaveUp:
            self.tally.wrong("a message said twice was not answered at all")
        finally:
            api.close()

    def _wait(self, seconds: float) -> None:
        if self.began is not None:
            time.sleep(max(0.0, self.began + seconds - time.monotonic()))

    def _id(self) -> str:
        return str(uuid.UUID(int=self.dice.getrandbits(128), version=4))


def patients(where: Clinic, plan: Plan, tally: Tally, journal: Journal) -> list[Patient]:
    """One for each visit of the plan."""
    return [
        Patient(where, person, visit, plan.dice(f"patient/{number}"), tally, journal)
        for number, (person, visit) in enumerate(zip(where.people, plan.visits, strict=True))
    ]


def begin(found: list[Patient]) -> list[threading.Thread]:
    """A started thread for each; all open theirs at the same moment."""
    gate = threading.Barrier(len(found))
    threads = [
        threading.Thread(target=each.run, args=(gate,), name=f"patient {number}", daemon=True)
        for number, each in enumerate(found)
    ]
    for thread in threads:
        thread.start()
    return threads


def _yes(answer: Answer) -> Any:
    if not answer.yes:
        raise ValueError(f"refused: {answer.code} {dict(answer.body)}")
    return answer.body
