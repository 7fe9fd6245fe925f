"""Asking for a rehearsal, and for its end. At most one is open for a provider at a time."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from booking.actors import Actor
from booking.certifying.subject import RehearsalUnderWay, no_certification
from booking.faults.kinds import Kind
from booking.faults.models import Rehearsal
from booking.faults.plan import LARGEST_SEED, MOST_BOOKINGS
from booking.idempotency import Repeatable, record_key
from marketplace.catalog.models import Offer, Provider
from marketplace.core import audit
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.ids import new_id


class NotInTestMode(Refusal):
    """The provider's bookings are real ones: no fault strikes there."""

    code = "not_in_test_mode"
    status = 409


@dataclass(frozen=True)
class Wanted:
    """What is asked for. `offer`: the public id or the provider's reference of an active offer, None for the first that
    it has. `seed`: None for one by chance."""

    kinds: Collection[Kind]
    bookings: int
    seed: int | None = None
    offer: str | None = None


def new_seed() -> int:
    """A seed by chance, to be shown before it is used."""
    return secrets.randbelow(LARGEST_SEED + 1)


def ask(provider_id: int, wanted: Wanted, by: Actor, *, now: datetime, repeat: Repeatable | None = None) -> str:
    """Queue a rehearsal for the worker; its public id, that of before for a request that was carried out before.

    Audited. Raises NotInTestMode, RehearsalUnderWay, CertificationUnderWay, NotFound(field="offer"),
    IdempotencyKeyReused, and Invalid for `seed`, `bookings` and `faults` out of their range.
    """
    _check(wanted)
    public_id = new_id("rhs")
    with transaction() as session:
        if repeat is not None:
            before = record_key(session, repeat, public_id, now=now, status=202)
            if before is not None:
                return before
        provider = session.get_one(Provider, provider_id)
        if not provider.test:
            raise NotInTestMode()
        no_certification(session, provider)
        offer = _offer(session, provider_id, wanted.offer)
        kinds = [kind.value for kind in Kind if kind in wanted.kinds]
        seed = new_seed() if wanted.seed is None else wanted.seed
        queued: str | None = session.scalar(
            insert(Rehearsal)
            .values(
                public_id=public_id,
                provider_id=provider_id,
                seed=seed,
                kinds=kinds,
                bookings=wanted.bookings,
                offer=offer,
                actor_kind=by.kind,
                actor=by.id,
                asked_at=now,
            )
            .on_conflict_do_nothing()
            .returning(Rehearsal.public_id)
        )
        if queued is None:
            raise RehearsalUnderWay(rehearsal=_open(session, provider_id))
        audit.record(
            session,
            "rehearsal.asked",
            at=now,
            actor_kind=by.kind,
            actor=by.id or "command",
            subject=provider.public_id,
            rehearsal=queued,
            seed=seed,
        )
        return queued


def end_early(provider_id: int, rehearsal: str, *, now: datetime) -> None:
    """Have an open rehearsal end after the step that is being done; nothing for one that has ended. Raises NotFound."""
    with transaction() as session:
        row = session.scalar(
            select(Rehearsal)
            .where(Rehearsal.provider_id == provider_id, Rehearsal.public_id == rehearsal)
            .with_for_update()
        )
        if row is None:
            raise NotFound(field="rehearsal_id")
        if row.state == "queued":
            ended = {"state": "stopped", "reason": "asked", "finished_at": now}
            session.execute(update(Rehearsal).where(Rehearsal.id == row.id).values(ended))
        elif row.state == "running":
            row.stop_asked = True


def _check(wanted: Wanted) -> None:
    if not wanted.kinds:
        raise Invalid(field="faults", reason="none_chosen")
    if not 1 <= wanted.bookings <= MOST_BOOKINGS:
        raise Invalid(field="bookings", reason="range")
    if wanted.seed is not None and not 0 <= wanted.seed <= LARGEST_SEED:
        raise Invalid(field="seed", reason="range")


def _offer(session: Session, provider_id: int, named: str | None) -> str:
    query = select(Offer.public_id).where(Offer.provider_id == provider_id, Offer.active)
    if named is not None:
        query = query.where((Offer.public_id == named) | (Offer.external_ref == named))
    found = session.scalar(query.order_by(Offer.id).limit(1))
    if found is None:
        raise NotFound(field="offer")
    return found


def _open(session: Session, provider_id: int) -> str:
    mine = (Rehearsal.provider_id == provider_id, Rehearsal.state.in_(("queued", "running")))
    return session.scalar(select(Rehearsal.public_id).where(*mine)) or ""
