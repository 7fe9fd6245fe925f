"""The demonstration's online hospital: its doctors are those whom the sandbox plays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from marketplace.catalog.importer import import_sites
from marketplace.catalog.kinds.online_consultation import KIND
from marketplace.catalog.models import Offer, Provider
from marketplace.core.config import settings
from marketplace.core.database.db import reading, transaction
from marketplace.demo.consultations import OFFER
from marketplace.demo.desk import load_desk
from marketplace.demo.hospital import DOCTORS, HOSPITAL, HOSPITAL_PACKAGE, load_hospital
from marketplace.demo.offers import SAMPLE_SITES, place_offers
from providers.sandbox.config import load
from providers.staff.models import OutsideClinician
from tests.people import NOON


@pytest.fixture
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state directory of the test's own."""
    monkeypatch.setenv("ANXIANG_STATE_DIR", str(tmp_path / "state"))
    settings.cache_clear()
    yield tmp_path / "state"
    monkeypatch.undo()
    settings.cache_clear()


def test_what_it_offers_follows_the_schema_of_its_kind() -> None:
    KIND.check_package(HOSPITAL_PACKAGE)


def test_each_department_has_a_verified_doctor_and_no_patient_waits_for_the_one_who_is_not() -> None:
    departments = {each["code"] for each in HOSPITAL_PACKAGE["departments"]}
    answered = {code for one in DOCTORS if one.verified for code in one.departments}
    assert answered == departments
    assert [one.departments for one in DOCTORS if not one.verified] == [()]
    assert len({one.licence for one in DOCTORS}) == len(DOCTORS)


def test_it_is_sold_once_and_the_sandbox_plays_its_doctors(db: Engine, own_state: Path) -> None:
    load_desk(NOON)
    assert not load_hospital(NOON), "there is no provider yet"
    import_sites(SAMPLE_SITES)
    made = place_offers(sandbox_url="http://127.0.0.1:9", webhooks_url="http://127.0.0.1:8/hooks", now=NOON)
    assert load_hospital(NOON) and load_hospital(NOON)
    with reading() as session:
        offer = session.scalars(
            select(Offer).join(Provider, Provider.id == Offer.provider_id).where(Provider.code == HOSPITAL)
        ).one()
        listed = {row.code: row.verified_at for row in session.scalars(select(OutsideClinician))}
    assert (offer.kind, offer.external_ref, offer.active) == (KIND.code, OFFER, True)
    assert listed == {one.code: NOON if one.verified else None for one in DOCTORS}
    (account,) = [each for each in load(made.config, {}) if each.code == HOSPITAL]
    assert account.consultations is not None and account.consultations.offers == (OFFER,)
    assert [each.code for each in account.consultations.doctors] == [one.code for one in DOCTORS]
    assert [each.consultations for each in load(made.config, {}) if each.code != HOSPITAL] == [None] * 4


def test_from_whom_verification_was_taken_stays_so_at_the_next_start(db: Engine, own_state: Path) -> None:
    load_desk(NOON)
    import_sites(SAMPLE_SITES)
    place_offers(sandbox_url="http://127.0.0.1:9", webhooks_url="http://127.0.0.1:8/hooks", now=NOON)
    load_hospital(NOON)
    with transaction() as session:
        row = session.scalars(select(OutsideClinician).where(OutsideClinician.code == "shen")).one()
        row.verified_at = row.verified_by = None
    load_hospital(NOON)
    with reading() as session:
        unverified = select(OutsideClinician.code).where(OutsideClinician.verified_at.is_(None))
        assert set(session.scalars(unverified)) == {"shen", "ruan"}
