"""What the demonstration's clinic sells."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from booking.capacity_rules.extend import extend_calendars
from booking.capacity_rules.models import CapacityRule
from booking.models import Slot
from marketplace.catalog.models import Offer, Site
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from marketplace.demo.clinic import MOST_OFFERS, load_clinic
from marketplace.demo.desk import load_desk
from tests.people import NOON, make_insurer


def count(what: type) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(what)) or 0


@pytest.mark.usefixtures("db")
def test_it_sells_check_ups_by_weekly_rules_and_loading_again_changes_nothing() -> None:
    make_insurer()
    assert not load_clinic(NOON), "there is no provider yet"
    load_desk(NOON)
    assert not load_clinic(NOON), "and no site"
    with transaction() as session:
        session.add(Site(public_id=new_id("sit"), name="示范医院", province="浙江省", city="杭州市"))
    assert load_clinic(NOON)
    assert load_clinic(NOON)
    assert (count(Offer), count(CapacityRule)) == (MOST_OFFERS, 3)
    assert extend_calendars(now=NOON) == {"published": 1}
    assert count(Slot) > 500
