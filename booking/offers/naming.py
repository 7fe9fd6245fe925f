"""What a provider's people call a place: a name of its own beside the reference that programs know it by."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from booking.offers.limits import LONGEST_PLACE_NAME
from booking.offers.maintain import Writer
from marketplace.catalog.models import CapacityPool
from marketplace.core import audit
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.strictjson import storable


def name_place(writer: Writer, pool: str, name: str, *, now: datetime) -> None:
    """Give a place (public id) of the writer's provider a name; a blank one takes it away, and the reference is shown
    again. Audited, if it is another. Raises NotFound, Invalid(field="name")."""
    if len(name) > LONGEST_PLACE_NAME:
        raise Invalid(field="name", reason="too_long", maximum=LONGEST_PLACE_NAME)
    if not storable(name) or not all(character.isprintable() for character in name):
        raise Invalid(field="name", reason="text")
    wanted = select(CapacityPool).where(CapacityPool.provider_id == writer.provider_id, CapacityPool.public_id == pool)
    with transaction() as session:
        found = session.scalar(wanted.with_for_update(key_share=True))
        if found is None:
            raise NotFound(field="place")
        if found.name != (name or None):
            found.name = name or None
            audit.record(
                session,
                "pool.named",
                at=now,
                actor_kind="provider",
                actor=writer.client,
                subject=found.public_id,
                name=name,
            )
