"""What was said, against what is stored, shown and counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from datetime import timedelta
from typing import Any, get_args

import psycopg
from psycopg.rows import namedtuple_row

from booking.consultation.pledge_figures import By, PledgeFigures, pledge_figures
from drill.consultations.outside import is_answer_to_what_crossed, reached
from drill.consultations.patients import Patient
from drill.consultations.recount import Counted, figures, lateness, recount
from drill.consultations.rows import Stored, read
from drill.consultations.stage import Clinic
from drill.judge.books import Difference, differences
from drill.judge.journal import Journal, TakenMessage
from marketplace.core import clock
from marketplace.core.database.db import forget_engines

_NEEDS_A_PLACE = "a booking does not hold its place"
"""The one question to our books that does not fit: what begins at once has no slot."""
_NEAR = 1e-6
_READERS = 8


def judge(where: Clinic, patients: Sequence[Patient], late: timedelta) -> tuple[list[Difference], Stored]:
    """Every difference between what was acknowledged, what is stored, what customers are shown, and what the product
    counts, where a breach may be written `late`; and what is stored."""
    stored = read(where.database.owner_url)
    taken = Journal.read(where.journal, TakenMessage)
    with psycopg.connect(where.database.owner_url, autocommit=True, row_factory=namedtuple_row) as books:
        found = [each for each in differences(books) if each.kind != _NEEDS_A_PLACE]
    there = [] if where.outside is None else where.outside.books()
    found = [each for each in found if not is_answer_to_what_crossed(each, there)]
    found += recount(stored, late)
    found += reached(stored, there)
    found += acknowledged(stored, taken)
    found += flagged(stored, patients)
    found += shown(patients, stored, [*taken, *said_there(stored, there)])
    found += counted(stored)
    return found, stored


def acknowledged(stored: Stored, taken: Sequence[TakenMessage]) -> Iterator[Difference]:
    """Each message that was acknowledged is there once, with the number and the id that its sender was told; and nobody
    said anything else."""
    said: dict[tuple[str, str], TakenMessage] = {}
    for each in taken:
        said[each.conversation, each.client_id] = each
    there = {
        (case.conversation, line.client_id): (line.author, line.seq, line.message)
        for case in stored.cases
        for line in case.lines
    }
    for key, each in said.items():
        if there.get(key) != (each.author, each.seq, each.id):
            facts = {"told": (each.author, each.seq, each.id), "there": there.get(key)}
            yield Difference("an acknowledged message is not there", each.conversation, facts)
    for case in stored.cases:
        unknown = [
            line.seq
            for line in case.lines
            if line.author in ("customer", "" if case.outside else "clinician") and line.kind == "text"
            if (case.conversation, line.client_id) not in said
        ]
        if unknown:
            yield Difference("a message that nobody was told of", case.conversation, {"numbers": unknown})


def said_there(stored: Stored, books: Sequence[Mapping[str, Any]]) -> Iterator[TakenMessage]:
    """The words of the provider's clinicians as its own books have them, under the numbers that they have here."""
    words = {each["our_reference"]: [line["text"] for line in each["said"] if line["kind"] == "text"] for each in books}
    for case in stored.cases:
        here = [line for line in case.lines if line.author == "clinician" and line.kind == "text"]
        for line, text in zip(here, words.get(case.booking, ()), strict=False):
            yield TakenMessage(case.conversation, line.author, line.client_id, text, line.seq, line.message)


def flagged(stored: Stored, patients: Sequence[Patient]) -> Iterator[Difference]:
    """Whoever wrote of an emergency is marked, and nobody else."""
    marked = {case.conversation for case in stored.cases if case.flagged_at is not None}
    for each in patients:
        if each.has_warned != (each.conversation in marked):
            yield Difference("an emergency is not marked as it was written", each.conversation)


def shown(patients: Sequence[Patient], stored: Stored, taken: Sequence[TakenMessage]) -> list[Difference]:
    """What a customer is shown are the words that were said, in their order. An outside doctor may have gone on after
    `stored` was read: what follows its newest message is looked at for its number alone."""
    newest = {case.conversation: case.last_seq for case in stored.cases}
    said: dict[str, dict[int, str]] = defaultdict(dict)
    for each in taken:
        said[each.conversation][each.seq] = each.text

    def look(patient: Patient) -> list[Difference]:
        lines = patient.words_of()
        known = newest.get(patient.conversation, 0)
        words = {line["seq"]: line["text"] for line in lines if line["kind"] == "text" and line["seq"] <= known}
        found = []
        if [line["seq"] for line in lines] != list(range(1, len(lines) + 1)):
            found.append(Difference("a customer is shown a gap", patient.conversation))
        if words != said[patient.conversation]:
            wrong = sorted(set(words.items()) ^ set(said[patient.conversation].items()))
            found.append(Difference("a customer is shown other words", patient.conversation, {"numbers": wrong}))
        return found

    with ThreadPoolExecutor(_READERS) as readers:
        return [each for found in readers.map(look, [it for it in patients if it.conversation]) for each in found]


def counted(stored: Stored) -> Iterator[Difference]:
    """The product's figures are those of the recount."""
    since, until = stored.now - timedelta(days=1), stored.now + timedelta(seconds=1)
    zone = clock.HOME_ZONE
    for by in get_args(By):
        ours = {each.name: _as_counted(each) for each in pledge_figures(by, since=since, until=until, zone=zone)}
        again = figures(stored, by, since=since, until=until, zone=zone)
        for name in sorted(ours.keys() | again.keys()):
            if not _same(ours.get(name), again.get(name)):
                facts = {"figures": ours.get(name), "recount": again.get(name)}
                yield Difference(f"figures by {by} are not the recount's", name, facts)
    forget_engines()


def table(stored: Stored) -> Iterator[str]:
    """The lines to print of what is stored."""
    lines = Counter(line.author for case in stored.cases for line in case.lines)
    yield f"messages: {sum(lines.values())} (" + ", ".join(f"{name} {n}" for name, n in sorted(lines.items())) + ")"
    begun = sorted(case.promises[0].begun_at for case in stored.cases if case.promises)
    if begun:
        yield f"first messages: {len(begun)} within {(begun[-1] - begun[0]).total_seconds():.1f} s"
    every = figures(stored, "provider", since=begun[0], until=stored.now, zone=clock.HOME_ZONE) if begun else {}
    for name, each in every.items():
        yield (
            f"pledges at {name}: met {each.met}, breached {each.breached}, cancelled {each.cancelled},"
            f" open {each.open}; kept {_share(each.kept)}; first answer p50 {_seconds(each.p50)},"
            f" p90 {_seconds(each.p90)}, p99 {_seconds(each.p99)}"
        )
    late = lateness(stored)
    if late:
        says, written = max(it[0] for it in late), [it[1] for it in late if it[1] is not None]
        middle = sorted(written)[len(written) // 2] if written else None
        yield (
            f"breaches: {len(late)}; the latest says {says:.2f} s after its moment, was written"
            f" {_seconds(max(written, default=None))} after it (half within {_seconds(middle)})"
        )
    units = Counter(made.units for case in stored.cases for made in case.made_good)
    yield "compensations: " + (", ".join(f"{n} of {given} units" for given, n in sorted(units.items())) or "none")
    steps = Counter(step for case in stored.cases for step, at in case.steps.items() if at)
    yield "escalations: " + (", ".join(f"step {step}: {times}" for step, times in sorted(steps.items())) or "none")


def unanswered(where: Clinic) -> int:
    """How many that go on still wait for their first answer, their pledge's moment, or a command on its way."""
    with psycopg.connect(where.database.owner_url, autocommit=True) as books:
        found = books.execute(
            "SELECT count(*) FROM conversation c JOIN booking b ON b.id = c.booking_id"
            " WHERE b.live AND c.first_answer_at IS NULL OR EXISTS (SELECT FROM pledge p"
            " WHERE p.subject = c.public_id AND p.state IN ('pending', 'at_risk'))"
            " OR EXISTS (SELECT FROM provider_task t"
            " WHERE t.booking_id = b.id AND t.state IN ('queued', 'in_flight', 'unknown'))"
        ).fetchall()
    return int(found[0][0])


def _as_counted(each: PledgeFigures) -> Counted:
    counts = (each.open, each.met, each.breached, each.cancelled, each.unanswered)
    return Counted(*counts, each.kept, each.p50, each.p90, each.p99)


def _same(ours: Counted | None, again: Counted | None) -> bool:
    if ours is None or again is None:
        return ours is again
    return all(
        a == b or (a is not None and b is not None and abs(a - b) < _NEAR)  # infinite ones are equal
        for a, b in zip(astuple(ours), astuple(again), strict=True)
    )


def _seconds(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f} s"


def _share(value: float | None) -> str:
    return "none" if value is None else f"{value:.1%}"
