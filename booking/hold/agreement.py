"""The audit line of what a person agrees to by a booking."""

from __future__ import annotations


def with_agreement(hold: str) -> str:
    """The statement `hold`, which calls hold_booking, with a line of the audit trail in the same transaction where the
    agreement `consent` (a purpose) is new; `person` is her public id. What she had agreed to before is read as it was
    when the statement began."""
    return f"""
    WITH held AS MATERIALIZED ({hold}), agreed AS (
      INSERT INTO audit_line (at, insurer_id, actor_kind, actor, action, subject, facts)
      SELECT %(now)s, %(insurer)s, %(actor_kind)s, %(actor)s, 'consent.given', %(person)s,
             jsonb_build_object('purpose', CAST(%(consent)s AS text), 'method', 'booking')
        FROM held
       WHERE held.outcome = 'held' AND NOT EXISTS (
         SELECT FROM consent
          WHERE beneficiary_id = %(beneficiary)s AND purpose = CAST(%(consent)s AS text) AND withdrawn_at IS NULL))
    SELECT outcome, booking FROM held
    """
