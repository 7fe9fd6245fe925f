-- The one writer of how many conversations a clinician has in hand. She is given none while she is off, on a break or
-- has all that she takes at once. One that is reopened comes back to her if she is free, else it waits for anybody.
CREATE OR REPLACE FUNCTION conversation_moves_in_hand() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  had bigint;
  has bigint := CASE WHEN NEW.closed_at IS NULL THEN NEW.clinician_id END;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    had := CASE WHEN OLD.closed_at IS NULL THEN OLD.clinician_id END;
  END IF;
  IF had IS NOT DISTINCT FROM has THEN
    RETURN NEW;
  END IF;
  IF had IS NOT NULL THEN
    UPDATE clinician_shift SET in_hand = in_hand - 1
     WHERE member_id = had AND provider_id = NEW.provider_id AND ended_at IS NULL;
  END IF;
  IF has IS NULL THEN
    RETURN NEW;
  END IF;
  UPDATE clinician_shift SET in_hand = in_hand + 1
   WHERE member_id = has AND provider_id = NEW.provider_id AND ended_at IS NULL AND break_since IS NULL
     AND in_hand < capacity /* guard */;
  IF NOT FOUND THEN
    IF TG_OP = 'UPDATE' AND had IS NULL AND OLD.clinician_id = has THEN
      NEW.clinician_id := NULL;
    ELSE
      RAISE EXCEPTION 'clinician_not_free' USING ERRCODE = 'AX913';
    END IF;
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER conversation_moves_in_hand BEFORE INSERT OR UPDATE OF clinician_id, closed_at ON conversation
  FOR EACH ROW EXECUTE FUNCTION conversation_moves_in_hand();
