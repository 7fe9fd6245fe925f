"""The test mode of a provider of the world: its twin, with bookings, programs and tests of its own."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from sqlalchemy import select

from booking.actors import Actor
from booking.answering import answer
from booking.answering.answer import ProvidersAnswer
from booking.calls.connections import connection_of
from booking.exchange import send
from booking.faults.models import Rehearsal
from booking.idempotency import Repeatable
from booking.twins.book import book_for_test
from booking.twins.open import Twin, open_test_mode
from booking.webhooks import deliveries, endpoints
from booking.webhooks.endpoints import By
from marketplace.catalog.models import CapacityPool, Offer, Provider
from marketplace.clients import credentials, tokens
from marketplace.clients.models import ApiSecret
from marketplace.clients.owners import SCOPES
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from tests.access.clinics import Clinic, tried_system
from tests.access.sessions import member_with, session_of
from tests.people import NOON
from tests.world import EIGHT, booking_row, make_slot
from vip.signin.mode import set_test_mode

BOOKINGS = ("booking", "requested", "proposed", "changing", "missed", "today", "attended", "held", "disputed")
"""What the table calls bookings: each of these names is the twin's one booking, where its things are asked for."""

COPIED = frozenset({"reference", "sold_pool"})
"""What the twin's things are called by, like those of the live provider that they were copied from."""


@dataclass
class Mirror:
    """A twin's own. `values` are by the names that the table uses; `tokens`: a manager's session in test mode, and a
    program's."""

    word: str
    twin: Twin
    values: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)


def mirror(word: str, clinic: Clinic) -> Mirror:
    """Open the test mode of a provider, and try this and that in it."""
    it = Mirror(word, open_test_mode(clinic.id, Actor("provider", "mbr_1"), NOON))
    _session(it, clinic)
    _bookings(it)
    _program(it)
    _webhooks(it)
    it.values["test"] = tried_system(it.twin.id, word)
    it.values["rehearsal"] = _rehearsal(it)
    return it


def _session(it: Mirror, clinic: Clinic) -> None:
    manager = member_with(clinic.tokens["manager"])
    it.tokens["manager"] = session_of(manager.public_id)
    set_test_mode(member_with(it.tokens["manager"]), on=True)


def _bookings(it: Mirror) -> None:
    """One that is confirmed, one that waits for an answer, and times that are free."""
    with transaction() as session:
        offer = session.scalars(
            select(Offer).where(Offer.provider_id == it.twin.id, Offer.kind == "health_check").limit(1)
        ).one()
        pool = session.get_one(CapacityPool, offer.pool_id)
        session.add(
            CapacityPool(
                public_id=new_id("pol"), provider_id=it.twin.id, site_id=pool.site_id, external_ref=f"{it.word}-hall"
            )
        )
        slots = [make_slot(pool.id, EIGHT.replace(minute=minute), 3) for minute in (10, 20, 40)]
        session.add_all(slots)
        it.values |= {"offer": offer.public_id, "pool": pool.public_id}
    confirmed = book_for_test(it.twin.id, it.values["offer"], slots[0].public_id, 1, NOON)
    with reading() as session:
        known = connection_of(session.get_one(Provider, it.twin.id))
    for task in send.claim_tasks(known, worker="w1", places=10, now=NOON):
        send.run_task(known, known.open(), task, lambda: NOON)
    answer.confirm(ProvidersAnswer(it.twin.id, confirmed, Repeatable("test", str(uuid.uuid4()), b"f" * 32)), now=NOON)
    row = booking_row(confirmed)
    for name in BOOKINGS:
        it.values |= {name: confirmed, f"{name}_version": str(row.version)}
    it.values |= {"number": row.reference, "free_slot": slots[2].public_id, "slot": slots[1].public_id}
    it.values |= {"own_offer": it.values["offer"], "own_slot": slots[2].public_id}


def _program(it: Mirror) -> None:
    made = credentials.add_client(it.twin.code, f"{it.word} program", SCOPES, by=credentials.operator("test"), now=NOON)
    it.tokens["program"] = tokens.new_token()
    with transaction() as session:
        secret = session.scalars(select(ApiSecret).where(ApiSecret.public_id == made.secret_id)).one()
        tokens.give(session, secret, it.tokens["program"], frozenset(SCOPES), NOON)
    it.values |= {"client": made.client_id, "client_secret": made.secret_id}


def _webhooks(it: Mirror) -> None:
    by = By("operator", "test")
    hook = endpoints.add(it.twin.id, f"https://{it.word}.example/a", ["booking.requested"], by=by, now=NOON)
    once = Repeatable("test", str(uuid.uuid4()), b"f" * 32)
    it.values |= {"hook": hook.id, "spare_hook": hook.id}
    it.values["delivery"] = deliveries.send_test(it.twin.id, hook.id, repeat=once, now=NOON).id


def _rehearsal(it: Mirror) -> str:
    """One that has ended."""
    public_id = new_id("rhs")
    with transaction() as session:
        session.add(
            Rehearsal(
                public_id=public_id,
                provider_id=it.twin.id,
                state="done",
                seed=7,
                kinds=["gone"],
                bookings=1,
                offer=it.values["offer"],
                actor_kind="provider",
                actor="mbr_1",
                asked_at=NOON,
                started_at=NOON,
                finished_at=NOON,
            )
        )
    return public_id
