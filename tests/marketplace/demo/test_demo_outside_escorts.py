"""The demonstration's escort service with a system of its own: a visit that the sandbox will answer, and one that is
done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from booking.discrepancies import Discrepancy
from booking.escort.shown.view import escort
from booking.listening import EscortListening
from booking.models import Booking, ProviderTask, Slot, SlotClaim
from booking.notices.models import Notification
from booking.reports.box import report, reports
from marketplace.catalog.models import Offer, Provider
from marketplace.core.config import settings
from marketplace.core.database.db import reading
from marketplace.demo.coverage import load_coverage
from marketplace.demo.escorts import load_escorts
from marketplace.demo.offers import DemoOffers, place_offers
from marketplace.demo.outside_escorts import ASSIGN_AFTER, SENDER, WHOSE, load_outside_escorts, load_outside_visits
from marketplace.demo.people import load_people
from marketplace.demo.policies import load_policies
from providers.sandbox import slots
from providers.sandbox.config import load
from providers.sandbox.ledger import Ledger
from tests.people import NOON, TODAY
from tests.sites import load_sites
from vip.models import Customer
from vip.principal import Principal


@pytest.fixture
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose `state` is the state directory."""
    monkeypatch.setenv("ANXIANG_STATE_DIR", str(tmp_path / "state"))
    settings.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    settings.cache_clear()


def site(number: int, city: str) -> dict[str, str]:
    return {"name": f"{city[:2]}示范医院{number}", "province": "浙江省", "city": city, "tier": "三级甲等"}


def start() -> tuple[DemoOffers, int]:
    """As at the product's start, as far as it matters here; what is placed, and how many visits were booked."""
    load_people(NOON)
    load_policies(NOON)
    made = place_offers(sandbox_url="http://127.0.0.1:9", webhooks_url="http://127.0.0.1:8/hooks", now=NOON)
    load_escorts(NOON)
    load_outside_escorts(NOON)
    load_coverage(NOON)
    return made, load_outside_visits(NOON)


def customer() -> Principal:
    with reading() as session:
        row = session.scalars(select(Customer).where(Customer.name == WHOSE.self.name)).one()
        return Principal("customer", row.id, row.public_id, row.insurer_id, 0, "Asia/Shanghai")


def test_one_visit_waits_for_the_sandbox_and_one_is_done_with_its_record(db: Engine, own_state: Path) -> None:
    load_sites(own_state, [site(number, city) for city in ("杭州市", "宁波市", "温州市") for number in range(2)])
    made, booked = start()
    assert booked == 2 and start()[1] == 0, "and no more at the next start"
    with reading() as session:
        done, coming = session.scalars(
            select(Booking)
            .join(Provider, Provider.id == Booking.provider_id)
            .where(Provider.code == SENDER)
            .order_by(Booking.service_date)
        )
        offered = session.scalars(
            select(Offer.certified).join(Provider, Provider.id == Offer.provider_id).where(Provider.code == SENDER)
        ).all()
        task = session.scalars(select(ProviderTask).where(ProviderTask.booking_id == coming.id)).one()
        taken = select(SlotClaim.slot_id).where(SlotClaim.booking_id == coming.id)
        time = session.scalars(select(Slot).where(Slot.id.in_(taken))).one()
        read_next = session.scalars(select(EscortListening.listen_at)).all()
        cases = session.scalar(select(func.count()).select_from(Discrepancy))
        unread = select(Notification.kind).where(Notification.read_at.is_(None), Notification.booking_id == done.id)
        assert session.scalars(unread).all() == [], "they are of that time"
    assert offered == [True, True, True]
    assert (coming.state.value, task.command, task.state) == ("awaiting_provider", "reserve", "queued")
    assert done.state.value == "fulfilled" and (TODAY - done.service_date).days > 35, "no comparison asks for it"
    assert read_next == [None] and cases == 0, "nor does anything else ask the sandbox"
    (account,) = [each for each in load(made.config, {}) if each.code == SENDER]
    assert account.escorts is not None and account.escorts.assign_after == ASSIGN_AFTER
    day = coming.service_date
    with closing(Ledger(own_state / "ledger")) as ledger:
        slots.register(ledger, SENDER, account.pools, replace=True)
        with ledger.reading() as tx:
            theirs = {each.slot: each for each in slots.all_on_days(tx, SENDER, (day, day), NOON)}
    sold = theirs[time.external_ref]
    assert sold.starts_at is not None and sold.ends_at is not None, "it is one of the sandbox's times"
    assert datetime.fromisoformat(sold.starts_at) == time.starts_at and sold.offered == time.offered
    assert datetime.fromisoformat(sold.ends_at) == time.ends_at
    told = escort(customer(), done.public_id, now=NOON)
    assert told.stage == "done" and told.worker is not None and told.worker.staff_number == "BL 101"
    assert [each.what for each in told.steps][-1] == "handed_over" and [each.amount_minor for each in told.costs] == [
        4_860
    ]
    (filed,) = reports(customer(), cursor=None, limit=2, now=NOON).items
    assert "复诊" in report(customer(), filed.id, now=NOON).conclusion


@pytest.mark.usefixtures("own_state")
def test_without_a_site_it_sells_nothing_and_the_sandbox_starts(db: Engine) -> None:
    made, booked = start()
    (account,) = [each for each in load(made.config, {}) if each.code == SENDER]
    assert booked == 0 and account.pools == () and account.escorts is None
