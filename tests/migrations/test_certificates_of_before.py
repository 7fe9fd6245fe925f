"""Providers that were live before there were certificates get provisional ones, and are offered until those end."""

from __future__ import annotations

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, select, text, update

from marketplace.catalog.models import Provider
from marketplace.core.config import ROOT
from marketplace.core.database.db import reading, transaction
from providers.conformance.certificates import issue
from providers.conformance.certificates.models import Certificate
from providers.conformance.step import Capability
from providers.registry import answering_here
from tests.booking.certifying.certified import offered, proved
from tests.world import make_offer

KNOWN_THEN = tuple(each for each in Capability if each not in (Capability.CONSULTATIONS, Capability.ESCORTS))
"""No provider's doctors had a system of their own before there were certificates."""
GIVEN = ScriptDirectory.from_config(Config(ROOT / "alembic.ini")).get_revision("0067").module


def test_who_is_live_gets_provisional_certificates_for_thirty_days(db: object, owner_connection: Connection) -> None:
    (live, offer, _), (here, _, _) = make_offer(), make_offer()
    with transaction() as session:
        session.execute(update(Provider).where(Provider.id == here.id).values(adapter="partner"))
    owner_connection.execute(text(GIVEN.PROVISIONAL))
    assert proved(live) == dict.fromkeys(KNOWN_THEN, "provisional")
    assert proved(here) == {}
    with reading() as session:
        spans = {row.expires_at - row.issued_at for row in session.scalars(select(Certificate))}
    assert spans == {issue.PROVISIONAL}
    with transaction() as session:
        issue.mark_offers(session, issue.lock_provider(session, live.id))
    assert offered(offer)


def test_the_migration_knows_what_the_code_knows() -> None:
    assert GIVEN.CAPABILITIES == KNOWN_THEN
    assert answering_here() == ["desk", "partner"]
