-- An entitlement begins with nothing in it: its first grant is a line of the ledger.
CREATE OR REPLACE FUNCTION entitlement_starts_empty() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(NEW.granted, 0) + coalesce(NEW.available, 0) + NEW.reserved + NEW.used + NEW.expired + NEW.revoked <> 0
  THEN
    RAISE EXCEPTION 'entitlement_starts_empty' USING ERRCODE = 'AX900';
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER entitlement_starts_empty BEFORE INSERT ON entitlement
  FOR EACH ROW EXECUTE FUNCTION entitlement_starts_empty();
