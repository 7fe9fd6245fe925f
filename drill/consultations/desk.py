"""Clinicians at our own desk: they take what is offered to them, answer after a while, and close it with a summary.

They act by the use cases that the desk's pages call. A person is slow and a machine that plays forty of them is not: so
one board is looked at for all, and each act has its moment.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random

from sqlalchemy.exc import DBAPIError

from booking.consultation.close import NotAnswered, close
from booking.consultation.queue import AlreadyTaken, ClinicianNotFree, accept, waiting
from booking.consultation.say import ConversationClosed, Said, clinician_says
from booking.consultation.summary import Summary
from drill.api import Tally
from drill.consultations.plan import Plan
from drill.consultations.stage import Clinic
from drill.judge.journal import Journal, TakenMessage
from marketplace.core.database.moment import by_database, now_by_database
from marketplace.core.errors import Busy, NotFound
from vip.principal import Member

_LOOK, _AGAIN = 0.25, 0.3
_HANDS = 8
"""Threads that carry out what is due."""
_TAKES = (0.1, 2.0)
"""Seconds in which an offer is taken."""
_CLOSES = (0.05, 0.15)
"""After this part of the pledged time from her answer she closes it."""
_MISSES, _TWICE = 0.03, 0.3
_OVER = (ConversationClosed, AlreadyTaken, NotFound, NotAnswered)
"""What ends an act: the customer has gone, or somebody else has it."""
_ANSWERS = {
    "zh": "您好，我看到了。多久了？有没有别的不舒服？",
    "en": "Hello, I have read this. Since when, and anything else?",
}
_SUMMARY = {
    "zh": ("目前没有危险的表现", "多喝水，三天不好再来"),
    "en": ("Nothing dangerous now", "Rest; come back in 3 days"),
}

Act = Callable[[], None]


@dataclass
class Clinicians:
    """All of a drill. `done` counts what they did; whoever looks after the drill waits until `idle`."""

    where: Clinic
    plan: Plan
    tally: Tally
    journal: Journal
    done: Counter[str] = field(default_factory=Counter)
    _due: list[tuple[float, int, Act]] = field(default_factory=list)
    _number: itertools.count[int] = field(default_factory=itertools.count)
    _seen: dict[str, set[str]] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _busy: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def begin(self) -> None:
        """They come to work."""
        self._thread = threading.Thread(target=self._run, name="clinicians", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """They go, each when she has done what she is about."""
        self._over.set()
        self._thread.join(30)

    def _run(self) -> None:
        """Look at the board and act."""
        self._dice = self.plan.dice("clinicians")
        self._by_id = {each.public_id: each for each in self.where.clinicians}
        with ThreadPoolExecutor(_HANDS, "clinician") as hands:
            looked = 0.0
            while not self._over.wait(0.02):
                now = time.monotonic()
                if now - looked > _LOOK:
                    self._look(now)
                    looked = now
                while (act := self._next(now)) is not None:
                    hands.submit(self._carry_out, act)

    @property
    def idle(self) -> bool:
        """Nothing is due, now or later."""
        with self._guard:
            return not self._due and not self._busy

    def _look(self, now: float) -> None:
        """Each offer is taken once it was read; a few are missed, and passed on by the product."""
        try:
            board = waiting(self.where.clinicians[0], 1000)
        except (DBAPIError, Busy):
            return
        for each in board:
            seen = self._seen.setdefault(each.conversation, set())
            if each.offered_to is None or each.offered_to in seen:
                continue
            seen.add(each.offered_to)
            if self._dice.random() < _MISSES:
                self.done["offers missed"] += 1
                continue
            member, language = self._by_id[each.offered_to], each.language
            dice = self.plan.dice(f"answer/{each.conversation}")
            self._later(now + dice.uniform(*_TAKES), self._takes(member, each.conversation, language, dice))

    def _takes(self, member: Member, conversation: str, language: str, dice: Random) -> Act:
        def act() -> None:
            try:
                accept(member, conversation, now=now_by_database())
            except (ClinicianNotFree, Busy):  # offered again, to her or to a colleague
                self._seen[conversation].discard(member.public_id)
                return
            self.done["taken in hand"] += 1
            said = Said(_id(dice), _ANSWERS[language])
            at = time.monotonic() + dice.uniform(*self.plan.setting.answers)
            for _ in range(2 if dice.random() < _TWICE else 1):  # the second is the same message sent again
                self._later(at, self._says(member, conversation, said))
            part = dice.uniform(*_CLOSES) * self.plan.setting.pledged
            self._later(at + part, self._closes(member, conversation, language))

        return act

    def _says(self, member: Member, conversation: str, said: Said) -> Act:
        def act() -> None:
            taken = clinician_says(member, conversation, said, now=by_database)
            self.done["answers sent again" if taken.replayed else "answers"] += 1
            line = (conversation, "clinician", said.client_message_id, said.text)
            self.journal.write(TakenMessage(*line, taken.seq, taken.public_id))

        return act

    def _closes(self, member: Member, conversation: str, language: str) -> Act:
        def act() -> None:
            try:
                close(member, conversation, Summary(*_SUMMARY[language]), now=by_database)
            except NotAnswered:  # her answer is still on its way
                raise Busy() from None
            self.done["closed"] += 1

        return act

    def _carry_out(self, act: Act) -> None:
        """One act; again a moment later where somebody was in the way."""
        try:
            act()
        except _OVER:
            self.done["came too late"] += 1
        except Busy:
            self.done["tried again"] += 1
            self._later(time.monotonic() + _AGAIN, act)
        except Exception as broken:  # a drill whose clinicians have gone proves nothing
            self.tally.wrong(f"a clinician of the drill broke down: {broken!r}")
        finally:
            with self._guard:
                self._busy -= 1

    def _later(self, at: float, act: Act) -> None:
        with self._guard:
            heapq.heappush(self._due, (at, next(self._number), act))

    def _next(self, now: float) -> Act | None:
        """What is due, no longer waiting but being done."""
        with self._guard:
            if not self._due or self._due[0][0] > now:
                return None
            self._busy += 1
            return heapq.heappop(self._due)[2]


def _id(dice: Random) -> str:
    return str(uuid.UUID(int=dice.getrandbits(128), version=4))
