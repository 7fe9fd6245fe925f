"""Certificates are given, and end: each change writes what is offered because of it, in the same transaction.

What customers are offered rests on a provider's slots and bookings, and on what our commands rely on where it is
declared: keys, and the call that changes a date. An offer whose kind delivers a report needs the certificate of
reports as well, where its protocol has a way to prove it. One whose kind has no times, which the provider's own
doctors answer, rests on the certificate of consultations alone: it has no slots, is not moved, and its report is a
doctor's summary. One for which somebody is sent needs the certificate of escorts besides, where its provider's own
system tells who comes. Lists and webhooks serve our own books; they have certificates, and nothing that is offered
waits for them. Of a program that answers in our own books an offer needs the certificate of booking; whose people
answer at the desk need none (docs/decisions/0040, 0045).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, func, select, text, update
from sqlalchemy.orm import Session

from marketplace.catalog.kinds import dispatched, kinds, without_times
from marketplace.catalog.markets import LIVE
from marketplace.catalog.models import Offer, Provider
from marketplace.core import audit
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from providers.adapters.settings import TEST_SETTINGS
from providers.conformance.certificates.models import Certificate
from providers.conformance.kit import declared
from providers.conformance.step import Capability
from providers.registry import answering_here, capabilities, escorting, needing_none

PROVISIONAL = timedelta(days=30)
NOT_ON_TRUST = (Capability.CONSULTATIONS, Capability.ESCORTS)
_UNTOLD = select(Certificate.provider_id).where(
    Certificate.ended_because == "settings",
    ~exists().where(audit.AuditLine.subject == Certificate.public_id, audit.AuditLine.action == "certificate.ended"),
)
"""Providers with certificates of whose end the audit log does not tell yet."""
_UNPROVED = (
    select(Offer.provider_id)
    .join(Provider, Provider.id == Offer.provider_id)
    .where(
        Offer.certified,
        Offer.kind.in_(without_times()),
        Provider.adapter.not_in(answering_here()),
        ~exists().where(
            Certificate.provider_id == Offer.provider_id,
            Certificate.capability == Capability.CONSULTATIONS.value,
            Certificate.ended_at.is_(None),
        ),
    )
    .distinct()
)
"""Providers that offer consultations by certificates that never looked at one."""
_UNSEEN = (
    select(Offer.provider_id)
    .join(Provider, Provider.id == Offer.provider_id)
    .join(Certificate, (Certificate.provider_id == Provider.id) & Certificate.ended_at.is_(None))
    .where(Offer.certified, Offer.market == LIVE, Offer.kind.in_(dispatched()), Provider.adapter.in_(escorting()))
    .group_by(Offer.provider_id)
    .having(func.bool_and(Certificate.capability != Capability.ESCORTS.value))
)
"""Providers that offer to send somebody by certificates that never looked at anybody who was sent."""


def needed(adapter: str, offered: Collection[str] = ()) -> set[Capability]:
    """What the offers of such a provider rest on, whose kinds are `offered`; nothing where people answer in our own
    books."""
    can = capabilities(adapter)
    if can.answers_here:
        return {Capability.BOOKING} if can.program else set()
    at_once = {code for code in offered if code in without_times()}
    consultations = {Capability.CONSULTATIONS} if at_once else set()
    escorts = {Capability.ESCORTS} if can.escorts and set(offered) & set(dispatched()) else set()
    if at_once and at_once == set(offered):
        return consultations
    keys = {Capability.IDEMPOTENCY} if can.idempotency_keys else set()
    change = {Capability.CHANGE} if can.change else set()
    return {Capability.SLOTS, Capability.BOOKING, *keys, *change, *consultations, *escorts}


def in_force(session: Session, provider_id: int) -> dict[Capability, Certificate]:
    """The certificates of a provider that count."""
    query = select(Certificate).where(Certificate.provider_id == provider_id, Certificate.ended_at.is_(None))
    return {Capability(row.capability): row for row in session.scalars(query)}


def lock_provider(session: Session, provider_id: int) -> Provider:
    """The provider's row, locked against another change of its settings or certificates; no booking waits for it."""
    query = select(Provider).where(Provider.id == provider_id).with_for_update(key_share=True)
    return session.scalars(query.execution_options(populate_existing=True)).one()


def settings_of(provider: Provider) -> Mapping[str, object]:
    """What of a provider's row a certificate is given for; the trigger that ends certificates watches the same. How it
    is tried is none of it."""
    names = ("adapter", "base_url", "settings", "time_zone", "allotment")
    own = {name: value for name, value in provider.settings.items() if name not in TEST_SETTINGS}
    return {name: own if name == "settings" else getattr(provider, name) for name in names}


def issue(
    session: Session,
    provider: Provider,
    verdicts: Mapping[Capability, bool | None],
    run_id: int,
    *,
    now: datetime,
) -> None:
    """Give a certificate for each capability that was proved (True); end the one that was passed before where a step
    failed (False); leave it where steps could not be tried (None). A provisional one stays until its day. The
    provider's row is locked."""
    known = in_force(session, provider.id)
    for capability, passed in verdicts.items():
        before = known.get(capability)
        if passed:
            if before is not None:
                _end(session, before, "replaced", now)
            _add(session, provider.id, capability, now, run_id=run_id)
        elif passed is False and before is not None and before.grade == "passed":
            _end(session, before, "failed", now)
    mark_offers(session, provider)


def give_provisional(session: Session, provider_id: int, *, now: datetime, also: Collection[Capability] = ()) -> bool:
    """Give a provider that has no certificate at all provisional ones for 30 days; whether it was given some. That
    doctors answer, and that somebody comes, is not taken on trust: of consultations and of escorts there is one only if
    it is named (`also`)."""
    provider = lock_provider(session, provider_id)
    known = in_force(session, provider_id)
    if known or provider.adapter in needing_none():
        mark_offers(session, provider)
        return False
    for capability in declared(provider.adapter):
        if capability not in NOT_ON_TRUST or capability in also:
            _add(session, provider_id, capability, now, expires_at=now + PROVISIONAL)
    mark_offers(session, provider)
    return True


def mark_offers(session: Session, provider: Provider, reference: str | None = None) -> None:
    """Write down which offers of the provider (or whether that one) are given out, as far as an operator's word and its
    certificates go; never those of a test, which rests on neither. Its row is locked."""
    have = set(in_force(session, provider.id))
    unproved = provider.adapter in needing_none() or Capability.REPORTS not in declared(provider.adapter)
    approved, outside = provider.approved_at is not None, not capabilities(provider.adapter).answers_here
    session.execute(
        text(
            f"UPDATE offer SET certified = NOT certified WHERE provider_id = :provider AND market = {LIVE}"
            " AND certified IS DISTINCT FROM CASE WHEN kind = ANY(CAST(:at_once AS text[])) THEN CAST(:consultations"
            " AS boolean) ELSE :base AND (:reports OR kind <> ALL(CAST(:reporting AS text[])))"
            " AND (:escorts OR kind <> ALL(CAST(:sent AS text[]))) END"
            + (" AND external_ref = :reference" if reference is not None else "")
        ),
        {
            "provider": provider.id,
            **({"reference": reference} if reference is not None else {}),
            "at_once": list(without_times()) if outside else [],
            "consultations": approved and Capability.CONSULTATIONS in have,
            "base": approved and needed(provider.adapter) <= have,
            "reports": unproved or Capability.REPORTS in have,
            "escorts": not capabilities(provider.adapter).escorts or Capability.ESCORTS in have,
            "sent": list(dispatched()),
            "reporting": [code for code, kind in kinds().items() if kind.traits.report],
        },
    )


def mark_new_offer(session: Session, provider_id: int, reference: str) -> None:
    """As `mark_offers`, for an offer that was added in the caller's transaction."""
    mark_offers(session, lock_provider(session, provider_id), reference)


def tend_certificates(*, now: datetime) -> dict[str, int]:
    """End the certificates that are over, write down those that a change of settings ended (the trigger that does it
    writes no audit line), and mark offers that were added beside us, or marked by what says nothing of them; returns
    counts."""
    over = select(Certificate.provider_id).where(Certificate.ended_at.is_(None), Certificate.expires_at <= now)
    certified = select(Certificate.provider_id).where(Certificate.ended_at.is_(None))
    here = select(Provider.id).where(Provider.adapter.in_(needing_none()))
    unmarked = (
        select(Offer.provider_id)
        .where(Offer.certified.is_(False), Offer.market == LIVE, Offer.provider_id.in_(certified.union_all(here)))
        .distinct()
    )
    with reading() as session:
        found = (over, unmarked, _UNTOLD, _UNPROVED, _UNSEEN)
        due = sorted({provider for query in found for provider in session.scalars(query)})
    ended = 0
    for provider_id in due:
        with transaction() as session:
            provider = lock_provider(session, provider_id)
            for certificate in in_force(session, provider_id).values():
                if certificate.expires_at is not None and certificate.expires_at <= now:
                    _end(session, certificate, "expired", now)
                    ended += 1
            untold = _UNTOLD.with_only_columns(Certificate).where(Certificate.provider_id == provider_id)
            for certificate in session.scalars(untold.order_by(Certificate.id)).all():
                _record(session, "certificate.ended", certificate, now, because=certificate.ended_because)
            mark_offers(session, provider)
    return {"ended": ended, "providers": len(due)}


def _add(
    session: Session,
    provider_id: int,
    capability: Capability,
    now: datetime,
    *,
    run_id: int | None = None,
    expires_at: datetime | None = None,
) -> None:
    made = Certificate(
        public_id=new_id("crt"),
        provider_id=provider_id,
        run_id=run_id,
        capability=capability.value,
        grade="provisional" if run_id is None else "passed",
        issued_at=now,
        expires_at=expires_at,
    )
    session.add(made)
    session.flush()
    _record(session, "certificate.given", made, now)


def _end(session: Session, certificate: Certificate, why: str, now: datetime) -> None:
    session.execute(
        update(Certificate)
        .where(Certificate.id == certificate.id, Certificate.ended_at.is_(None))
        .values(ended_at=now, ended_because=why)
    )
    session.flush()
    _record(session, "certificate.ended", certificate, now, because=why)


def _record(session: Session, action: str, it: Certificate, now: datetime, **facts: Any) -> None:
    audit.record(
        session,
        action,
        at=now,
        actor_kind="system",
        actor="conformance",
        subject=it.public_id,
        capability=it.capability,
        grade=it.grade,
        **facts,
    )


def verdicts_of(outcomes: Sequence[tuple[Capability, str]]) -> dict[Capability, bool | None]:
    """What the outcomes of steps say of each capability: True where all passed, False where one failed, else None."""
    found: dict[Capability, bool | None] = {}
    for capability in dict.fromkeys(each for each, _outcome in outcomes):
        ways = {outcome for each, outcome in outcomes if each is capability}
        found[capability] = False if "failed" in ways else True if ways == {"passed"} else None
    return found
