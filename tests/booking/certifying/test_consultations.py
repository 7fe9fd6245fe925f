"""A run against a provider that sells consultations alone tries those, and its offer is given out because of it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import update

from booking.certifying.carry_out import take_back_left
from marketplace.catalog.models import Offer
from marketplace.core.database.db import transaction
from providers.conformance.step import Capability
from tests.booking.certifying.certified import certify, change, connect_to, offered, proved, runs
from tests.providers.conformance.clinic import at_work
from tests.world import World

PACKAGE = {
    "departments": [{"code": "dermatology", "name_zh": "皮肤科", "name_en": "Dermatology"}],
    "languages": ["zh"],
}


def sell_consultations(world: World) -> None:
    """And nothing else."""
    with transaction() as session:
        session.execute(update(Offer).values(kind="online_consultation", package=PACKAGE))


def test_whoever_sells_consultations_alone_is_certified_for_them_and_they_are_given_out(
    world: World, tmp_path: Path
) -> None:
    sell_consultations(world)
    with at_work(tmp_path) as there:
        connect_to(world.provider, there.url)
        assert not offered(world.offer)
        result = certify(world.provider)
        assert result is not None and result.passed
        assert there.clinic.live() == [] and take_back_left() == {"providers": 0, "left": 0}
    assert proved(world.provider) == {Capability.CONSULTATIONS: "passed"} and offered(world.offer)


def test_the_offer_of_the_catalogue_is_tried_where_the_test_mode_names_none(world: World, tmp_path: Path) -> None:
    sell_consultations(world)
    with at_work(tmp_path, says=False) as there:
        connect_to(world.provider, there.url)
        result = certify(world.provider)
        asked = {(each["offer"], each["department"]) for each in there.clinic.asked}
    assert result is not None and result.passed and asked == {(world.offer.external_ref, "dermatology")}


def test_one_whose_doctors_do_not_keep_the_contract_sells_nothing(world: World, tmp_path: Path) -> None:
    sell_consultations(world)
    with at_work(tmp_path, "gap") as there:
        connect_to(world.provider, there.url)
        certify(world.provider)
    assert proved(world.provider) == {} and not offered(world.offer)
    steps = {step["name"]: step["outcome"] for step in runs(world.provider)[0].steps}
    assert steps["consultations-lines"] == "failed" and "slots-listed" not in steps


def test_a_kind_of_system_that_knows_no_consultations_is_tried_for_what_it_knows(world: World, tmp_path: Path) -> None:
    sell_consultations(world)
    change(world.provider, adapter="day_capacity")
    with at_work(tmp_path) as there:
        connect_to(world.provider, there.url)
        certify(world.provider)
        assert there.clinic.asked == []
    steps = {step["name"] for step in runs(world.provider)[0].steps}
    assert "slots-listed" in steps and not {name for name in steps if name.startswith("consultations-")}
