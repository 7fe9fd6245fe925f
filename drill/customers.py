"""Customers of a drill: they book, let holds run out, cancel, change and look, each with dice of her own."""

from __future__ import annotations

import random
import threading
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import psycopg

from drill.api import Answer, Api, GaveUp, Tally
from drill.judge.compare import moment
from drill.judge.journal import Acknowledged, Journal
from drill.rig.plan import Plan
from drill.rig.stage import Person, Stage

_ACTIONS = {"book": 46, "dawdle": 10, "cancel": 14, "change": 18, "wait": 6, "look": 18}
_HOT = 0.4
"""The share of wishes for one day of a few places, whether it looks full or not; the others spread over three weeks."""
_HERSELF = 0.8
"""The share of bookings that are for the customer; her father is too old for many packages."""
_PATIENCE = 60.0
_OVER = frozenset({"cancelled", "rejected", "expired", "fulfilled", "no_show"})


@dataclass
class Mine:
    """A booking as its customer last heard of it."""

    id: str
    offer: str
    state: str


@dataclass
class Customer:
    """One person with a phone. `run` goes on until `over` is set."""

    where: Stage
    person: Person
    dice: random.Random
    tally: Tally
    journal: Journal
    over: threading.Event
    mine: list[Mine] = field(default_factory=list)
    family: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Act, think, act."""
        self.api = Api(self.dice.sample(self.where.webs, 2), self.person.token, self.tally, _PATIENCE)
        acts = {
            "book": self._book,
            "dawdle": self._dawdle,
            "cancel": self._cancel,
            "change": self._change,
            "wait": self._wait,
            "look": self._look,
        }
        try:
            while not self.over.wait(self.dice.uniform(0.1, 1.0)):
                act = acts[self.dice.choices(list(_ACTIONS), list(_ACTIONS.values()))[0]]
                try:
                    act()
                except GaveUp:
                    continue
        except Exception as broken:  # a drill whose customers have gone proves nothing
            self.tally.broken.append(f"a customer of the drill broke down: {broken!r}")
            raise
        finally:
            self.api.close()

    # --- booking ----------------------------------------------------------------------------------------------------

    def _book(self) -> None:
        made = self._hold()
        if made is not None:
            self.over.wait(self.dice.choice((0.0, 0.0, 0.3, 1.5)))
            self._confirm(made)

    def _dawdle(self) -> None:
        """Hold and let the time run out; some confirm in that very moment."""
        made = self._hold()
        if made is None:
            return
        seconds = self.dice.uniform(0.3, 2.5)
        try:
            self.where.end_holds(booking=made.id, seconds=seconds)
        except psycopg.Error:  # the database was killed under us; the hold ends with all others
            self.tally.error("hold not brought forward")
            return
        if self.dice.random() < 0.5:
            self.over.wait(seconds)
            self._confirm(made)

    def _hold(self) -> Mine | None:
        hot = self.dice.random() < _HOT
        offer = self.dice.choice(self.where.hot if hot else self.where.offers)
        slot = self._slot(offer.id, hot)
        beneficiary = self._someone()
        if slot is None:
            return None
        key = self._key()
        body = {"offer_id": offer.id, "slot_id": slot, "beneficiary_id": beneficiary, "details": {}}
        answer = self.api.ask("POST", "/bookings", body, key=key, about="hold")
        if not answer.yes:
            return None
        self._told("hold", answer, key=key, slot=slot)
        if self.dice.random() < 0.1:  # an impatient finger
            again = self.api.ask("POST", "/bookings", body, key=key, about="hold again")
            if again.body.get("id") != answer.body["id"]:
                self.tally.wrong(f"the same key made {answer.body['id']} and then {again.status} {dict(again.body)}")
        made = Mine(answer.body["id"], offer.id, "held")
        self.mine.append(made)
        return made

    def _confirm(self, mine: Mine) -> None:
        self._heard(mine, self.api.ask("POST", f"/bookings/{mine.id}/confirm", about="confirm"), "confirm")

    # --- afterwards -------------------------------------------------------------------------------------------------

    def _cancel(self) -> None:
        mine = self._one_of_mine()
        if mine is not None:
            self._heard(mine, self.api.ask("POST", f"/bookings/{mine.id}/cancel", about="cancel"), "cancel")

    def _change(self) -> None:
        """Look at a booking, and if it is confirmed, ask for another of its offer's times."""
        mine = self._one_of_mine()
        if mine is None or mine.state == "held":
            return
        self._heard(mine, self.api.ask("GET", f"/bookings/{mine.id}", about="read"), "read")
        slot = self._slot(mine.offer, self.dice.random() < _HOT) if mine.state == "confirmed" else None
        if slot is not None:
            path = f"/bookings/{mine.id}/reschedule"
            answer = self.api.ask("POST", path, {"slot_id": slot}, key=self._key(), about="reschedule")
            self._heard(mine, answer, "reschedule")

    def _wait(self) -> None:
        """Wait in line for one of the days that everybody wants."""
        day = str(self.where.first_day)
        body = {
            "offer_ids": [self.dice.choice(self.where.hot).id],
            "beneficiary_id": self._someone(),
            "first_day": day,
            "last_day": day,
            "auto_book": self.dice.random() < 0.5,
        }
        answer = self.api.ask("POST", "/waiting", body, key=self._key(), about="wait")
        if answer.yes:
            line = Acknowledged("wait", self.person.id, str(answer.body["id"]), str(answer.body["state"]))
            self.journal.write(line)

    def _look(self) -> None:
        mine = self._one_of_mine()
        if mine is None or self.dice.random() < 0.4:
            self._list()
            return
        self._heard(mine, self.api.ask("GET", f"/bookings/{mine.id}", about="read"), "read")

    def _list(self) -> None:
        """Look at the list; a place that came from waiting in line is taken, or left to the next."""
        listed = self.api.ask("GET", "/bookings?when=upcoming&limit=50", about="list").body["items"]
        known = {mine.id for mine in self.mine}
        for each in listed:
            if each["id"] not in known:
                mine = Mine(each["id"], each["offer_id"], each["state"])
                self.mine.append(mine)
                if mine.state == "held" and self.dice.random() < 0.7:
                    self._confirm(mine)

    def _one_of_mine(self) -> Mine | None:
        alive = [mine for mine in self.mine if mine.state not in _OVER]
        return self.dice.choice(alive) if alive else None

    def _heard(self, mine: Mine, answer: Answer, what: str) -> None:
        if answer.yes:
            mine.state = str(answer.body["state"])
            self._told(what, answer)
        elif answer.code == "hold_expired":
            mine.state = "expired"

    def _told(self, what: str, answer: Answer, *, key: str = "", slot: str = "") -> None:
        body = answer.body
        self.journal.write(
            Acknowledged(
                what=what,
                customer=self.person.id,
                booking=str(body["id"]),
                state=str(body["state"]),
                key=key,
                version=int(body.get("version") or 0),
                change=str(body.get("change") or ""),
                starts=moment(body["starts_at"], body["service_date"]) if "service_date" in body else "",
                slot=slot,
            )
        )

    # --- choosing ---------------------------------------------------------------------------------------------------

    def _key(self) -> str:
        return str(uuid.UUID(int=self.dice.getrandbits(128), version=4))

    def _someone(self) -> str:
        if not self.family:
            found = self.api.ask("GET", "/me/family", about="list").body["items"]
            self.family = [member["id"] for member in found]
        return self.family[0] if self.dice.random() < _HERSELF else self.dice.choice(self.family)

    def _slot(self, offer: str, hot: bool) -> str | None:
        """A slot to try: on the hot day any, elsewhere one that looks free."""
        first = self.where.first_day if hot else self.where.first_day + timedelta(days=self.dice.randrange(2, 20))
        until = first if hot else first + timedelta(days=2)
        found = self.api.ask("GET", f"/offers/{offer}/slots?from={first}&to={until}", about="slots").body["items"]
        wanted: list[dict[str, Any]] = [slot for slot in found if slot["bookable"] or hot]
        return str(self.dice.choice(wanted)["id"]) if wanted else None


def customers(
    where: Stage, plan: Plan, tally: Tally, journal: Journal, over: threading.Event
) -> list[threading.Thread]:
    """A started thread for each customer of the stage."""
    threads = []
    for number, person in enumerate(where.people):
        customer = Customer(where, person, plan.dice(f"customer/{number}"), tally, journal, over)
        threads.append(threading.Thread(target=customer.run, name=f"customer {number}", daemon=True))
    for thread in threads:
        thread.start()
    return threads
