-- The commonest message of a provider, in one round trip: what awaits its answer is confirmed, at the time that was asked
-- for. It writes what inbound.apply_remote() and transition.move() write for the same message
-- (tests/booking/sync/test_confirmed.py runs both and compares), in the order of locks that they have: inbox row, booking.
-- Anything that is not as plain as that is left to them: then this raises not_plain, and nothing was written.
CREATE OR REPLACE FUNCTION confirm_plainly(
  p_now timestamptz, p_provider bigint, p_event text, p_event_kind text,
  p_reference text, p_ours text, p_version bigint, p_day date, p_starts timestamptz,
  p_notice text, p_channels text[], p_deliveries text[],
  OUT outcome text
) LANGUAGE plpgsql AS $$
DECLARE
  c_from CONSTANT text := 'awaiting_provider';
  c_to CONSTANT text := 'confirmed';
  v_booking booking;
  v_notice bigint;
BEGIN
  INSERT INTO inbox_event (provider_id, event_id, kind, received_at, outcome)
  VALUES (p_provider, p_event, p_event_kind, p_now, 'applied')
  ON CONFLICT (provider_id, event_id) DO NOTHING;
  IF NOT FOUND THEN
    outcome := 'duplicate';
    RETURN;
  END IF;

  SELECT b.* INTO v_booking FROM booking b
   WHERE b.id = (SELECT t.booking_id FROM provider_booking t
                  WHERE t.provider_id = p_provider AND t.reference = p_reference)
     FOR UPDATE;
  -- With the booking locked: what else there is about it is written by nobody else now.
  UPDATE provider_booking t SET status = c_to, version = p_version, seen_at = p_now
   WHERE t.provider_id = p_provider AND t.reference = p_reference AND t.booking_id = v_booking.id
     AND t.role = 'current' AND t.version < p_version
     AND v_booking.state = c_from AND coalesce(p_ours = v_booking.public_id, true)
     AND v_booking.service_date = p_day AND v_booking.starts_at IS NOT DISTINCT FROM p_starts
     AND NOT EXISTS (SELECT FROM provider_task o
                      WHERE o.booking_id = v_booking.id AND o.state NOT IN ('done', 'refused'))
     AND NOT EXISTS (SELECT FROM change_request r WHERE r.booking_id = v_booking.id AND r.closed_at IS NULL)
     AND NOT EXISTS (SELECT FROM proposal o WHERE o.booking_id = v_booking.id AND o.state = 'open')
     AND NOT EXISTS (SELECT FROM discrepancy d
                      WHERE d.provider_id = v_booking.provider_id AND d.closed_at IS NULL
                        AND (d.kind, d.subject) IN (('time_differs', v_booking.public_id), ('too_early', p_reference)))
     AND NOT EXISTS (SELECT FROM customer c WHERE c.id = v_booking.customer_id AND c.erased_at IS NOT NULL);
  IF NOT FOUND THEN
    RAISE EXCEPTION 'not_plain' USING ERRCODE = 'AX007';
  END IF;

  UPDATE booking b
     SET state = c_to, version = b.version + 1, updated_at = p_now, cause = '', answer_due_at = NULL
   WHERE b.id = v_booking.id
  RETURNING b.* INTO v_booking;

  INSERT INTO booking_history (booking_id, version, at, from_state, to_state, actor_kind, actor, cause)
  VALUES (v_booking.id, v_booking.version, p_now, c_from, c_to, 'provider',
      (SELECT p.code FROM provider p WHERE p.id = v_booking.provider_id), '');

  INSERT INTO notification (public_id, customer_id, booking_id, kind, subject, facts, created_at)
  VALUES (p_notice, v_booking.customer_id, v_booking.id, 'confirmed', v_booking.public_id || ':' || v_booking.version,
      notice_facts(v_booking.kind, v_booking.snapshot, v_booking.service_date, v_booking.starts_at, v_booking.time_zone, '')
        || jsonb_build_object('by', 'provider', 'alternatives', '[]'::jsonb),
      p_now)
  RETURNING id INTO v_notice;
  INSERT INTO notification_delivery (notification_id, channel, key, run_after)
  SELECT v_notice, way.channel, way.key, p_now
    FROM unnest(p_channels, p_deliveries) AS way(channel, key)
    LEFT JOIN notice_setting s ON s.customer_id = v_booking.customer_id
   WHERE CASE way.channel
           WHEN 'sms' THEN coalesce(s.sms, true)
           ELSE coalesce(s.email AND s.email_confirmed_at IS NOT NULL, false) END;
  outcome := 'applied';
END $$;
