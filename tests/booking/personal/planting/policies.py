"""A policy, and what her insurer's programs did."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import select

from marketplace.clients.credentials import add_client, fingerprint, operator
from marketplace.clients.models import ApiClient
from marketplace.clients.owners import INSURERS
from marketplace.core.config import settings
from marketplace.core.database.db import transaction
from marketplace.core.ids import new_id
from tests.booking.personal.planting.life import Life
from tests.policies import policy_facts, put
from vip.customers import id_numbers
from vip.insurers.models import SignInLink
from vip.policies.facts import InsuredFacts
from vip.policies.models import Policy, PolicySnapshot, VanishedPolicy


def insure(life: Life, phone: str, now: datetime) -> None:
    """A policy of two versions: the second one insures her father alone."""
    herself = InsuredFacts("沈静宜", date(1988, 4, 12), "female", "self")
    father = InsuredFacts(f"{life.mark}爸", date(1951, 9, 3), "male", "father", id_number(phone))
    first = policy_facts(
        key=f"{life.mark}-key",
        number=f"{life.mark}-policy",
        holder_phone=phone,
        in_force_until=date(2066, 1, 1),
        insured=(herself, father),
    )
    put(first, insurer_id=life.world.customer.insurer_id, now=now)
    put(replace(first, version=2, insured=(father,)), insurer_id=life.world.customer.insurer_id, now=now)


def bring(life: Life, now: datetime) -> None:
    """Her insurer's app made a link for her, and a snapshot forgot her policy for a while."""
    insurer_id = life.world.customer.insurer_id
    made = add_client(settings().insurer_code, life.mark, ["customers"], by=operator("test", INSURERS), now=now)
    with transaction() as session:
        policy = session.scalars(select(Policy).where(Policy.customer_id == life.customer)).one()
        client = session.scalars(select(ApiClient).where(ApiClient.public_id == made.client_id)).one()
        snapshot = PolicySnapshot(
            public_id=new_id("snp"), insurer_id=insurer_id, ends_vanished=True, most_percent=2, opened_at=now
        )
        session.add(snapshot)
        session.flush()
        session.add_all(
            [
                VanishedPolicy(
                    snapshot_id=snapshot.id,
                    policy_id=policy.id,
                    ended_at=now,
                    status_before="in_force",
                    returned_at=now,
                ),
                SignInLink(
                    public_id=new_id("sil"),
                    token_hash=fingerprint(life.mark),
                    insurer_id=insurer_id,
                    client_id=client.id,
                    customer_id=life.customer,
                    path="/bookings",
                    created_at=now,
                    expires_at=now,
                    used_at=now,
                ),
            ]
        )


def id_number(phone: str) -> str:
    """Another one for each phone."""
    first = f"110105195109030{phone[-1]}1"
    return first + id_numbers.check_character(first)
