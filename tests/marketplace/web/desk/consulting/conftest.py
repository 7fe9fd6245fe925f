"""A practice whose doctors answer at the desk, and their browsers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import Engine

from marketplace.app import create_app
from marketplace.core import clock
from marketplace.core.database.db import transaction
from providers.staff import shifts
from providers.staff.models import Clinician
from tests.booking.consultation.rooms import Practice, make_practice
from tests.desk import account, at_desk, make_member, member
from tests.marketplace.web.visitors import Visitor
from tests.people import NOON

Doctor = Callable[..., Visitor]


@pytest.fixture(scope="module")
def app(worker_database: object) -> Flask:
    return create_app()


@pytest.fixture
def practice(db: Engine) -> Iterator[Practice]:
    """One doctor is on shift who has no browser."""
    with clock.frozen(NOON):
        yield make_practice(quantity=20)


@pytest.fixture
def doctor(app: Flask, practice: Practice) -> Doctor:
    """A clinician's browser: `doctor("he", on_shift=False, verified=False)`."""

    def sit(login: str = "he", *, on_shift: bool = True, verified: bool = True, lead: bool = False) -> Visitor:
        make_member(practice.world.provider.code, "clinician", login, name="何医生")
        if verified:
            _verify(practice, login, lead)
        if on_shift and verified:
            shifts.begin(member(login), now=NOON, capacity=3)
        return at_desk(app, login)

    return sit


def _verify(practice: Practice, login: str, lead: bool) -> None:
    found = account(login)
    with transaction() as session:
        session.add(
            Clinician(
                member_id=found.id,
                provider_id=practice.world.provider.id,
                shown_name=f"Dr {login}",
                title_zh="主治医师",
                title_en="Attending physician",
                licence="110310000012345",
                departments=["general"],
                languages=["zh", "en"],
                lead=lead,
                verified_at=NOON,
                verified_by=found.id,
                created_at=NOON,
                updated_at=NOON,
            )
        )
