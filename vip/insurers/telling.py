"""Policies that an insurer's program tells us, one or many at once, each answered by itself; and one as we hold it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as member
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.strictjson import storable
from marketplace.core.text import Text
from vip.insurers import snapshots
from vip.policies import numbers, told
from vip.policies.facts import PolicyFacts
from vip.policies.models import Policy, PolicyInsured
from vip.policies.put import Put, put_policy

BATCH = 25
"""How many lines share a transaction."""
_TURN = 0x54454C4C

Status = Literal["created", "updated", "unchanged", "older", "refused"]


@dataclass(frozen=True)
class Fault:
    """What is wrong with a line: the field (`line` for the whole) and a reason of the house, with its facts."""

    field: str
    reason: str
    facts: Mapping[str, Any] = member(default_factory=dict)


Faults = tuple[Fault, ...]


@dataclass(frozen=True)
class Answered:
    """What became of a line. `version` is the one that counts now, None where the line was refused."""

    status: Status
    version: int | None = None
    faults: Faults = ()


@dataclass(frozen=True)
class Telling:
    """Who tells: the insurer, and its program by the public id. `snapshot`: the one that the lines are for."""

    insurer_id: int
    client: str
    now: datetime
    snapshot: str | None = None

    @property
    def source(self) -> str:
        """How the history of a policy names the program."""
        return f"client:{self.client}"


@dataclass(frozen=True)
class Insured:
    """Somebody insured: what she is to the holder, and from and until when. Who she is, is not said back."""

    relation: str
    since: date
    ended_on: date | None


@dataclass(frozen=True)
class HeldPolicy:
    """A policy as we hold it, the number masked. `vanished`: the snapshot (public id) for which it was ended."""

    key: str
    id: str
    version: int
    number_masked: str
    product: str
    product_name: Text
    long_term: bool
    in_force_from: date
    in_force_until: date | None
    status: str
    insured: Sequence[Insured]
    vanished: str | None
    updated_at: datetime


def tell(telling: Telling, facts: PolicyFacts) -> Put:
    """Put one policy. Raises what put_policy does."""
    with transaction() as session:
        session.execute(select(func.pg_advisory_xact_lock_shared(_TURN, telling.insurer_id)))
        return put_policy(session, telling.insurer_id, facts, now=telling.now, source=telling.source)


def tell_lines(telling: Telling, lines: Iterable[PolicyFacts | Faults]) -> list[Answered]:
    """Put many, each answered in its place; one that is refused holds up no other. Broken off half-way and sent again,
    what was written is unchanged. Raises NotFound, SnapshotOver."""
    numbered = list(enumerate(lines, 1))
    parts = [numbered[begin : begin + BATCH] for begin in range(0, len(numbered), BATCH)]
    return [answer for part in parts for answer in _tell_part(telling, part)]


def held_policy(insurer_id: int, key: str) -> HeldPolicy:
    """The insurer's policy with this key. Raises NotFound."""
    with reading() as session:
        policy = session.scalar(select(Policy).where(*_named(insurer_id, key))) if storable(key) else None
        if policy is None:
            raise NotFound()
        insured = session.scalars(
            select(PolicyInsured).where(PolicyInsured.policy_id == policy.id).order_by(PolicyInsured.id)
        ).all()
        vanished = told.ended_for(session, policy)
    return HeldPolicy(
        key=policy.key,
        id=policy.public_id,
        version=policy.version,
        number_masked=_number(policy),
        product=policy.product,
        product_name=Text(policy.product_name_zh, policy.product_name_en),
        long_term=policy.long_term,
        in_force_from=policy.in_force_from,
        in_force_until=policy.in_force_until,
        status=policy.status,
        insured=[Insured(each.relation, each.since, each.ended_on) for each in insured],
        vanished=None if vanished is None else vanished[0],
        updated_at=policy.updated_at,
    )


def _tell_part(telling: Telling, part: Sequence[tuple[int, PolicyFacts | Faults]]) -> list[Answered]:
    """One transaction of lines, by their keys in order; lines of one key stay in theirs. It is the only one of its
    insurer meanwhile: each line holds its policy and its customer until all are done, and two that hold some of them in
    another order would wait for each other in a circle."""
    answers = {number: Answered("refused", faults=line) for number, line in part if isinstance(line, tuple)}
    facts = [(number, line) for number, line in part if isinstance(line, PolicyFacts)]
    with transaction() as session:
        session.execute(select(func.pg_advisory_xact_lock(_TURN, telling.insurer_id)))
        into = None
        told.share_books(session, telling.insurer_id)
        if telling.snapshot is not None:
            into = snapshots.takes_lines(session, telling.insurer_id, telling.snapshot, now=telling.now)
        for number, line in sorted(facts, key=lambda each: each[1].key):
            answers[number] = _tell_line(session, telling, line)
        if into is not None:
            snapshots.note_refused(into, list(_refused(answers)))
    return [answers[number] for number, _ in part]


def _tell_line(session: Session, telling: Telling, facts: PolicyFacts) -> Answered:
    try:
        with session.begin_nested():
            put = put_policy(session, telling.insurer_id, facts, now=telling.now, source=telling.source)
    except Invalid as wrong:
        besides = {name: value for name, value in wrong.facts.items() if name != "reason"}
        fault = Fault(wrong.at or "line", str(wrong.facts["reason"]), besides)
        if _is_erased(fault):
            policy = session.scalars(select(Policy).where(*_named(telling.insurer_id, facts.key))).one()
            told.name(session, policy, now=telling.now)
        return Answered("refused", faults=(fault,))
    return Answered(put.outcome, put.version)


def _is_erased(fault: Fault) -> bool:
    """Whether it was refused for its holder, who was erased: we know which policy it is."""
    return (fault.field, fault.reason) == ("key", "policy_erased")


def _refused(answers: dict[int, Answered]) -> Iterator[dict[str, int | str]]:
    """The lines that could not be read: any policy may be meant."""
    for number, answer in sorted(answers.items()):
        for fault in answer.faults[:1]:
            if _is_erased(fault):
                continue
            yield {"line": number, "field": fault.field, "reason": fault.reason}


def _named(insurer_id: int, key: str) -> tuple[ColumnElement[bool], ...]:
    return Policy.insurer_id == insurer_id, Policy.key == key


def _number(policy: Policy) -> str:
    """Its number masked; blank once its holder was erased."""
    return numbers.masked(numbers.unseal(policy.number_sealed, policy.public_id)) if policy.number_sealed else ""
