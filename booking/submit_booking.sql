-- The customer submits what she holds, in one round trip: besides hold_booking the only SQL that writes booking.state.
-- It writes what transition.move() writes for the same moves (tests/booking/hold/test_submit.py runs both and compares), and
-- gives back the booking as it stands then. A booking of hers that is not held, or no longer, comes back as it is, with
-- `moved` false; `kept` is null when she has no such booking.
CREATE OR REPLACE FUNCTION submit_booking(
  p_now timestamptz, p_customer bigint, p_booking text, p_actor_kind text, p_actor text, p_cause text,
  p_task text, p_key text, p_notice text, p_channels text[], p_deliveries text[],
  OUT moved boolean, OUT kept booking
) LANGUAGE plpgsql AS $$
DECLARE
  c_from CONSTANT text := 'held';
  c_asked CONSTANT text := 'awaiting_provider';
  c_at_once CONSTANT text := 'confirmed';
  v_notice bigint;
BEGIN
  UPDATE booking b
     SET state = CASE WHEN p.allotment THEN c_at_once ELSE c_asked END,
         version = b.version + 1, updated_at = p_now, cause = p_cause, hold_expires_at = NULL,
         answer_due_at = CASE WHEN NOT p.allotment THEN
           -- Within the provider's hours, and before the service begins if that lies ahead.
           CASE WHEN coalesce(b.starts_at, b.service_date::timestamp AT TIME ZONE b.time_zone) > p_now
             THEN least(p_now + p.answer_hours * interval '1 hour',
                        coalesce(b.starts_at, b.service_date::timestamp AT TIME ZONE b.time_zone))
             ELSE p_now + p.answer_hours * interval '1 hour' END END
    FROM provider p
   WHERE b.public_id = p_booking AND b.customer_id = p_customer
     AND b.state = c_from AND coalesce(b.hold_expires_at > p_now, true) /* guard */
     AND p.id = b.provider_id
  RETURNING b.* INTO kept;
  moved := FOUND;
  IF NOT moved THEN
    SELECT b.* INTO kept FROM booking b WHERE b.public_id = p_booking AND b.customer_id = p_customer;
    RETURN;
  END IF;

  INSERT INTO booking_history (booking_id, version, at, from_state, to_state, actor_kind, actor, cause)
  VALUES (kept.id, kept.version, p_now, c_from, kept.state, p_actor_kind, p_actor, p_cause);

  INSERT INTO provider_task (public_id, provider_id, booking_id, seq, command, key, state, run_after, created_at)
  VALUES (p_task, kept.provider_id, kept.id,
      (SELECT coalesce(max(t.seq), 0) + 1 FROM provider_task t WHERE t.booking_id = kept.id),
      'reserve', p_key, 'queued', p_now, p_now);

  IF kept.state = c_at_once THEN
    INSERT INTO notification (public_id, customer_id, booking_id, kind, subject, facts, created_at)
    VALUES (p_notice, kept.customer_id, kept.id, 'confirmed', kept.public_id || ':' || kept.version,
        notice_facts(kept.kind, kept.snapshot, kept.service_date, kept.starts_at, kept.time_zone, kept.cause)
          || jsonb_build_object('by', p_actor_kind, 'alternatives', '[]'::jsonb),
        p_now)
    RETURNING id INTO v_notice;
    INSERT INTO notification_delivery (notification_id, channel, key, run_after)
    SELECT v_notice, way.channel, way.key, p_now
      FROM unnest(p_channels, p_deliveries) AS way(channel, key)
      LEFT JOIN notice_setting s ON s.customer_id = kept.customer_id
     WHERE CASE way.channel
             WHEN 'sms' THEN coalesce(s.sms, true)
             ELSE coalesce(s.email AND s.email_confirmed_at IS NOT NULL, false) END;
  END IF;
END $$;
