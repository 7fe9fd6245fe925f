"""How first answers were kept."""

from __future__ import annotations

from datetime import timedelta

import pytest

from booking.consultation.pledge_figures import By, pledge_figures
from tests.booking.consultation.rooms import make_practice
from tests.booking.pledges.rows import after, give_up
from tests.people import NOON

pytestmark = pytest.mark.usefixtures("db")
DAY = {"since": NOON - timedelta(hours=12), "until": NOON + timedelta(hours=12)}


def test_shares_and_times_by_department_hour_and_provider() -> None:
    practice = make_practice(quantity=50)
    for number, seconds in enumerate((20, 40, 95)):
        conversation = practice.open(department="dermatology" if number == 2 else "").conversation
        practice.ask(conversation, "嗓子疼")
        practice.answer(conversation, "多久了？", now=after(seconds))
    left = practice.open()
    practice.ask(left.conversation, "嗓子疼")
    give_up(left.booking, now=after(10))

    general, skin = sorted(pledge_figures("department", **DAY), key=lambda it: it.name != "general")
    assert (general.name, general.met, general.breached, general.cancelled, general.kept) == ("general", 2, 0, 1, 1.0)
    assert (general.p50, general.p90, general.p99) == (20, 40, 40)
    assert (skin.name, skin.met, skin.breached, skin.kept, skin.p50) == ("dermatology", 0, 1, 0.0, 95)
    (noon,) = pledge_figures("hour", **DAY)
    assert (noon.name, noon.met, noon.breached, noon.cancelled, noon.open) == ("12", 2, 1, 1, 0)
    (provider,) = pledge_figures("provider", **DAY)
    assert (provider.name, round(provider.kept or 0, 2)) == (practice.world.provider.code, 0.67)


@pytest.mark.parametrize("by", ["hour", "department", "provider"])
def test_other_times_providers_and_insurers_are_left_out(by: By) -> None:
    practice = make_practice()
    practice.ask(practice.open().conversation, "嗓子疼")
    mine = practice.world.provider.id
    (found,) = pledge_figures(by, **DAY, provider_id=mine, insurer_id=practice.world.customer.insurer_id)
    assert (found.open, found.kept, found.p50) == (1, None, None)
    assert pledge_figures(by, **DAY, provider_id=mine + 1) == []
    assert pledge_figures(by, **DAY, insurer_id=practice.world.customer.insurer_id + 1) == []
    assert pledge_figures(by, since=NOON + timedelta(seconds=1), until=NOON + timedelta(days=1)) == []
