-- What was asked of a worker is written once: who, for which booking, when, until when she may answer, and whether
-- another system named her. One that has ended never changes again, how she was called neither, save that the words by
-- which they knew each other are forgotten, and that the customer is notified of it later.
CREATE OR REPLACE FUNCTION escort_assignment_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.booking_id, OLD.worker_id, OLD.provider_id, OLD.period, OLD.asked_at, OLD.answer_due_at, OLD.asked_by_kind,
      OLD.asked_by, OLD.outside)
     IS DISTINCT FROM
     (NEW.booking_id, NEW.worker_id, NEW.provider_id, NEW.period, NEW.asked_at, NEW.answer_due_at, NEW.asked_by_kind,
      NEW.asked_by, NEW.outside)
     OR (OLD.ended_at IS NOT NULL
         AND (OLD.state, OLD.padded, OLD.travel_seconds, OLD.answered_at, OLD.ended_at, OLD.cause, OLD.worker_then)
             IS DISTINCT FROM
             (NEW.state, NEW.padded, NEW.travel_seconds, NEW.answered_at, NEW.ended_at, NEW.cause, NEW.worker_then))
  THEN
    RAISE EXCEPTION 'escort_assignment_stands' USING ERRCODE = 'AX916';
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER escort_assignment_ends BEFORE UPDATE ON escort_assignment FOR EACH ROW
  EXECUTE FUNCTION escort_assignment_ends();
