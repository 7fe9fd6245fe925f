-- A line of history that is its provider's business names it, whoever writes the line: that is what the provider's feed
-- of events is read from (booking/answering/events.py). A hold is nobody's business but the customer's, and costs no
-- call here: the WHEN clause decides.
CREATE OR REPLACE FUNCTION booking_history_names_provider() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT b.provider_id INTO NEW.provider_id FROM booking b WHERE b.id = NEW.booking_id;
  RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER booking_history_names_provider BEFORE INSERT ON booking_history FOR EACH ROW
  WHEN (NEW.to_state <> 'held'
    AND NOT (coalesce(NEW.from_state, '') = 'held' AND NEW.to_state IN ('expired', 'cancelled', 'entered_in_error')))
  EXECUTE FUNCTION booking_history_names_provider();
