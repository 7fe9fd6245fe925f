-- The counter's one writer: a claim added moves slot.taken, or is refused; a claim that ends moves it back.
CREATE OR REPLACE FUNCTION slot_claim_moves_taken() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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

CREATE OR REPLACE TRIGGER slot_claim_moves_taken BEFORE INSERT OR UPDATE ON slot_claim
  FOR EACH ROW EXECUTE FUNCTION slot_claim_moves_taken();
