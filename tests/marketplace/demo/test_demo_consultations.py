"""The demonstration's online consultations."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from booking.offers.at_once import offers_at_once
from marketplace.catalog.kinds.online_consultation import KIND
from marketplace.catalog.markets import LIVE
from marketplace.catalog.models import Offer, Site
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from marketplace.demo.consultations import PACKAGE, QUANTITIES, load_consultations
from marketplace.demo.desk import MEMBERS, load_desk
from marketplace.demo.doctors import AT_ONCE, DOCTORS, load_doctors
from marketplace.demo.people import load_people
from providers.staff import shifts
from providers.staff.models import Clinician, ClinicianShift
from tests.people import NOON
from vip.models import Entitlement


@pytest.mark.usefixtures("db")
def test_its_doctors_can_be_asked_by_two_customers_and_loading_again_changes_nothing() -> None:
    load_people(NOON)
    assert not load_consultations(NOON), "there is no provider yet"
    load_desk(NOON)
    assert not load_consultations(NOON), "and no site"
    with transaction() as session:
        session.add(Site(public_id=new_id("sit"), name="示范医院", province="浙江省", city="杭州市"))
    assert load_consultations(NOON)
    assert load_consultations(NOON)
    (offer,) = offers_at_once(market=LIVE, now=NOON)
    assert offer.kind == KIND.code
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(Offer)) == 1
        given = session.scalars(select(Entitlement.granted).where(Entitlement.kind == KIND.code)).all()
    assert sorted(given, key=str) == sorted(QUANTITIES.values(), key=str)
    assert len([one for one in MEMBERS if one.role == "clinician"]) == 2


@pytest.mark.usefixtures("db")
def test_its_doctors_are_on_shift_for_every_department_and_whoever_goes_off_stays_off() -> None:
    assert load_doctors(NOON) == 0, "there is no provider yet"
    load_desk(NOON)
    assert load_doctors(NOON) == 2
    with transaction() as session:
        provider_id = session.scalars(select(Clinician.provider_id).distinct()).one()
        for shift in session.scalars(select(ClinicianShift)):
            assert (shift.capacity, shift.break_since) == (AT_ONCE, None)
            shift.ended_at = NOON
    assert load_doctors(NOON) == 0
    assert shifts.shifts_of(provider_id) == []
    answered = {code for one in DOCTORS for code in one.departments}
    assert {each["code"] for each in PACKAGE["departments"]} <= answered


def test_what_it_offers_follows_the_schema_of_its_kind() -> None:
    KIND.check_package(PACKAGE)
