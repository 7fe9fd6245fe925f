"""Steps of a customer who books in a browser."""

from __future__ import annotations

from werkzeug.test import TestResponse

from tests.marketplace.web.surfer import Surfer, text_of
from tests.world import World

PHONE = "13800000021"


def times_url(world: World) -> str:
    return f"/offers/{world.offer.public_id}/times"


def hold(browser: Surfer, world: World, slot: int = 0, **fields: str) -> TestResponse:
    """Choose a time as the page's form does."""
    return browser.post(
        times_url(world), **{"slot": world.slots[slot].public_id, "idempotency_key": "form-1", **fields}
    )


def held(browser: Surfer, world: World, slot: int = 0, **fields: str) -> str:
    """The public id of the booking that was made."""
    answer = hold(browser, world, slot, **fields)
    assert answer.status_code == 303, text_of(answer)
    return str(answer.location).split("/")[2]
