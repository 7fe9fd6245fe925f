"""Carrying out a plan: kills from the main thread, the providers' faults and moves from another."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests

from drill.rig.plan import REST, Fault, Kill, Plan, ProviderMove, Stray
from drill.rig.stage import CODES, PLAYED_BY, Stage

_TICK = 0.05
_LOOK = 0.25
_FROM = {
    "cancel": ("requested", "confirmed", "checked_in", "in_service"),
    "check_in": ("confirmed",),
    "fulfil": ("confirmed", "checked_in", "in_service"),
    "no_show": ("confirmed",),
}


def kill_by_plan(where: Stage, plan: Plan, began: float) -> None:
    """Kill who is to be killed when its time has come, until the plan's time is over. Call it from the main thread.

    Who is still starting is left to start, and killed when it has been at work for its REST; the kills of one process
    that come meanwhile are one. So a busy machine makes fewer kills, not kills that hit nothing.
    """
    to_come, due = list(plan.kills), set[str]()
    looked = 0.0
    while (now := time.monotonic() - began) < plan.seconds:
        chosen = next_kill(to_come, due, now, lambda what: where.fleet.up(what, REST[what]))
        if chosen is not None:
            where.fleet.kill(chosen)
        if time.monotonic() - looked > _LOOK:
            where.fleet.look()
            looked = time.monotonic()
        time.sleep(_TICK)


def next_kill(to_come: list[Kill], due: set[str], now: float, ready: Callable[[str], bool]) -> str | None:
    """Who is killed at `now`: one of those whose time has come and who are `ready`. The others stay in `due`."""
    while to_come and to_come[0].at <= now:
        due.add(to_come.pop(0).what)
    chosen = next((what for what in sorted(due) if ready(what)), None)
    due.discard(chosen or "")
    return chosen


def able_to(action: str, found: Sequence[Mapping[str, Any]], today: str) -> list[str]:
    """References of the bookings that a provider may do `action` with: what belongs to a day, with those of `today`,
    also while that day is being given up and the booking lives there twice. Nobody has missed an hour that has not
    come, and the day has just begun: only whole days are missed."""
    return [
        booking["reference"]
        for booking in found
        if booking["status"] in _FROM[action] and (action == "cancel" or booking["service_date"] == today)
        if action != "no_show" or booking.get("starts_at") is None
    ]


@dataclass
class Providers:
    """The other side's day: faults that come and go, and things that providers do by themselves."""

    where: Stage
    plan: Plan
    began: float
    over: threading.Event
    moves: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
    strays: list[str] = field(default_factory=list)
    silences: int = 0
    is_silent: bool = False
    _on: dict[str, tuple[int, tuple[Fault, ...]]] = field(default_factory=dict)

    def run(self) -> None:
        """Go by the plan until `over`; then the database answers, so that all can start who were killed last."""
        moves, strays = list(self.plan.moves), list(self.plan.strays)
        while not self.over.wait(_TICK):
            now = time.monotonic() - self.began
            for code in CODES:
                self._switch(code, tuple(f for f in self.plan.faults if f.provider == code and f.at <= now < f.until))
            while moves and moves[0].at <= now:
                self._move(moves.pop(0))
            while strays and strays[0].at <= now:
                self._stray(strays.pop(0))
            self._be_silent(any(silence.at <= now < silence.until for silence in self.plan.silences))
        self._be_silent(False)

    def calm(self) -> None:
        """All faults off; what struck is counted."""
        for code in CODES:
            self._count(self.where.control("GET", code, "/faults")["faults"])
            self.where.control("DELETE", code, "/faults")

    def _switch(self, code: str, wanted: tuple[Fault, ...]) -> None:
        """Exactly these faults are on, again where a sandbox that was killed has forgotten them."""
        aim = (self.where.fleet.kills[PLAYED_BY[code]], wanted)
        if self._on.get(code, (0, ())) == aim:
            return
        try:
            self._count(self.where.control("GET", code, "/faults")["faults"])
            self.where.control("DELETE", code, "/faults")
            for fault in wanted:
                self.where.control("POST", code, "/faults", fault.body)
        except requests.RequestException:  # the sandbox is being killed; the next round tries again
            self._on.pop(code, None)
            return
        self._on[code] = aim

    def _count(self, faults: list[dict[str, Any]]) -> None:
        for fault in faults:
            self.struck[fault["fault"]] += fault["struck"]

    def _be_silent(self, silent: bool) -> None:
        """Let the database answer nothing, or answer again; connections from before stay dead."""
        if silent != self.is_silent:
            self.is_silent = silent
            self.silences += silent
            self.where.proxy.become("silent" if silent else "pass")

    def _stray(self, stray: Stray) -> None:
        """Another booking there beside one of ours, on a later day: nobody serves it before it is found."""
        try:
            found = self.where.control("GET", stray.provider, "/bookings")["bookings"]
            later = [
                each["reference"]
                for each in found
                if each["status"] == "confirmed" and each["service_date"] > self.where.first_day.isoformat()
            ]
            if later:
                beside = later[int(stray.dice * len(later))]
                wish = {"our_reference": f"nobody-{len(self.strays)}"}
                made = self.where.control("POST", stray.provider, f"/bookings/{beside}/copy", wish)
                self.strays.append(made["reference"])
        except requests.RequestException:
            self.moves["not possible"] += 1

    def _move(self, move: ProviderMove) -> None:
        try:
            found = self.where.control("GET", move.provider, "/bookings")["bookings"]
            able = able_to(move.action, found, self.where.first_day.isoformat())
            if able:
                chosen = able[int(move.dice * len(able))]
                self.where.control("POST", move.provider, f"/bookings/{chosen}/{move.action}", {"reason": "closed"})
                self.moves[move.action] += 1
        except requests.RequestException:
            self.moves["not possible"] += 1
