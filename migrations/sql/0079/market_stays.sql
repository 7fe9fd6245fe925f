-- A provider or an insurer is live or a test's for good. There is no twin of a twin.
CREATE OR REPLACE FUNCTION market_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF EXISTS (SELECT FROM provider p WHERE p.id = NEW.twin_of AND p.twin_of IS NOT NULL) THEN
      RAISE EXCEPTION 'twin_of_a_live_one' USING ERRCODE = 'AX908';
    END IF;
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'market_stays' USING ERRCODE = 'AX909';
END $$;

CREATE OR REPLACE TRIGGER twin_of_a_live_one BEFORE INSERT ON provider FOR EACH ROW
  WHEN (NEW.twin_of IS NOT NULL) EXECUTE FUNCTION market_stays();
CREATE OR REPLACE TRIGGER market_stays BEFORE UPDATE ON provider FOR EACH ROW
  WHEN (NEW.twin_of IS DISTINCT FROM OLD.twin_of) EXECUTE FUNCTION market_stays();
CREATE OR REPLACE TRIGGER market_stays BEFORE UPDATE ON insurer FOR EACH ROW
  WHEN (NEW.twin_id IS DISTINCT FROM OLD.twin_id) EXECUTE FUNCTION market_stays();
