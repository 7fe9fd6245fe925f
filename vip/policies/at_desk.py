"""An insurer's policies as its operators see them: the list, a search, one policy with its history, its number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, func, or_, select, tuple_, union
from sqlalchemy.orm import Session

from marketplace.core import audit, clock, ids
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.paging import Page, decode_cursor, encode_cursor
from marketplace.core.spreadsheet import spreadsheet
from marketplace.core.strictjson import storable
from marketplace.core.text import Text, masked_name
from vip import phones, roles
from vip.models import Beneficiary, Customer, Plan
from vip.policies import numbers, told
from vip.policies.models import Policy, PolicyInsured, PolicyVersion
from vip.policies.of_customer import masked_number
from vip.policies.standing import Standing, standing
from vip.principal import Principal
from vip.signin import limits
from vip.signin.limits import Limit

DUTY: roles.Duty = "people"
SEARCHES = Limit(60, 120)
"""Policies that an operator looks for."""
MOST_FOUND = 50
SOON = (30, 90)
"""Within how many days policies may be asked for that end."""
MOST_IN_TABLE = 50_000
COLUMNS = (
    "policy", "key", "version", "number_masked", "product", "product_name", "long_term", "status", "in_force_from",
    "in_force_until", "insured", "customer", "updated_at",
)  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """Which policies: in a standing (blank: in any), and those in force that end within so many days (0: all)."""

    standing: str = ""
    ends_within: int = 0


@dataclass(frozen=True)
class PolicyRow:
    """A policy in the list. `holder` is masked."""

    public_id: str
    key: str
    version: int
    number_masked: str
    product: str
    product_name: Text
    long_term: bool
    standing: Standing
    in_force_from: date
    in_force_until: date | None
    insured: int
    holder: str
    updated_at: datetime


@dataclass(frozen=True)
class InsuredRow:
    """Somebody whom the policy insures or insured; `name` is masked, blank once she was erased. `ended_on`: the first
    day on which she was not insured any more."""

    name: str
    relation: str
    since: date
    ended_on: date | None


@dataclass(frozen=True)
class VersionRow:
    """What one version said, who put it and what it changed."""

    version: int
    at: datetime
    source: str
    status: str
    long_term: bool
    in_force_from: date
    in_force_until: date | None
    insured: int
    changed: tuple[str, ...]


@dataclass(frozen=True)
class PolicyInFull:
    """One policy: its row, the holder, the insured and all versions, the newest first. `number`: in full, blank unless
    it was asked for. `erased`: its holder was erased, so that it names nobody. `vanished_on`: the day on which
    it was ended because a snapshot of the insurer did not name it; None where it was not, or was told since."""

    row: PolicyRow
    customer_id: str
    phone_masked: str
    plan_name: Text | None
    insured: tuple[InsuredRow, ...]
    versions: tuple[VersionRow, ...]
    erased: bool
    number: str = ""
    vanished_on: date | None = None


def policies(principal: Principal, wanted: Wanted, *, cursor: str | None, limit: int, now: datetime) -> Page[PolicyRow]:
    """The insurer's policies: the newest first, or those that end soon by their last day. Raises NotFound without the
    role, Invalid(field="cursor", "standing" or "ends_within")."""
    roles.require(principal, DUTY)
    today = clock.today(principal.time_zone, now)
    query = _rows().where(Policy.insurer_id == principal.insurer_id, *_chosen(wanted, today))
    if wanted.ends_within:
        query = _after_day(query, cursor).order_by(Policy.in_force_until, Policy.id)
    else:
        query = _after(query, cursor).order_by(Policy.id.desc())
    with reading() as session:
        rows = session.execute(query.limit(limit + 1)).all()
    following = None
    if rows[limit:]:
        last = rows[limit - 1].Policy
        following = encode_cursor([last.in_force_until.isoformat(), last.id] if wanted.ends_within else [last.id])
    return Page([_row(it, today) for it in rows[:limit]], following)


def find(principal: Principal, wanted: str, *, now: datetime) -> Sequence[PolicyRow]:
    """The insurer's policies, at most MOST_FOUND, with exactly this number, or of the customer with this phone; empty
    for what can be neither. Audited, and limited. Raises NotFound without the role, TooMany(retry_after)."""
    roles.require(principal, DUTY)
    with transaction() as session:  # of its own: a search that finds nothing counts too
        limits.take(session, SEARCHES, "policies", principal.public_id, now=now)
    if not storable(wanted):
        return []
    meant = _meant(principal.insurer_id, wanted)
    if meant is None:
        return []
    with transaction() as session:
        query = _rows().where(Policy.insurer_id == principal.insurer_id, Policy.id.in_(meant))
        rows = session.execute(query.order_by(Policy.id.desc()).limit(MOST_FOUND)).all()
        subject = rows[0].Policy.public_id if rows else ""
        _audit(session, "policy.searched", principal, subject, now, found=len(rows))
    return [_row(it, clock.today(principal.time_zone, now)) for it in rows]


def policy(principal: Principal, public_id: str, *, now: datetime) -> PolicyInFull:
    """One of the insurer's policies. Audited. Raises NotFound."""
    return _looked_at(principal, public_id, "policy.viewed", now)


def policy_with_number(principal: Principal, public_id: str, *, now: datetime) -> PolicyInFull:
    """The same with its number in full. Audited, each time. Raises NotFound, also where the holder was erased."""
    return _looked_at(principal, public_id, SHOWN, now)


SHOWN = "policy.number_shown"
"""What the audit calls a look at a number."""


def _looked_at(principal: Principal, public_id: str, action: str, now: datetime) -> PolicyInFull:
    roles.require(principal, DUTY)
    with transaction() as session:
        row = _named(session, principal, public_id)
        if action == SHOWN and not row.Policy.number_sealed:
            raise NotFound(field="policy_id")
        _audit(session, action, principal, row.Policy.public_id, now)
        number = numbers.unseal(row.Policy.number_sealed, row.Policy.public_id) if action == SHOWN else ""
        return _in_full(session, row, principal.time_zone, number, now)


def _in_full(session: Session, row: Any, zone: str, number: str, now: datetime) -> PolicyInFull:
    insured = session.execute(
        select(PolicyInsured, Beneficiary)
        .join(Beneficiary, Beneficiary.id == PolicyInsured.beneficiary_id)
        .where(PolicyInsured.policy_id == row.Policy.id)
        .order_by(PolicyInsured.ended_on.is_not(None), PolicyInsured.relation != "self", PolicyInsured.id)
    ).all()
    versions = session.scalars(
        select(PolicyVersion).where(PolicyVersion.policy_id == row.Policy.id).order_by(PolicyVersion.version.desc())
    ).all()
    plan = session.get(Plan, row.Policy.plan_id) if row.Policy.plan_id is not None else None
    customer: Customer = row.Customer
    erased = customer.erased_at is not None
    vanished = told.ended_for(session, row.Policy)
    return PolicyInFull(
        row=_row(row, clock.today(zone, now)),
        customer_id=customer.public_id,
        phone_masked="" if erased else phones.masked(phones.unseal(customer.phone_sealed, customer.public_id)),
        plan_name=None if plan is None else Text(plan.name_zh, plan.name_en),
        insured=tuple(
            InsuredRow(masked_name(person.name) if person.name else "", link.relation, link.since, link.ended_on)
            for link, person in insured
        ),
        versions=tuple(map(_version, versions)),
        erased=erased,
        number=number,
        vanished_on=None if vanished is None else clock.today(zone, vanished[1]),
    )


def table(principal: Principal, wanted: Wanted, *, now: datetime) -> tuple[str, str]:
    """A file name and the policies as CSV (RFC 4180, UTF-8 with a byte order mark), at most MOST_IN_TABLE, the newest
    first; without numbers in full and without names. Raises as `policies` does."""
    roles.require(principal, DUTY)
    today = clock.today(principal.time_zone, now)
    query = _rows().where(Policy.insurer_id == principal.insurer_id, *_chosen(wanted, today))
    with reading() as session:
        rows = session.execute(query.order_by(Policy.id.desc()).limit(MOST_IN_TABLE)).all()
    return f"policies-{today.isoformat()}.csv", spreadsheet(COLUMNS, _cells(rows, today))


def _cells(rows: Sequence[Any], today: date) -> Iterator[list[str | int]]:
    for each in rows:
        it = _row(each, today)
        yield [
            it.public_id,
            it.key,
            it.version,
            it.number_masked,
            it.product,
            it.product_name.in_language("zh"),
            "yes" if it.long_term else "no",
            it.standing,
            it.in_force_from.isoformat(),
            it.in_force_until.isoformat() if it.in_force_until else "",
            it.insured,
            each.Customer.public_id,
            it.updated_at.isoformat(),
        ]


def _chosen(wanted: Wanted, today: date) -> list[ColumnElement[bool]]:
    over = and_(Policy.status == "in_force", Policy.in_force_until < today)
    later = and_(Policy.status == "in_force", Policy.in_force_from > today)
    by_standing: dict[str, ColumnElement[bool]] = {
        "in_force": and_(
            Policy.status == "in_force",
            Policy.in_force_from <= today,
            or_(Policy.in_force_until.is_(None), Policy.in_force_until >= today),
        ),
        "not_yet": later,
        "lapsed": Policy.status == "lapsed",
        "surrendered": Policy.status == "surrendered",
        "ended": or_(Policy.status == "ended", over),
    }
    chosen = []
    if wanted.standing:
        if wanted.standing not in by_standing:
            raise Invalid(field="standing", reason="not_offered")
        chosen.append(by_standing[wanted.standing])
    if wanted.ends_within:
        if wanted.ends_within not in SOON:
            raise Invalid(field="ends_within", reason="not_offered")
        chosen.append(by_standing["in_force"])
        chosen.append(Policy.in_force_until <= today + timedelta(days=wanted.ends_within))
    return chosen


def _meant(insurer_id: int, wanted: str) -> CompoundSelect[int] | None:
    """Ids of the policies that are meant. A mobile number is looked for as a phone and as a policy's number: it may be
    either, and each has an index of its own, so that they are asked apart."""
    meant: list[Select[int]] = []
    with suppress(Invalid):
        number = Policy.number_index.in_(numbers.indexes(numbers.normalise(wanted)))
        meant.append(select(Policy.id).where(Policy.insurer_id == insurer_id, number))
    with suppress(Invalid):
        hers = phones.of_customer(phones.indexes(phones.normalise(wanted)))
        holders = select(Customer.id).where(Customer.insurer_id == insurer_id, hers)
        meant.append(select(Policy.id).where(Policy.insurer_id == insurer_id, Policy.customer_id.in_(holders)))
    return union(*meant) if meant else None


def _rows() -> Select[Any]:
    insured = (
        select(func.count())
        .where(PolicyInsured.policy_id == Policy.id, PolicyInsured.ended_on.is_(None))
        .correlate(Policy)
        .scalar_subquery()
    )
    return select(Policy, Customer, insured.label("insured")).join(Customer, Customer.id == Policy.customer_id)


def _after(query: Select[Any], cursor: str | None) -> Select[Any]:
    if cursor is None:
        return query
    (last,) = decode_cursor(cursor, (int,))
    return query.where(Policy.id < last)


def _after_day(query: Select[Any], cursor: str | None) -> Select[Any]:
    if cursor is None:
        return query
    day, last = decode_cursor(cursor, (str, int))
    try:
        return query.where(tuple_(Policy.in_force_until, Policy.id) > tuple_(date.fromisoformat(day), last))
    except ValueError as bad:
        raise Invalid(field="cursor", reason="bad_cursor") from bad


def _named(session: Session, principal: Principal, public_id: str) -> Any:
    row = None
    if ids.well_formed(public_id):
        query = _rows().where(Policy.insurer_id == principal.insurer_id, Policy.public_id == public_id)
        row = session.execute(query).one_or_none()
    if row is None:
        raise NotFound(field="policy_id")
    return row


def _row(found: Any, today: date) -> PolicyRow:
    policy, customer = found.Policy, found.Customer
    return PolicyRow(
        public_id=policy.public_id,
        key=policy.key,
        version=policy.version,
        number_masked=masked_number(policy),
        product=policy.product,
        product_name=Text(policy.product_name_zh, policy.product_name_en),
        long_term=policy.long_term,
        standing=standing(policy, today),
        in_force_from=policy.in_force_from,
        in_force_until=policy.in_force_until,
        insured=found.insured,
        holder=masked_name(customer.name) if customer.name else "",
        updated_at=policy.updated_at,
    )


def _version(it: PolicyVersion) -> VersionRow:
    return VersionRow(
        it.version,
        it.at,
        it.source,
        it.status,
        it.long_term,
        it.in_force_from,
        it.in_force_until,
        it.insured,
        tuple(it.changed),
    )


def _audit(session: Session, action: str, principal: Principal, subject: str, now: datetime, **facts: int) -> None:
    audit.record(
        session,
        action,
        at=now,
        actor_kind=principal.acts_as,
        actor=principal.public_id,
        subject=subject,
        insurer_id=principal.insurer_id,
        **facts,
    )
