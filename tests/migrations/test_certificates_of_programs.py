"""Providers whose programs were live before programs needed a certificate get provisional ones."""

from __future__ import annotations

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, select, text, update

from booking.actors import SYSTEM
from booking.twins.open import open_test_mode
from marketplace.catalog.models import Provider
from marketplace.core import clock
from marketplace.core.config import ROOT
from marketplace.core.database.db import reading, transaction
from providers.conformance.certificates import issue
from providers.conformance.certificates.models import Certificate
from providers.conformance.kit import declared
from tests.booking.certifying.certified import offered, proved
from tests.world import make_offer

GIVEN = ScriptDirectory.from_config(Config(ROOT / "alembic.ini")).get_revision("0078").module


def test_whose_programs_are_live_get_them_for_thirty_days(db: object, owner_connection: Connection) -> None:
    (program, offer, _), (people, _, _), (system, _, _) = make_offer(), make_offer(), make_offer()
    (waiting, _, _) = make_offer()
    with transaction() as session:
        for provider, adapter in ((program, "partner"), (people, "desk"), (waiting, "partner")):
            session.execute(update(Provider).where(Provider.id == provider.id).values(adapter=adapter))
        session.execute(update(Provider).where(Provider.id == waiting.id).values(approved_at=None))
    twin = open_test_mode(program.id, SYSTEM, clock.now())
    for _twice in range(2):
        owner_connection.execute(text(GIVEN.PROVISIONAL))
    assert proved(program) == dict.fromkeys(declared("partner"), "provisional")
    assert proved(people) == proved(system) == {}
    assert proved(waiting) == {}, "it was never live"
    with reading() as session:
        assert proved(session.get_one(Provider, twin.id)) == {}
        spans = {row.expires_at - row.issued_at for row in session.scalars(select(Certificate))}
    assert spans == {issue.PROVISIONAL}
    with transaction() as session:
        issue.mark_offers(session, issue.lock_provider(session, program.id))
    assert offered(offer)


def test_the_migration_knows_what_the_code_asks_of_a_program() -> None:
    assert tuple(declared("partner")) == GIVEN.CAPABILITIES
