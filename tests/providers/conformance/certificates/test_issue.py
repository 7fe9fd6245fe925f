"""What is offered follows from certificates: given, ended by settings or by their day, and shown nowhere without."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from booking.offers.availability import OfferQuery, search_offers
from booking.offers.bookable import Reason, judge
from booking.offers.cities import offer_cities
from booking.refusals import OfferClosed
from marketplace.catalog.models import Offer, Provider
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import asking_in, bare_app, reading, transaction
from marketplace.core.ids import new_id
from providers.adapters.settings import TEST_SETTINGS
from providers.conformance.certificates import issue
from providers.conformance.certificates.models import Certificate, ConformanceRun
from providers.conformance.kit import declared
from providers.conformance.step import Capability
from providers.registry import answering_here
from tests.booking.certifying.certified import change, ended, offered, proved
from tests.people import NOON
from tests.world import World, make_offer

ON_TRUST = [each for each in Capability if each not in issue.NOT_ON_TRUST]
"""What a provider is given provisional certificates for."""


@pytest.fixture
def bare(world: World) -> World:
    """The world without a certificate."""
    with transaction() as session:
        session.execute(update(Offer).values(certified=False))
    return world


def elsewhere(world: World) -> None:
    """Change the settings in another thread."""
    with bare_app().app_context():
        change(world.provider, allotment=True)


def provisional(world: World) -> bool:
    with transaction() as session:
        return issue.give_provisional(session, world.provider.id, now=NOON)


def give(world: World, verdicts: dict[Capability, bool | None]) -> None:
    with transaction() as session:
        run = ConformanceRun(
            public_id=new_id("cfr"),
            provider_id=world.provider.id,
            state="done",
            actor_kind="system",
            actor="",
            asked_at=NOON,
        )
        session.add(run)
        session.flush()
        provider = issue.lock_provider(session, world.provider.id)
        issue.issue(session, provider, verdicts, run.id, now=NOON)


def test_without_a_certificate_an_offer_is_in_no_list_and_cannot_be_held(bare: World) -> None:
    with pytest.raises(OfferClosed):
        bare.hold()
    assert search_offers(OfferQuery(), now=NOON).items == []
    assert offer_cities("health_check") == []
    with reading() as session:
        verdict = judge(asking_in(session), slot_id=bare.slots[0].id, offer_id=bare.offer.id, now=NOON)
    assert verdict.reason is Reason.OFFER_CLOSED
    assert provisional(bare)
    assert len(search_offers(OfferQuery(), now=NOON).items) == 1
    assert [city.sites for city in offer_cities("health_check")] == [1]
    assert bare.hold()


def test_a_provisional_one_ends_on_its_day_and_the_offer_with_it(bare: World) -> None:
    provisional(bare)
    almost = NOON + issue.PROVISIONAL - timedelta(seconds=1)
    assert issue.tend_certificates(now=almost) == {"ended": 0, "providers": 0}
    assert offered(bare.offer)
    assert issue.tend_certificates(now=almost + timedelta(seconds=1)) == {"ended": len(ON_TRUST), "providers": 1}
    assert not offered(bare.offer) and proved(bare.provider) == {}
    assert set(ended(bare.provider)) == {"expired"}
    with pytest.raises(OfferClosed):
        bare.hold()


@pytest.mark.every_postgres
@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": "https://elsewhere.example"},
        {"settings": {"app_key": "another"}},
        {"adapter": "day_capacity"},
        {"time_zone": "Asia/Urumqi"},
        {"allotment": True},
    ],
)
def test_a_change_of_settings_ends_all_certificates_in_its_own_transaction(
    bare: World, settings: dict[str, object]
) -> None:
    provisional(bare)
    change(bare.provider, **settings)
    assert proved(bare.provider) == {} and not offered(bare.offer)
    assert set(ended(bare.provider)) == {"settings"}


def test_an_exchanged_key_another_name_or_a_pause_end_nothing(bare: World) -> None:
    provisional(bare)
    change(bare.provider, secret_sealed=b"x", name_en="Renamed", paused_at=NOON, deadline_seconds=5)
    change(bare.provider, base_url=bare.provider.base_url)
    assert len(proved(bare.provider)) == len(ON_TRUST) and offered(bare.offer)


def test_the_end_of_certificates_by_a_change_of_settings_is_written_down_once(bare: World) -> None:
    provisional(bare)
    change(bare.provider, allotment=True)
    for _ in range(2):
        issue.tend_certificates(now=NOON + timedelta(minutes=1))
    with reading() as session:
        lines = session.scalars(select(AuditLine).where(AuditLine.action == "certificate.ended")).all()
        ends = session.scalars(select(Certificate.public_id).where(Certificate.ended_because == "settings")).all()
    assert sorted(line.subject for line in lines) == sorted(ends) and len(ends) == len(ON_TRUST)
    assert {line.facts["because"] for line in lines} == {"settings"}


def test_how_a_provider_is_tried_ends_nothing_but_what_else_is_set_with_it_does(bare: World) -> None:
    provisional(bare)
    tried = {"test_url": "https://test.example", "test_offer": "BASIC", "test_pool": "P1"}
    with reading() as session:
        before = issue.settings_of(session.get_one(Provider, bare.provider.id))
    change(bare.provider, settings=tried)
    assert len(proved(bare.provider)) == len(ON_TRUST) and offered(bare.offer)
    with reading() as session:
        assert issue.settings_of(session.get_one(Provider, bare.provider.id)) == before
    change(bare.provider, settings={**tried, "app_key": "another"})
    assert proved(bare.provider) == {} and not offered(bare.offer)


def test_what_an_offer_rests_on_is_needed_and_nothing_else(bare: World) -> None:
    for missing in Capability:
        give(bare, dict.fromkeys(Capability, True))
        with transaction() as session:
            session.execute(
                update(Certificate)
                .where(Certificate.capability == missing.value, Certificate.ended_at.is_(None))
                .values(ended_at=NOON, ended_because="failed")
            )
            issue.mark_offers(session, issue.lock_provider(session, bare.provider.id))
        serves_us = (Capability.LISTS, Capability.WEBHOOKS, Capability.CONSULTATIONS, Capability.ESCORTS)
        assert offered(bare.offer) == (missing in serves_us), missing


def test_an_offer_waits_for_no_certificate_that_its_protocol_cannot_prove(bare: World) -> None:
    change(bare.provider, adapter="fhir")
    give(bare, {Capability.SLOTS: True})
    assert not offered(bare.offer)
    give(bare, {Capability.BOOKING: True})
    assert offered(bare.offer)
    change(bare.provider, adapter="day_capacity")  # that one has a way
    give(bare, {Capability.SLOTS: True, Capability.BOOKING: True})
    assert not offered(bare.offer)


def test_a_kind_without_a_report_needs_no_certificate_of_reports(bare: World, monkeypatch: pytest.MonkeyPatch) -> None:
    give(bare, {each: each is not Capability.REPORTS or None for each in Capability})
    assert not offered(bare.offer)
    monkeypatch.setattr(issue, "kinds", dict)
    with transaction() as session:
        issue.mark_offers(session, issue.lock_provider(session, bare.provider.id))
    assert offered(bare.offer)


def test_a_failed_step_ends_what_was_passed_and_no_provisional_one_and_an_untried_one_ends_nothing(
    bare: World,
) -> None:
    provisional(bare)
    give(bare, {Capability.BOOKING: False, Capability.SLOTS: True})
    assert proved(bare.provider)[Capability.BOOKING] == "provisional" and offered(bare.offer)
    assert proved(bare.provider)[Capability.SLOTS] == "passed"
    give(bare, {Capability.SLOTS: None})
    assert proved(bare.provider)[Capability.SLOTS] == "passed"
    give(bare, {Capability.SLOTS: False})
    assert Capability.SLOTS not in proved(bare.provider) and not offered(bare.offer)


def test_who_has_certificates_or_answers_at_the_desk_is_given_no_provisional_ones(bare: World) -> None:
    assert provisional(bare) and not provisional(bare)
    provider, offer, _slots = make_offer()
    change(provider, adapter="desk")
    with transaction() as session:
        session.execute(update(Offer).where(Offer.id == offer.id).values(certified=False))
        assert not issue.give_provisional(session, provider.id, now=NOON)
    assert proved(provider) == {} and offered(offer)


def test_an_offer_that_was_added_beside_us_is_marked_by_the_job(bare: World) -> None:
    provisional(bare)
    with transaction() as session:
        session.execute(update(Offer).values(certified=False))
    assert issue.tend_certificates(now=NOON) == {"ended": 0, "providers": 1}
    assert offered(bare.offer)


def test_settings_that_change_while_certificates_are_given_wait_and_then_end_them(bare: World) -> None:
    """Without the lock the change would find none to end, and they would count for settings that nobody tried."""
    with ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            issue.lock_provider(session, bare.provider.id)
            changing = pool.submit(elsewhere, bare)
            with pytest.raises(TimeoutError):
                changing.result(0.5)
            issue.give_provisional(session, bare.provider.id, now=NOON)
        changing.result(10)
    assert proved(bare.provider) == {} and not offered(bare.offer)


@pytest.mark.every_postgres
def test_two_certificates_of_one_capability_never_count_at_once(bare: World) -> None:
    provisional(bare)
    with pytest.raises(IntegrityError), transaction() as session:
        session.add(
            Certificate(
                public_id=new_id("crt"),
                provider_id=bare.provider.id,
                capability="slots",
                grade="provisional",
                issued_at=NOON,
                expires_at=NOON,
            )
        )


def test_who_no_longer_answers_here_is_given_out_no_more_without_a_certificate(bare: World) -> None:
    change(bare.provider, adapter="desk")
    assert issue.tend_certificates(now=NOON) == {"ended": 0, "providers": 1}
    assert offered(bare.offer)
    change(bare.provider, adapter="open_protocol")
    assert not offered(bare.offer)


def test_the_trigger_watches_what_a_certificate_is_given_for(bare: World) -> None:
    with reading() as session:
        names = issue.settings_of(session.get_one(Provider, bare.provider.id)).keys()
    text = (Path(issue.__file__).parent / "provider_settings_end_certificates.sql").read_text()
    assert f"IN ({', '.join(f'{code!r}' for code in answering_here())})" in text
    assert f"AFTER UPDATE OF {', '.join(names)} ON provider" in text
    settings = f"settings - '{{{','.join(TEST_SETTINGS)}}}'::text[]"
    for row in ("OLD", "NEW"):
        watched = ", ".join(f"{row}.{settings if name == 'settings' else name}" for name in names)
        assert f"({watched})" in " ".join(text.split())


def test_a_program_has_to_prove_bookings_and_reports_where_its_offer_delivers_them(bare: World) -> None:
    change(bare.provider, adapter="partner")
    assert issue.tend_certificates(now=NOON)["providers"] == 0, "nothing to mark: it needs a certificate"
    give(bare, {Capability.BOOKING: True})
    assert not offered(bare.offer), "a check-up delivers a report"
    give(bare, {Capability.REPORTS: True})
    assert offered(bare.offer)
    give(bare, {Capability.BOOKING: False})
    assert not offered(bare.offer)


def test_a_program_is_given_provisional_certificates_like_anybody(bare: World) -> None:
    change(bare.provider, adapter="partner")
    assert provisional(bare) and offered(bare.offer)
    assert proved(bare.provider) == dict.fromkeys(declared("partner"), "provisional")
