"""What a customer has of a benefit without times: one that waits, and an offer and a benefit for another."""

from __future__ import annotations

import uuid

from sqlalchemy import update

from booking.consultation.open import Opening, open_consultation
from booking.hold.begin import BeginRequest
from booking.idempotency import Repeatable
from marketplace.catalog.models import Provider
from marketplace.core.database.db import transaction
from tests.booking.consultation.rooms import PACKAGE
from tests.people import NOON, give
from tests.world import World, add_offer

KIND = "online_consultation"


def consult(world: World) -> dict[str, str]:
    """Open one with a provider of its own; the ids by the names that the table uses."""
    with transaction() as session:
        provider, offer, _ = add_offer(session, kind=KIND, slots=0, package=PACKAGE)
        session.flush()
        session.execute(update(Provider).where(Provider.id == provider.id).values(adapter="desk"))
        public_id = offer.public_id
    entitlement = give(world.customer, 20, kind=KIND)
    wanted = BeginRequest(public_id, world.beneficiary.public_id, None, {})
    repeat = Repeatable(world.principal.public_id, str(uuid.uuid4()), b"f")
    opened = open_consultation(world.principal, Opening(wanted, "", "zh"), repeat, now=NOON)
    return {
        "consultation_offer": public_id,
        "consultation_entitlement": entitlement.public_id,
        "conversation": opened.conversation,
    }
