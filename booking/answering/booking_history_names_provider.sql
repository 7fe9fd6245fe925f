-- A line of history that is its provider's business names it, whoever writes the line: that is what the provider's feed
-- of events is read from (booking/answering/events.py). A hold is nobody's business but the customer's, and costs no
-- call here: the WHEN clause decides. Nor is what a hold ended in, also where it is corrected later: what was submitted
-- has a command, as in booking/answering/whose.py.
CREATE OR REPLACE FUNCTION booking_history_names_provider() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT b.provider_id INTO NEW.provider_id FROM booking b
   WHERE b.id = NEW.booking_id
     AND (NEW.to_state NOT IN ('cancelled', 'entered_in_error')
       OR EXISTS (SELECT FROM provider_task t WHERE t.booking_id = b.id));
  RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER booking_history_names_provider BEFORE INSERT ON booking_history FOR EACH ROW
  WHEN (NEW.to_state NOT IN ('held', 'expired')
    AND NOT (coalesce(NEW.from_state, '') = 'held' AND NEW.to_state IN ('cancelled', 'entered_in_error')))
  EXECUTE FUNCTION booking_history_names_provider();
