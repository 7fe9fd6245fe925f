"""Differences planted on purpose, to see that the drill finds them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping

import requests

from drill.judge.journal import Acknowledged, Journal
from drill.judge.still import plant_still
from drill.rig.fleet import CannotDrill
from drill.rig.plan import SANDBOX
from drill.rig.stage import Stage


def theirs(where: Stage) -> None:
    """A booking at a provider that nobody here asked for."""
    offer = next(offer for offer in where.offers if offer.provider in where.keys)
    with where.books() as books:
        row = books.execute(
            "SELECT o.external_ref AS offer, l.external_ref AS pool, s.external_ref AS slot"
            "  FROM offer o JOIN capacity_pool l ON l.id = o.pool_id JOIN slot s ON s.pool_id = l.id"
            " WHERE o.public_id = %s AND s.taken < s.capacity AND s.service_date > %s LIMIT 1",
            [offer.id, where.first_day],
        ).fetchall()[0]
    body = {
        "our_reference": f"planted-{uuid.uuid4()}",
        "offer": row.offer,
        "pool": row.pool,
        "slot": row.slot,
        "person": {"name": "示范", "sex": "female", "birth_date": "1985-06-01"},
        "answers": {},
    }
    headers = {"Authorization": f"Bearer {where.keys[offer.provider]}", "Idempotency-Key": str(uuid.uuid4())}
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            f"{where.sandboxes[SANDBOX]}/p/{offer.provider}/bookings", json=body, headers=headers, timeout=10
        )
    if answer.status_code not in (201, 202):
        raise CannotDrill(f"The provider refused what was to be planted: {answer.status_code} {answer.text}")


def ours(where: Stage) -> None:
    """A booking that has vanished at its provider: cancelled there, and nothing is reported to us."""
    with where.books() as books:
        row = books.execute(
            "SELECT r.reference, p.code FROM provider_booking r JOIN provider p ON p.id = r.provider_id"
            " JOIN booking b ON b.id = r.booking_id AND b.state = 'confirmed' WHERE r.role = 'current' LIMIT 1"
        ).fetchall()[0]
        # both ways in which the product would hear of it
        books.execute("UPDATE provider SET paused_at = now(), poll_seconds = 3600 WHERE code = %s", [row.code])
    where.control("PATCH", row.code, "/settings", {"webhook_url": ""})
    where.control("POST", row.code, f"/bookings/{row.reference}/cancel")


def ledger(where: Stage) -> None:
    """A line of the entitlements' ledger that is gone, taken by the tables' owner."""
    with where.books() as books:
        books.execute("ALTER TABLE entitlement_entry DISABLE TRIGGER append_only")
        books.execute(
            "DELETE FROM entitlement_entry WHERE id = (SELECT max(id) FROM entitlement_entry WHERE entry = 'reserve')"
        )


def lost(where: Stage) -> None:
    """A booking that was acknowledged to a customer and that is not there."""
    Journal(where.folder / "journal.jsonl").write(
        Acknowledged("hold", where.people[0].id, "bkg_00000000000000000000", "held", key=str(uuid.uuid4()))
    )


KINDS: Mapping[str, Callable[[Stage], None]] = {
    "still": plant_still,
    "theirs": theirs,
    "ours": ours,
    "ledger": ledger,
    "lost": lost,
}
"""In the order in which they are planted: a stand-still is watched for its minute, in which the product would repair
another."""
