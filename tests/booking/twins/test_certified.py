"""A test's offers rest on no certificate and never bear one: what is certified, last week's code gives out."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, Engine, select, text, update

from booking.offers.availability import OfferQuery, search_offers
from marketplace.catalog.models import Offer, Provider
from marketplace.core.database.db import reading, transaction
from providers.conformance.certificates import issue
from tests.booking.twins.stage import Stage, make_stage
from tests.people import NOON

pytestmark = pytest.mark.usefixtures("db")

MARK = text("UPDATE offer SET certified = true WHERE provider_id = :twin")
COPY = text(
    "INSERT INTO offer (public_id, provider_id, site_id, pool_id, kind, external_ref, name_zh, name_en, package,"
    " price_minor, currency, certified)"
    " SELECT 'ofr_copy', provider_id, site_id, pool_id, kind, 'copy', name_zh, name_en, package, price_minor, currency,"
    " true FROM offer WHERE provider_id = :twin"
)


def certified(stage: Stage) -> set[bool]:
    with reading() as session:
        return set(session.scalars(select(Offer.certified).where(Offer.provider_id == stage.twin.id)))


@pytest.mark.parametrize("adapter", ["desk", "open_protocol"])
def test_the_worker_marks_no_test_and_it_is_offered_in_its_market(adapter: str) -> None:
    stage = make_stage()
    with transaction() as session:
        session.execute(update(Provider).where(Provider.id == stage.twin.id).values(adapter=adapter))
    issue.tend_certificates(now=NOON)
    with transaction() as session:
        issue.give_provisional(session, stage.twin.id, now=NOON)
    assert issue.tend_certificates(now=NOON)["providers"] == 0, "it is not looked at every minute"
    assert certified(stage) == {False}
    assert search_offers(OfferQuery(), now=NOON, market=stage.twin.id).items


@pytest.mark.parametrize("write", [MARK, COPY], ids=["marked", "made"])
def test_whoever_writes_it_the_database_leaves_it_uncertified(db: Engine, write: object) -> None:
    stage = make_stage()
    with db.begin() as connection:
        assert connection.execute(write, {"twin": stage.twin.id}).rowcount == 1  # type: ignore[call-overload]
    assert certified(stage) == {False}


def test_without_the_trigger_the_constraint_refuses(owner_connection: Connection) -> None:
    stage = make_stage()
    owner_connection.exec_driver_sql("BEGIN")
    try:
        owner_connection.exec_driver_sql("DROP TRIGGER tests_are_not_certified ON offer")
        with pytest.raises(Exception, match="ck_offer_no_certified_test"):
            owner_connection.execute(MARK, {"twin": stage.twin.id})
    finally:
        owner_connection.exec_driver_sql("ROLLBACK")
