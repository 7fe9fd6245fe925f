-- A slot begins with nothing taken.
CREATE OR REPLACE FUNCTION slot_starts_empty() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.taken <> 0 THEN
    RAISE EXCEPTION 'slot_starts_empty' USING ERRCODE = 'AX904';
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER slot_starts_empty BEFORE INSERT ON slot FOR EACH ROW EXECUTE FUNCTION slot_starts_empty();
