"""What was promised and kept, counted again from the raw messages: `python -m drill.consultations.recount ADDRESS`.

Nothing of the product's code is asked, and no figure that it stored is believed: a rule that is wrong there cannot
excuse itself here. Every disagreement is one line; the exit code is 1 where there is any.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from drill.consultations.rows import Case, MadeGood, Promise, Stored, read
from drill.judge.books import Difference

LATE = timedelta(seconds=2)
"""How long after its moment a breach, or an escalation, may be written."""
STEPS = {1: 1 / 2, 2: 5 / 6}
"""The parts of the pledged time after which a conversation is brought before the leads of the shift."""


@dataclass(frozen=True)
class Truth:
    """How a consultation went by its messages. `begun`: the customer's first message, None without any. `answered`: the
    first message of a clinician after it. `ended` is met, breached, cancelled or open, and none where nothing was
    promised; `undecided` where the moment has come and the clock may still be on its way to it."""

    begun: datetime | None
    answered: datetime | None
    ended: str
    undecided: bool = False

    @property
    def seconds(self) -> float | None:
        """What counts among times: from the first message until the first answer, of those that were met or breached.
        Infinite where nobody has answered, None for all others."""
        if self.begun is None or self.ended not in ("met", "breached"):
            return None
        return math.inf if self.answered is None else (self.answered - self.begun).total_seconds()


@dataclass(frozen=True)
class Counted:
    """A group's pledges. `unanswered`: how many of the breached nobody has answered. `kept`: the share of met among met
    and breached, None without any; `p50`, `p90` and `p99` by nearest rank: the seconds that so many of a hundred of
    these took at the most, infinite where nobody has answered, None without any."""

    open: int
    met: int
    breached: int
    cancelled: int
    unanswered: int
    kept: float | None
    p50: float | None
    p90: float | None
    p99: float | None


def truth(case: Case, now: datetime, late: timedelta = LATE) -> Truth:
    """What its messages say at `now`, where a breach may be written `late`. A clinician's message counts, never an
    automatic line."""
    asked = next((line for line in case.lines if line.author == "customer"), None)
    begun = None if asked is None else asked.at
    answered = None if asked is None else _first_word(case, after=asked.seq)
    if begun is None or not case.promises:
        return Truth(begun, answered, "none")
    due = begun + timedelta(seconds=case.promises[0].seconds)
    ends = [(at, ended) for at, ended in ((answered, "met"), (_earliest(case.cancels), "cancelled")) if at is not None]
    in_time = min((end for end in ends if end[0] < due), default=None)
    if in_time is not None:
        return Truth(begun, answered, in_time[1])
    return Truth(begun, answered, "open" if now < due else "breached", undecided=due <= now < due + late)


def recount(stored: Stored, late: timedelta = LATE) -> list[Difference]:
    """Everything in which the rows disagree with what their messages say; `late` is what a breach may be."""
    found: list[Difference] = []
    given = _given(stored)
    for case in stored.cases:
        known = truth(case, stored.now, late)
        for facts in (_numbers(case), _promised(case, known), _ended(case, known, late), _made_good(case, given)):
            found += [Difference(kind, case.conversation, given) for kind, given in facts]
        found += [Difference(kind, case.conversation, given) for kind, given in _escalated(case, stored.now, late)]
        found += [Difference(kind, case.conversation, given) for kind, given in _exchanged(case)]
    for shift in stored.shifts:
        if shift.says != shift.has or shift.has > shift.most:
            found.append(Difference("a shift has another number in hand", f"shift {shift.shift}", asdict(shift)))
    return found


Facts = Iterator[tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class Given:
    """What breaches gave: `gifts` are those entitlements, `of` the compensations by the entitlement that was used."""

    gifts: frozenset[int]
    of: Mapping[int, Sequence[MadeGood]]


def _given(stored: Stored) -> Given:
    of: dict[int, list[MadeGood]] = defaultdict(list)
    for case in stored.cases:
        of[case.entitlement] += [each for each in case.made_good if each.entitlement is not None]
    return Given(frozenset(it.entitlement for made in of.values() for it in made if it.entitlement is not None), of)


def _numbers(case: Case) -> Facts:
    """Each message once, from 1 on without a gap, none before the one that it follows."""
    numbers = [line.seq for line in case.lines]
    if numbers != list(range(1, len(numbers) + 1)):
        yield "messages are not numbered from 1 without a gap", {"numbers": numbers}
    if case.last_seq != max(numbers, default=0):
        yield "the newest message has another number", {"says": case.last_seq, "newest": max(numbers, default=0)}
    for name, values in (("client's id", [it.client_id for it in case.lines]), ("id", [m.message for m in case.lines])):
        twice = [value for value, times in Counter(values).items() if times > 1]
        if twice:
            yield "a message stands twice", {name: twice}
    said = [line for line in case.lines if line.author != "automatic"]
    for before, after in pairwise(said):
        if after.at < before.at:
            yield "a message is older than the one before it", {"seq": after.seq, "at": after.at, "before": before.at}


def _promised(case: Case, known: Truth) -> Facts:
    """One pledge for each consultation in which something was asked, from the first message on."""
    if len(case.promises) != (known.begun is not None):
        yield "not promised once", {"pledges": len(case.promises), "first_message": known.begun}
    if case.first_message_at != known.begun:
        yield "the first message is at another moment", {"says": case.first_message_at, "messages": known.begun}
    spoke = _first_word(case)  # she may have written before she was asked, which answers nothing
    if case.first_answer_at != spoke:
        yield "the first answer is at another moment", {"says": case.first_answer_at, "messages": spoke}
    for each in case.promises:
        if each.begun_at != known.begun or each.due_at != each.begun_at + timedelta(seconds=each.seconds):
            yield "a pledge runs otherwise", {"begun": each.begun_at, "due": each.due_at, "messages": known.begun}


def _ended(case: Case, known: Truth, late: timedelta) -> Facts:
    """Met, broken or cancelled as the messages have it, and a breach written within `late` of its moment."""
    for each in case.promises:
        state = "open" if each.state in ("pending", "at_risk") else each.state
        if state != known.ended and not (known.undecided and state == "open"):
            yield "a pledge ended otherwise", {"says": each.state, "messages": known.ended, "answered": known.answered}
        if each.met_at is not None and each.met_at != known.answered:
            yield "a pledge was met at another moment", {"says": each.met_at, "messages": known.answered}
        for what, at in (("by its moment", each.breached_at), ("written", _breach_written(each))):
            if at is not None and not timedelta() <= at - each.due_at <= late:
                seconds = (at - each.due_at).total_seconds()
                yield f"a breach is early or late {what}", {"seconds": seconds, "due": each.due_at}


def _breach_written(each: Promise) -> datetime | None:
    return each.written if each.state == "breached" else None


def _made_good(case: Case, given_before: Given) -> Facts:
    """For each breach one compensation, one line of the ledger and one notice; for anything else none."""
    broken = sum(1 for each in case.promises if each.state == "breached")
    if len(case.made_good) != broken:
        yield "a breach is not made good once", {"breaches": broken, "compensations": len(case.made_good)}
    if case.notices != (0 if case.erased else broken):
        yield "a breach is not notified once", {"breaches": broken, "notices": case.notices}
    given = [each.units for each in case.made_good if each.units]
    if case.ledger != given:
        yield "what was given does not stand in the ledger once", {"given": given, "ledger": case.ledger}
    for each in case.made_good:
        whose = (each.granted, each.kind, each.customer)
        if each.units and whose != (each.units, case.kind, case.customer):
            yield "what was given is another benefit", {"units": each.units, "entitlement": each.entitlement}
    for each in case.made_good[:1]:
        owed = _owed(case, each, given_before)
        if each.units != owed:
            yield "a breach gave another number of units", {"given": each.units, "owed": owed}


def _owed(case: Case, made: MadeGood, given: Given) -> int:
    """What a breach gives: nothing of what is unlimited or was given for a breach itself, and each unit of a benefit is
    made good once."""
    if case.quantity is None or case.erased or case.entitlement in given.gifts:
        return 0
    before = sum(1 for other in given.of[case.entitlement] if other is not made and other.at < made.at)
    return case.promises[0].units if before < case.quantity else 0


def _escalated(case: Case, now: datetime, late: timedelta) -> Facts:
    """Each step once, within `late` of its moment, where a pledge was open for so long and a shift of ours has it."""
    for each in () if case.outside else case.promises[:1]:
        over = min(at for at in (each.met_at, each.breached_at, each.cancelled_at, now) if at is not None)
        for step, part in STEPS.items():
            due = each.begun_at + timedelta(seconds=each.seconds) * part
            written = case.steps.get(step, [])
            if any(not timedelta() <= at - due <= late for at in written) or len(written) > 1:
                yield "an escalation is not once and in time", {"step": step, "due": due, "written": written}
            if not written and over > due + late:
                yield "an escalation is missing", {"step": step, "due": due}


def _exchanged(case: Case) -> Facts:
    """Of a provider's lines each once, from 1 on without a gap, in its order; and one delivery for what it is told."""
    if case.their_lines != list(range(1, len(case.their_lines) + 1)) or case.their_seq != len(case.their_lines):
        yield "a provider's lines are not here in its order", {"says": case.their_seq, "numbers": case.their_lines}
    said = sorted(line.message for line in case.lines if line.author == "customer") if case.outside else []
    if sorted(case.deliveries) != said:
        yield "what a customer said is not on its way once", {"said": len(said), "deliveries": len(case.deliveries)}


BY: Mapping[str, Callable[[Case, datetime, ZoneInfo], str]] = {
    "department": lambda case, _begun, _zone: case.department,
    "provider": lambda case, _begun, _zone: case.provider,
    "day": lambda _case, begun, zone: f"{begun.astimezone(zone):%Y-%m-%d}",
    "hour": lambda _case, begun, zone: f"{begun.astimezone(zone):%H}",
    "shift": lambda _case, begun, zone: ("night", "day", "evening")[begun.astimezone(zone).hour // 8],
    "all": lambda _case, _begun, _zone: "",
}


def figures(
    stored: Stored,
    by: str,
    *,
    since: datetime,
    until: datetime,
    zone: str,
    provider: str | None = None,
    insurer: str | None = None,
) -> dict[str, Counted]:
    """The pledges that began from `since` to before `until`, by department, provider, day, hour of the day or shift in
    `zone` (night, day and evening, eight hours each), or all together under a blank name. They are those of all
    providers but those of tests, or of one (a code); of all insurers or of one (a code)."""
    groups: dict[str, list[Truth]] = defaultdict(list)
    for case in stored.cases:
        known = truth(case, stored.now)
        if known.begun is None or not since <= known.begun < until or not case.promises:
            continue
        if (case.is_twin if provider is None else case.provider != provider) or insurer not in (None, case.insurer):
            continue
        groups[BY[by](case, known.begun, ZoneInfo(zone))].append(known)
    return {name: _counted(found) for name, found in sorted(groups.items())}


def _counted(found: Sequence[Truth]) -> Counted:
    ends = Counter(each.ended for each in found)
    ended = ends["met"] + ends["breached"]
    seconds = sorted(each.seconds for each in found if each.seconds is not None)
    shares = (_rank(seconds, share) for share in (50, 90, 99))
    kept = ends["met"] / ended if ended else None
    unanswered = seconds.count(math.inf)
    return Counted(ends["open"], ends["met"], ends["breached"], ends["cancelled"], unanswered, kept, *shares)


def lateness(stored: Stored) -> list[tuple[float, float | None]]:
    """Of each breach, how many seconds after its moment it says to be and how many after it was written (None where
    that is not noted), the latest last."""
    found = []
    for case in stored.cases:
        for each in case.promises:
            if each.breached_at is not None:
                written = None if each.written is None else (each.written - each.due_at).total_seconds()
                found.append(((each.breached_at - each.due_at).total_seconds(), written))
    return sorted(found, key=lambda it: (it[1] or 0, it[0]))


def _rank(values: Sequence[float], share: int) -> float | None:
    """The nearest rank: the least of the sorted values that `share` of a hundred do not exceed."""
    return values[math.ceil(len(values) * share / 100) - 1] if values else None


def _first_word(case: Case, after: int = 0) -> datetime | None:
    """When a clinician first said something, behind a message with that number."""
    return next((line.at for line in case.lines if line.author == "clinician" and line.seq > after), None)


def _earliest(moments: Sequence[datetime]) -> datetime | None:
    return min(moments, default=None)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print figures and disagreements as JSON; the exit code is 1 where there is any of these."""
    parser = argparse.ArgumentParser(prog="python -m drill.consultations.recount", description="Count pledges again.")
    parser.add_argument("address", help="of the database, for a role that may read all tables")
    parser.add_argument("--since", type=datetime.fromisoformat, default=datetime(2000, 1, 1, tzinfo=UTC))
    parser.add_argument("--until", type=datetime.fromisoformat, default=datetime(3000, 1, 1, tzinfo=UTC))
    parser.add_argument("--by", choices=sorted(BY), default="department")
    parser.add_argument("--zone", default="UTC", help="whose hours of the day are meant (UTC)")
    parser.add_argument("--provider", help="a code; without it all but those of tests")
    parser.add_argument("--insurer", help="a code")
    given = parser.parse_args(arguments)
    stored = read(given.address)
    only = {"provider": given.provider, "insurer": given.insurer}
    counted = figures(stored, given.by, since=given.since, until=given.until, zone=given.zone, **only)
    found = recount(stored)
    shown = {
        "at": stored.now,
        "consultations": len(stored.cases),
        "messages": sum(len(case.lines) for case in stored.cases),
        "figures": {name: asdict(each) for name, each in counted.items()},
        "differences": [str(each) for each in found],
    }
    print(json.dumps(shown, ensure_ascii=False, indent=1, default=str))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
