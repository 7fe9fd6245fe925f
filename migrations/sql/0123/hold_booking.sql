-- Hold a place: one round trip, and the contended rows are locked only while PostgreSQL itself works. Eligibility was
-- decided by the caller (place.py); here stands what must be true at the moment of taking. Locks in the one order: key,
-- beneficiary, the customer's turn, entitlement, slot last. p_most_held bounds what is held for her at once; NULL: no
-- bound (last week's code, which runs beside this for a moment, knows of none). p_venue: where it is done, if not at the
-- offer's own site. p_consent: a purpose that the person agrees to by this booking, written down as p_consent_id unless
-- she agreed to it before; NULL: none.
CREATE OR REPLACE FUNCTION hold_booking(
  p_now timestamptz, p_insurer bigint, p_customer bigint, p_beneficiary bigint, p_entitlements bigint[],
  p_offer bigint, p_provider bigint, p_kind text, p_slot bigint, p_slot_starts timestamptz,
  p_public_id text, p_reference text, p_service_date date, p_ends timestamptz, p_time_zone text, p_period tstzrange,
  p_hold_expires timestamptz, p_price bigint, p_currency text, p_snapshot jsonb, p_details bytea,
  p_actor_kind text, p_actor text, p_scope text, p_key text, p_fingerprint bytea,
  p_most_held bigint DEFAULT NULL, p_venue bigint DEFAULT NULL, p_consent text DEFAULT NULL,
  p_consent_id text DEFAULT NULL,
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

  -- One customer's holds take turns: an advisory lock, since no row may be locked between the person and the
  -- entitlement. Nothing that holds it waits for another customer. A hold that is over but not yet swept isn't counted.
  IF p_most_held IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(1751477349, (p_customer % 2147483647)::int) /* turn */;
    -- Hers are looked through, never everybody's holds: as a WHERE the two conditions would be met by their index.
    IF (SELECT count(*) FILTER (WHERE b.state = 'held' AND b.hold_expires_at > p_now)
          FROM booking b WHERE b.customer_id = p_customer) >= p_most_held THEN
      RAISE EXCEPTION 'too_many_held' USING ERRCODE = 'AX006';
    END IF;
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
      price_minor, currency, snapshot, details_sealed, venue_id, created_at, updated_at)
  VALUES (p_public_id, p_reference, p_insurer, p_customer, p_beneficiary, p_offer, p_provider,
      v_entitlement, p_kind, 'held', p_service_date, p_slot_starts, p_ends, p_time_zone, p_period, p_hold_expires,
      p_price, p_currency, p_snapshot, p_details, p_venue, p_now, p_now)
  RETURNING id INTO v_booking;

  IF p_consent IS NOT NULL THEN
    INSERT INTO consent (public_id, beneficiary_id, purpose, method, given_at)
    VALUES (p_consent_id, p_beneficiary, p_consent, 'booking', p_now)
    ON CONFLICT (beneficiary_id, purpose) WHERE withdrawn_at IS NULL DO NOTHING;
  END IF;

  INSERT INTO booking_history (booking_id, version, at, from_state, to_state, actor_kind, actor)
  VALUES (v_booking, 1, p_now, NULL, 'held', p_actor_kind, p_actor);

  INSERT INTO notification (public_id, customer_id, booking_id, kind, subject, facts, created_at)
  VALUES ('ntf_' || substr(p_public_id, 5), p_customer, v_booking, 'held', p_public_id,
      notice_facts(p_kind, p_snapshot, p_service_date, p_slot_starts, p_time_zone, '')
        || jsonb_build_object('until', p_hold_expires),
      p_now);

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
