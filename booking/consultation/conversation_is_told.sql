-- What changes of a conversation is told to streams of its customer, and of the clinician who has it in hand or of all
-- members of the provider while nobody has; who had it before is told once more. Whoever writes it: messages raise
-- last_seq, the queue moves it, closing ends it.
CREATE OR REPLACE FUNCTION conversation_is_told() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_booking record;
  v_topics text[];
BEGIN
  SELECT b.customer_id, b.public_id INTO v_booking FROM booking b WHERE b.id = NEW.booking_id;
  v_topics := ARRAY['customer:' || v_booking.customer_id,
                    CASE WHEN NEW.clinician_id IS NULL THEN 'provider:' || NEW.provider_id
                         ELSE 'member:' || NEW.clinician_id END];
  IF NEW.clinician_id IS DISTINCT FROM OLD.clinician_id THEN
    v_topics := array_append(v_topics, CASE WHEN OLD.clinician_id IS NULL THEN 'provider:' || NEW.provider_id
                                            ELSE 'member:' || OLD.clinician_id END);
  END IF;
  INSERT INTO live_event (topics, kind, facts, at)
  VALUES (v_topics, 'conversation',
          jsonb_build_object('conversation', NEW.public_id, 'booking', v_booking.public_id, 'seq', NEW.last_seq),
          clock_timestamp());
  RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER conversation_is_told AFTER UPDATE ON conversation FOR EACH ROW
  WHEN ((NEW.last_seq, NEW.clinician_id, NEW.handed_back_at, NEW.flagged_at, NEW.first_message_at, NEW.closed_at)
        IS DISTINCT FROM
        (OLD.last_seq, OLD.clinician_id, OLD.handed_back_at, OLD.flagged_at, OLD.first_message_at, OLD.closed_at))
  EXECUTE FUNCTION conversation_is_told();
