"""What moves counters: the ledger's and the claims' triggers, and the function that holds a place.

A counter has one writer. Adding a ledger line moves the entitlement's columns, adding or releasing a claim moves
`slot.taken`; the application's role has no right to write those columns itself (migrations/grants.py).

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ENTITLEMENT = """
CREATE FUNCTION entitlement_starts_empty() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(NEW.granted, 0) + coalesce(NEW.available, 0) + NEW.reserved + NEW.used + NEW.expired + NEW.revoked <> 0
  THEN
    RAISE EXCEPTION 'entitlement_starts_empty' USING ERRCODE = 'AX900';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER entitlement_starts_empty BEFORE INSERT ON entitlement
  FOR EACH ROW EXECUTE FUNCTION entitlement_starts_empty();

CREATE FUNCTION entitlement_entry_moves_counters() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE q bigint := NEW.quantity;
BEGIN
  CASE NEW.entry
    WHEN 'grant' THEN
      UPDATE entitlement SET granted = granted + q, available = available + q WHERE id = NEW.entitlement_id;
    WHEN 'reserve' THEN
      UPDATE entitlement SET available = available - q, reserved = reserved + q
       WHERE id = NEW.entitlement_id AND coalesce(available >= q, true) /* guard */;
    WHEN 'release' THEN
      UPDATE entitlement SET available = available + q, reserved = reserved - q
       WHERE id = NEW.entitlement_id AND reserved >= q;
    WHEN 'use' THEN
      UPDATE entitlement SET reserved = reserved - q, used = used + q
       WHERE id = NEW.entitlement_id AND reserved >= q;
    WHEN 'reverse' THEN
      UPDATE entitlement SET used = used - q, available = available + q
       WHERE id = NEW.entitlement_id AND used >= q;
    WHEN 'expire' THEN
      UPDATE entitlement SET available = available - q, expired = expired + q
       WHERE id = NEW.entitlement_id AND available >= q;
    WHEN 'revoke' THEN
      UPDATE entitlement SET available = available - q, revoked = revoked + q
       WHERE id = NEW.entitlement_id AND available >= q;
  END CASE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'entitlement_exhausted' USING ERRCODE = 'AX001';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER entitlement_entry_moves_counters BEFORE INSERT ON entitlement_entry
  FOR EACH ROW EXECUTE FUNCTION entitlement_entry_moves_counters();

CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'append_only' USING ERRCODE = 'AX901';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON entitlement_entry
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_line
  FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON booking_history
  FOR EACH ROW EXECUTE FUNCTION append_only();
"""

SLOT = """
CREATE FUNCTION slot_claim_moves_taken() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NOT NEW.live THEN
      RAISE EXCEPTION 'claim_starts_live' USING ERRCODE = 'AX902';
    END IF;
    UPDATE slot SET taken = taken + NEW.places
     WHERE id = NEW.slot_id AND taken + NEW.places <= capacity AND NOT closed /* guard */;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'slot_full' USING ERRCODE = 'AX002';
    END IF;
    RETURN NEW;
  END IF;
  IF NEW.booking_id <> OLD.booking_id OR NEW.slot_id <> OLD.slot_id OR NEW.places <> OLD.places
     OR (NEW.live AND NOT OLD.live) THEN
    RAISE EXCEPTION 'claim_only_ends' USING ERRCODE = 'AX903';
  END IF;
  IF OLD.live AND NOT NEW.live THEN
    UPDATE slot SET taken = taken - OLD.places, capacity = greatest(offered, taken - OLD.places)
     WHERE id = OLD.slot_id;
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER slot_claim_moves_taken BEFORE INSERT OR UPDATE ON slot_claim
  FOR EACH ROW EXECUTE FUNCTION slot_claim_moves_taken();
"""

# One round trip, and the contended rows are locked only while PostgreSQL itself works. Eligibility was decided by the
# caller; here stands what must be true at the moment of taking. Locks in the one order: key, beneficiary,
# entitlement, slot last.
HOLD = """
CREATE FUNCTION hold_booking(
  p_now timestamptz, p_insurer bigint, p_customer bigint, p_beneficiary bigint, p_entitlements bigint[],
  p_offer bigint, p_provider bigint, p_kind text, p_slot bigint, p_slot_starts timestamptz,
  p_public_id text, p_reference text, p_service_date date, p_ends timestamptz, p_time_zone text, p_period tstzrange,
  p_hold_expires timestamptz, p_price bigint, p_currency text, p_snapshot jsonb, p_details bytea,
  p_actor_kind text, p_actor text, p_scope text, p_key text, p_fingerprint bytea,
  OUT outcome text, OUT booking text
) LANGUAGE plpgsql AS $$
DECLARE
  v_booking bigint;
  v_entitlement bigint;
  v_known bytea;
BEGIN
  INSERT INTO idempotency_key (scope, key, fingerprint, status, resource, created_at)
  VALUES (p_scope, p_key, p_fingerprint, 201, p_public_id, p_now)
  ON CONFLICT (scope, key) DO NOTHING;
  IF NOT FOUND THEN
    SELECT k.fingerprint, k.resource INTO v_known, booking
      FROM idempotency_key k WHERE k.scope = p_scope AND k.key = p_key;
    IF v_known IS DISTINCT FROM p_fingerprint THEN
      RAISE EXCEPTION 'idempotency_key_reused' USING ERRCODE = 'AX003';
    END IF;
    outcome := 'replayed';
    RETURN;
  END IF;

  PERFORM 1 FROM beneficiary
    WHERE id = p_beneficiary AND customer_id = p_customer AND removed_at IS NULL FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'beneficiary_gone' USING ERRCODE = 'AX004';
  END IF;

  SELECT e.id INTO v_entitlement
    FROM unnest(p_entitlements) WITH ORDINALITY AS wanted(id, place)
    JOIN entitlement e ON e.id = wanted.id
   WHERE e.customer_id = p_customer AND e.kind = p_kind AND coalesce(e.available > 0, true)
     AND p_service_date BETWEEN e.valid_from AND e.valid_until
   ORDER BY wanted.place LIMIT 1;
  IF v_entitlement IS NULL THEN
    RAISE EXCEPTION 'entitlement_exhausted' USING ERRCODE = 'AX001';
  END IF;

  INSERT INTO booking (public_id, reference, insurer_id, customer_id, beneficiary_id, offer_id, provider_id,
      entitlement_id, kind, state, service_date, starts_at, ends_at, time_zone, period, hold_expires_at,
      price_minor, currency, snapshot, details_sealed, created_at, updated_at)
  VALUES (p_public_id, p_reference, p_insurer, p_customer, p_beneficiary, p_offer, p_provider,
      v_entitlement, p_kind, 'held', p_service_date, p_slot_starts, p_ends, p_time_zone, p_period, p_hold_expires,
      p_price, p_currency, p_snapshot, p_details, p_now, p_now)
  RETURNING id INTO v_booking;

  INSERT INTO booking_history (booking_id, version, at, from_state, to_state, actor_kind, actor)
  VALUES (v_booking, 1, p_now, NULL, 'held', p_actor_kind, p_actor);

  INSERT INTO entitlement_entry (entitlement_id, booking_id, entry, quantity, attempt, at, actor_kind, actor)
  VALUES (v_entitlement, v_booking, 'reserve', 1, 1, p_now, p_actor_kind, p_actor);

  INSERT INTO slot_claim (booking_id, slot_id, places, created_at) VALUES (v_booking, p_slot, 1, p_now);

  PERFORM 1 FROM slot
    WHERE id = p_slot AND starts_at IS NOT DISTINCT FROM p_slot_starts AND service_date = p_service_date;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'slot_moved' USING ERRCODE = 'AX005';
  END IF;
  outcome := 'held';
  booking := p_public_id;
END $$;
"""


def upgrade() -> None:
    for script in (ENTITLEMENT, SLOT, HOLD):
        op.execute(script)


def downgrade() -> None:
    op.execute(
        """
        DROP FUNCTION hold_booking;
        DROP TRIGGER slot_claim_moves_taken ON slot_claim;
        DROP FUNCTION slot_claim_moves_taken;
        DROP TRIGGER append_only ON booking_history;
        DROP TRIGGER append_only ON audit_line;
        DROP TRIGGER append_only ON entitlement_entry;
        DROP FUNCTION append_only;
        DROP TRIGGER entitlement_entry_moves_counters ON entitlement_entry;
        DROP FUNCTION entitlement_entry_moves_counters;
        DROP TRIGGER entitlement_starts_empty ON entitlement;
        DROP FUNCTION entitlement_starts_empty;
        """
    )
