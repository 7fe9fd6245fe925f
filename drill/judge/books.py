"""Our own books against each other, by plain SQL: every question finds the rows that must not be there.

Nothing of the product's code is asked, so that a rule that is wrong there cannot excuse itself here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import psycopg


@dataclass(frozen=True)
class Difference:
    """Something that does not agree. `kind` names the rule, `subject` what it is about (a public id, a provider's
    reference), `facts` are both sides as they were found."""

    kind: str
    subject: str
    facts: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        listed = ", ".join(f"{name} {value}" for name, value in self.facts.items())
        return f"{self.kind}: {self.subject}" + (f" ({listed})" if listed else "")


_ENDED = "('cancelled', 'rejected', 'expired', 'entered_in_error')"
_OPEN = "('held', 'awaiting_provider', 'outcome_unknown')"

# What a person has to decide: the provider says it serves an order that we had given up (the customer took her change
# back while it was being carried out, or had moved away from that date and cancelled). The product must have found it
# and opened it; no books tell who is right.
_SERVED_ANYWAY = f"""
    SELECT c.facts->>'reference' FROM discrepancy c JOIN booking b ON b.public_id = c.subject
     WHERE c.closed_at IS NULL AND c.kind = 'state_differs'
       AND c.facts->>'theirs' IN ('checked_in', 'in_service', 'fulfilled')
       AND b.state IN {_ENDED}"""

_SERVED_BOOKINGS = f"""
    SELECT coalesce(c.booking_id, b.id) FROM discrepancy c JOIN booking b ON b.public_id = c.subject
     WHERE c.closed_at IS NULL AND c.facts->>'reference' IN ({_SERVED_ANYWAY})"""

# All transactions before this one had ended when the newest whole seal was made.
_SEALED = "(SELECT split_part(snapshot, ':', 1)::bigint FROM audit_seal WHERE through = '{}' ORDER BY seq DESC LIMIT 1)"

# kind -> a query whose every row is a difference; its first column is the subject, the others are facts.
QUESTIONS = {
    "places are not what is claimed": """
        SELECT s.public_id AS subject, s.taken, s.capacity, s.offered, coalesce(sum(c.places), 0) AS claimed
          FROM slot s LEFT JOIN slot_claim c ON c.slot_id = s.id AND c.live
         GROUP BY s.id
        HAVING s.taken <> coalesce(sum(c.places), 0) OR s.taken > s.capacity OR s.taken < 0
            OR s.capacity <> greatest(s.offered, s.taken)""",
    "a booking does not hold its place": f"""
        SELECT b.public_id AS subject, b.state, count(c.id) AS claims
          FROM booking b LEFT JOIN slot_claim c ON c.booking_id = b.id AND c.live
         GROUP BY b.id
        HAVING count(c.id) <> CASE WHEN b.state IN {_ENDED} THEN 0 ELSE 1 END""",
    "a booking and its slot tell two times": """
        SELECT b.public_id AS subject, b.starts_at AS ours, s.starts_at AS slot, b.service_date, s.service_date AS day
          FROM booking b JOIN slot_claim c ON c.booking_id = b.id AND c.live JOIN slot s ON s.id = c.slot_id
         WHERE (b.starts_at, b.service_date) IS DISTINCT FROM (s.starts_at, s.service_date)""",
    "counters are not the ledger's sums": """
        WITH line AS (
          SELECT entitlement_id,
                 coalesce(sum(quantity) FILTER (WHERE entry = 'grant'), 0) AS grants,
                 coalesce(sum(quantity) FILTER (WHERE entry = 'reserve'), 0) AS reserves,
                 coalesce(sum(quantity) FILTER (WHERE entry = 'release'), 0) AS releases,
                 coalesce(sum(quantity) FILTER (WHERE entry = 'use'), 0) AS uses,
                 coalesce(sum(quantity) FILTER (WHERE entry = 'reverse'), 0) AS reverses,
                 coalesce(sum(quantity) FILTER (WHERE entry = 'expire'), 0) AS expires,
                 coalesce(sum(quantity) FILTER (WHERE entry = 'revoke'), 0) AS revokes
            FROM entitlement_entry GROUP BY entitlement_id
        )
        SELECT e.public_id AS subject, e.granted, e.available, e.reserved, e.used, e.expired, e.revoked, l.grants,
               l.reserves, l.releases, l.uses, l.reverses, l.expires, l.revokes
          FROM entitlement e LEFT JOIN line l ON l.entitlement_id = e.id
         WHERE l.entitlement_id IS NULL
            OR e.reserved <> l.reserves - l.releases - l.uses OR e.used <> l.uses - l.reverses
            OR e.expired <> l.expires OR e.revoked <> l.revokes
            OR e.granted <> l.grants
            OR e.available <> l.grants - l.reserves + l.releases + l.reverses - l.expires - l.revokes
            OR e.granted <> e.available + e.reserved + e.used + e.expired + e.revoked
            OR least(e.available, e.reserved, e.used, e.expired, e.revoked) < 0""",
    "a booking's unit is not where its state says": f"""
        WITH line AS (
          SELECT b.public_id AS subject, b.state, b.entitlement_id,
                 count(*) FILTER (WHERE l.entry = 'reserve') AS reserves,
                 count(*) FILTER (WHERE l.entry = 'release') AS releases,
                 count(*) FILTER (WHERE l.entry = 'use') AS uses,
                 count(*) FILTER (WHERE l.entry = 'reverse') AS reverses,
                 count(*) FILTER (WHERE l.entitlement_id <> b.entitlement_id) AS elsewhere
            FROM booking b LEFT JOIN entitlement_entry l ON l.booking_id = b.id GROUP BY b.id
        )
        SELECT * FROM line
         WHERE elsewhere > 0 OR (reserves - releases - uses, uses - reverses) NOT IN (
           SELECT * FROM (VALUES (1, 0)) AS held WHERE state NOT IN {_ENDED} AND state NOT IN ('fulfilled', 'no_show')
           UNION ALL SELECT 0, 1 WHERE state IN ('fulfilled', 'no_show')
           UNION ALL SELECT 0, 0 WHERE state IN {_ENDED} OR state = 'no_show')""",
    "a unit was reserved, used or given back twice": """
        SELECT b.public_id AS subject, l.attempt, l.entry, count(*) AS lines
          FROM entitlement_entry l JOIN booking b ON b.id = l.booking_id
         GROUP BY b.id, l.attempt, l.entry HAVING count(*) > 1
        UNION ALL
        SELECT b.public_id, l.attempt, 'release and use', count(*)
          FROM entitlement_entry l JOIN booking b ON b.id = l.booking_id WHERE l.entry IN ('release', 'use')
         GROUP BY b.id, l.attempt HAVING count(*) > 1""",
    "a person is at two places at once": """
        SELECT a.public_id AS subject, b.public_id AS other, a.period, b.period AS other_period
          FROM booking a JOIN booking b
            ON b.beneficiary_id = a.beneficiary_id AND b.id > a.id AND b.period && a.period AND a.live AND b.live""",
    "a command was never finished": """
        SELECT b.public_id AS subject, t.command, t.state, t.tries, t.last_error, t.run_after
          FROM provider_task t JOIN booking b ON b.id = t.booking_id WHERE t.state NOT IN ('done', 'refused')""",
    "a booking was never answered": f"""
        SELECT public_id AS subject, state, updated_at FROM booking WHERE state IN {_OPEN}""",
    "a request is still open": """
        SELECT b.public_id AS subject, r.kind, r.asked_at
          FROM change_request r JOIN booking b ON b.id = r.booking_id
         WHERE r.state = 'open' OR r.closed_at IS NULL""",
    "a booking keeps a time it did not get": """
        SELECT b.public_id AS subject, b.pending_period FROM booking b
         WHERE b.pending_period IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM change_request r WHERE r.booking_id = b.id AND r.closed_at IS NULL)""",
    "what was delivered outlives its discrepancy": """
        SELECT d.subject, d.closed_at FROM discrepancy d JOIN delivered_row r ON r.discrepancy_id = d.id
         WHERE d.closed_at IS NOT NULL""",
    "a difference nobody has settled": f"""
        SELECT subject, kind, facts, opened_at FROM discrepancy
         WHERE closed_at IS NULL
           AND NOT (kind IN ('state_differs', 'cancel_refused', 'old_date_used')
                    AND coalesce(facts->>'reference', subject) IN ({_SERVED_ANYWAY}))
           AND NOT (kind = 'report_not_confirmed' AND booking_id IN ({_SERVED_BOOKINGS}))""",
    "a history with a hole": """
        WITH step AS (
          SELECT b.public_id AS subject, b.state, b.version AS booking_version, h.version, h.from_state, h.to_state,
                 lag(h.to_state) OVER w AS before, lead(h.id) OVER w IS NULL AS last
            FROM booking b LEFT JOIN booking_history h ON h.booking_id = b.id
          WINDOW w AS (PARTITION BY b.id ORDER BY h.version)
        )
        SELECT subject, version, before, from_state, to_state, state FROM step
         WHERE version IS NULL OR from_state IS DISTINCT FROM before OR version > booking_version
            OR (last AND to_state <> state)""",
    "a booking was made without its key, or twice by one": """
        SELECT b.public_id AS subject, count(k.id) AS keys
          FROM booking b JOIN booking_history h ON h.booking_id = b.id AND h.version = 1
          LEFT JOIN idempotency_key k ON k.resource = b.public_id AND k.status = 201
         GROUP BY b.id, h.actor_kind
        HAVING count(k.id) > 1 OR count(k.id) = 0 AND h.actor_kind = 'customer'""",
    "a place is kept for somebody in line, and its booking is over": """
        SELECT b.public_id AS subject, b.state, c.outcome
          FROM waiting_chance c JOIN booking b ON b.id = c.booking_id
         WHERE (c.outcome = 'open') <> (b.state = 'held')""",
    "a customer was told something twice": """
        SELECT kind || ' ' || subject AS subject, count(*) AS times
          FROM notification GROUP BY customer_id, kind, subject HAVING count(*) > 1""",
    "an event was taken in twice": """
        SELECT event_id AS subject, count(*) AS times FROM inbox_event
         GROUP BY provider_id, event_id HAVING count(*) > 1""",
    "a line is not in one seal": f"""
        SELECT 'audit_line ' || l.id AS subject, count(s.id) AS seals
          FROM audit_line l LEFT JOIN (SELECT unnest(audit_ids) AS id FROM audit_seal) s ON s.id = l.id
         WHERE l.xact < {_SEALED} GROUP BY l.id HAVING count(s.id) <> 1
        UNION ALL
        SELECT 'entitlement_entry ' || l.id, count(s.id)
          FROM entitlement_entry l LEFT JOIN (SELECT unnest(ledger_ids) AS id FROM audit_seal) s ON s.id = l.id
         WHERE l.xact < {_SEALED} GROUP BY l.id HAVING count(s.id) <> 1""",
}


def differences(connection: psycopg.Connection[Any]) -> list[Difference]:
    """What does not agree within our own books; the connection gives named tuples."""
    found: list[Difference] = []
    for kind, question in QUESTIONS.items():
        for row in connection.execute(question.encode()).fetchall():
            facts = {name: _plain(value) for name, value in row._asdict().items() if name != "subject"}
            found.append(Difference(kind, str(row.subject), facts))
    return found


def _plain(value: Any) -> Any:
    return value if isinstance(value, (int, str, dict, type(None))) else str(value)


def served_anyway(connection: psycopg.Connection[Any]) -> set[str]:
    """References of the provider's whose open case is a person's to decide: served there, given up here."""
    return {reference for (reference,) in connection.execute(_SERVED_ANYWAY.encode()).fetchall()}
