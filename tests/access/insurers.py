"""What an insurer's programs are known by in the world of the table, and a policy, a snapshot and a link of its own."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from marketplace.catalog.models import Insurer
from marketplace.clients import credentials, tokens
from marketplace.clients.models import ApiClient, ApiSecret, ApiToken
from marketplace.clients.owners import INSURERS, INSURERS_SCOPES
from marketplace.core.config import settings
from marketplace.core.database.db import reading, transaction
from tests.access.clinics import REVOKED, WITHOUT
from tests.marketplace.api.insurer.policies import facts
from tests.people import NOON
from tests.vip.insurers.app import waiting_snapshot
from vip.insurers import bring, snapshots
from vip.insurers.bring import Bringer
from vip.insurers.telling import Telling, tell


def insurers_programs() -> dict[str, str]:
    """Tokens of the installation's insurer: `program` with all scopes, one without each, and a revoked one."""
    every = frozenset(INSURERS_SCOPES)
    kinds = {"program": every, REVOKED: every, **{f"{WITHOUT}{scope}": every - {scope} for scope in every}}
    given = {}
    for name, scopes in kinds.items():
        by = credentials.operator("test", INSURERS)
        made = credentials.add_client(settings().insurer_code, name, scopes, by=by, now=NOON)
        given[name] = tokens.new_token()
        with transaction() as session:
            secret = session.scalars(select(ApiSecret).where(ApiSecret.public_id == made.secret_id)).one()
            tokens.give(session, secret, given[name], scopes, NOON)
    with transaction() as session:
        revoked = ApiToken.token_hash == credentials.fingerprint(given[REVOKED])
        session.execute(update(ApiToken).where(revoked).values(ended_at=NOON))
    return given


def policies_of(word: str, phone: str, name: str) -> dict[str, str]:
    """A policy of the customer with that phone and name, an open snapshot, one that waits for a person since it did not
    name the policy, and a link that brings her."""
    with reading() as session:
        insurer = session.scalars(select(Insurer.id).where(Insurer.code == settings().insurer_code)).one()
        client = session.scalars(
            select(ApiClient).where(ApiClient.insurer_id == insurer, ApiClient.name == "program")
        ).one()
        secret_id = session.scalars(select(ApiSecret.id).where(ApiSecret.client_id == client.id)).one()
    tell(Telling(insurer, client.public_id, NOON), facts(f"{word}-p1", number=f"PN-{word}", phone=phone, name=name))
    later = NOON + timedelta(seconds=1)
    waits = waiting_snapshot(insurer, now=later)
    opened = snapshots.open_snapshot(insurer, ends_vanished=True, most_percent=20, once=lambda *_: None, now=NOON)
    bringer = Bringer(client.id, client.public_id, insurer, secret_id)
    link = bring.make_link(bringer, f"{word}-p1", "/", now=NOON)
    return {"policy_key": f"{word}-p1", "policy_snapshot": opened.id, "waiting_snapshot": waits, "arriving": link.token}
