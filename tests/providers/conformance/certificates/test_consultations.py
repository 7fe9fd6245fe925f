"""An offer of consultations that a provider's own doctors answer rests on the certificate that looked at one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from booking.certifying.view import certificates_of
from marketplace.catalog.models import Offer
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from providers.conformance.certificates import issue
from providers.conformance.certificates.models import Certificate, ConformanceRun
from providers.conformance.step import Capability
from tests.booking.certifying.certified import change, offered, proved
from tests.people import NOON
from tests.world import World

CONSULTATIONS = Capability.CONSULTATIONS
OTHERS = [each for each in Capability if each is not CONSULTATIONS]


@pytest.fixture
def clinic(world: World) -> World:
    """The world, whose provider sells a consultation and nothing else."""
    with transaction() as session:
        session.execute(update(Offer).values(certified=False, kind="online_consultation"))
    return world


def give(world: World, *proven: Capability, failed: bool = False) -> None:
    """A run that proves these, or fails in them."""
    with transaction() as session:
        made = ConformanceRun(
            public_id=new_id("cfr"),
            provider_id=world.provider.id,
            state="done",
            actor_kind="system",
            actor="",
            asked_at=NOON,
        )
        session.add(made)
        session.flush()
        provider = issue.lock_provider(session, world.provider.id)
        issue.issue(session, provider, dict.fromkeys(proven, not failed), made.id, now=NOON)


def test_no_certificate_that_never_looked_at_a_consultation_sells_one(clinic: World) -> None:
    give(clinic, *OTHERS)
    assert not offered(clinic.offer)
    give(clinic, CONSULTATIONS)
    assert offered(clinic.offer)
    give(clinic, CONSULTATIONS, failed=True)
    assert not offered(clinic.offer)


def test_that_certificate_alone_sells_it_and_nothing_else(clinic: World) -> None:
    give(clinic, CONSULTATIONS)
    assert offered(clinic.offer)
    with transaction() as session:
        session.execute(update(Offer).values(kind="health_check"))
        issue.mark_offers(session, issue.lock_provider(session, clinic.provider.id))
    assert not offered(clinic.offer)


def test_a_provider_that_was_not_approved_sells_none(clinic: World) -> None:
    change(clinic.provider, approved_at=None)
    give(clinic, CONSULTATIONS)
    assert not offered(clinic.offer)


def test_that_doctors_answer_is_not_taken_on_trust(clinic: World) -> None:
    with transaction() as session:
        assert issue.give_provisional(session, clinic.provider.id, now=NOON)
    assert CONSULTATIONS not in proved(clinic.provider) and not offered(clinic.offer)


def test_where_it_is_named_there_is_a_provisional_one_until_its_day(clinic: World) -> None:
    with transaction() as session:
        assert issue.give_provisional(session, clinic.provider.id, now=NOON, also=(CONSULTATIONS,))
    assert proved(clinic.provider)[CONSULTATIONS] == "provisional" and offered(clinic.offer)
    issue.tend_certificates(now=NOON + issue.PROVISIONAL + timedelta(seconds=1))
    assert not offered(clinic.offer)


def test_another_address_ends_it_and_the_offer_with_it(clinic: World) -> None:
    give(clinic, CONSULTATIONS)
    change(clinic.provider, base_url="https://elsewhere.example")
    assert proved(clinic.provider) == {} and not offered(clinic.offer)


@pytest.mark.parametrize("adapter", ["fhir", "day_capacity"])
def test_systems_that_know_no_consultations_sell_none(clinic: World, adapter: str) -> None:
    change(clinic.provider, adapter=adapter)
    give(clinic, *OTHERS)
    assert not offered(clinic.offer)


def test_what_was_marked_by_other_certificates_is_put_right_by_the_job(clinic: World) -> None:
    give(clinic, *OTHERS)
    with transaction() as session:
        session.execute(update(Offer).values(certified=True))
    assert issue.tend_certificates(now=NOON) == {"ended": 0, "providers": 1}
    assert not offered(clinic.offer)
    assert issue.tend_certificates(now=NOON)["providers"] == 1, "it has certificates, and an offer without one"
    give(clinic, CONSULTATIONS)
    assert issue.tend_certificates(now=NOON) == {"ended": 0, "providers": 0}
    assert offered(clinic.offer)


def test_people_at_the_desk_need_no_certificate_to_answer(clinic: World) -> None:
    change(clinic.provider, adapter="desk")
    assert issue.tend_certificates(now=NOON) == {"ended": 0, "providers": 1}
    assert offered(clinic.offer)
    assert issue.tend_certificates(now=NOON) == {"ended": 0, "providers": 0}


def test_what_is_missing_is_named_by_what_is_sold(clinic: World) -> None:
    assert certificates_of(clinic.provider.id).missing == [CONSULTATIONS]
    give(clinic, CONSULTATIONS)
    assert certificates_of(clinic.provider.id).missing == []
    with reading() as session:
        assert session.scalars(select(Certificate.capability)).all() == ["consultations"]
    with transaction() as session:
        session.execute(update(Offer).values(kind="health_check"))
    assert CONSULTATIONS not in certificates_of(clinic.provider.id).missing
    assert Capability.SLOTS in certificates_of(clinic.provider.id).missing


def test_who_sells_both_has_to_prove_both() -> None:
    both = issue.needed("open_protocol", ["health_check", "online_consultation"])
    assert both == issue.needed("open_protocol") | {CONSULTATIONS}
    assert issue.needed("desk", ["online_consultation"]) == set()
    assert issue.needed("partner", ["online_consultation"]) == {Capability.BOOKING}
