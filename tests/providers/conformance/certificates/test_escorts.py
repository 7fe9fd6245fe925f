"""An offer for which a provider's own system sends somebody rests on the certificate that looked at that, besides."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from booking.certifying.view import certificates_of
from marketplace.catalog.models import Offer
from marketplace.core.database.db import transaction
from providers.conformance.certificates import issue
from providers.conformance.step import Capability
from tests.booking.certifying.certified import change, offered, proved
from tests.people import NOON
from tests.providers.conformance.certificates.test_consultations import give
from tests.world import World

ESCORTS = Capability.ESCORTS
OTHERS = [each for each in Capability if each is not ESCORTS]


@pytest.fixture
def sender(world: World) -> World:
    """The world, whose provider sends escorts and sells nothing else."""
    with transaction() as session:
        session.execute(update(Offer).values(certified=False, kind="hospital_escort"))
    return world


def test_no_certificate_that_never_looked_at_an_escort_sells_one(sender: World) -> None:
    give(sender, *OTHERS)
    assert not offered(sender.offer)
    give(sender, ESCORTS)
    assert offered(sender.offer)
    give(sender, ESCORTS, failed=True)
    assert not offered(sender.offer)


def test_that_certificate_alone_sells_nothing(sender: World) -> None:
    give(sender, ESCORTS)
    assert not offered(sender.offer)


def test_what_is_done_at_the_providers_own_place_needs_none(sender: World) -> None:
    give(sender, *OTHERS)
    with transaction() as session:
        session.execute(update(Offer).values(kind="health_check"))
        issue.mark_offers(session, issue.lock_provider(session, sender.provider.id))
    assert offered(sender.offer)


def test_that_somebody_comes_is_not_taken_on_trust_unless_it_is_named(sender: World) -> None:
    with transaction() as session:
        assert issue.give_provisional(session, sender.provider.id, now=NOON)
    assert ESCORTS not in proved(sender.provider) and not offered(sender.offer)


def test_where_it_is_named_there_is_a_provisional_one_until_its_day(sender: World) -> None:
    with transaction() as session:
        assert issue.give_provisional(session, sender.provider.id, now=NOON, also=(ESCORTS,))
    assert proved(sender.provider)[ESCORTS] == "provisional" and offered(sender.offer)
    issue.tend_certificates(now=NOON + issue.PROVISIONAL + timedelta(seconds=1))
    assert not offered(sender.offer)


@pytest.mark.parametrize("adapter", ["fhir", "day_capacity"])
def test_systems_that_tell_of_nobody_sell_by_what_they_can_prove(sender: World, adapter: str) -> None:
    change(sender.provider, adapter=adapter)
    give(sender, *OTHERS)
    assert offered(sender.offer)
    assert ESCORTS not in issue.needed(adapter, ["hospital_escort"])


def test_people_at_the_desk_need_none(sender: World) -> None:
    change(sender.provider, adapter="desk")
    issue.tend_certificates(now=NOON)
    assert offered(sender.offer)


def test_what_was_marked_by_other_certificates_is_put_right_by_the_job(sender: World) -> None:
    give(sender, *OTHERS)
    with transaction() as session:
        session.execute(update(Offer).values(certified=True))
    assert issue.tend_certificates(now=NOON)["providers"] == 1
    assert not offered(sender.offer)
    give(sender, ESCORTS)
    assert issue.tend_certificates(now=NOON) == {"ended": 0, "providers": 0}
    assert offered(sender.offer)


def test_what_is_missing_is_named_by_what_is_sold(sender: World) -> None:
    give(sender, *OTHERS)
    assert certificates_of(sender.provider.id).missing == [ESCORTS]
    with transaction() as session:
        session.execute(update(Offer).values(kind="health_check"))
    assert certificates_of(sender.provider.id).missing == []
