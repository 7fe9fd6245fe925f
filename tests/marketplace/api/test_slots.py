"""The times of an offer."""

from __future__ import annotations

import orjson
from sqlalchemy import update

from booking.models import Slot
from booking.offers.availability import slots
from marketplace.api.fields import page_of
from marketplace.api.v1 import offers
from marketplace.core.database.db import transaction
from tests.marketplace.api.caller import Caller
from tests.people import NOON
from tests.world import DAY, World


def test_slots_are_answered_as_their_schema_says(caller: Caller, world: World) -> None:
    with transaction() as session:
        session.execute(update(Slot).where(Slot.id == world.slots[0].id).values(starts_at=None, ends_at=None))
        session.execute(update(Slot).where(Slot.id == world.slots[1].id).values(closed=True))
    answer = caller.get(f"/offers/{world.offer.public_id}/slots?from={DAY}&to={DAY}")
    found = slots(world.offer.public_id, DAY, DAY, now=NOON)
    assert [slot["bookable"] for slot in answer.get_json()["items"]] == [slot.reason is None for slot in found]
    assert sorted(str(slot.reason) for slot in found) == ["None", "None", "closed"]
    assert answer.status_code == 200
    expected = page_of(offers.Slot)().dump({"items": found, "next": None})
    assert answer.get_json() == orjson.loads(orjson.dumps(expected))
