-- A test rests on no certificate. Nor is its offer ever marked as certified: code that knows of no markets gives out to
-- customers what is.
CREATE OR REPLACE FUNCTION tests_are_not_certified() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.certified := false;
  RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER tests_are_not_certified BEFORE INSERT OR UPDATE OF certified ON offer FOR EACH ROW
  WHEN (NEW.certified AND NEW.market <> 0) EXECUTE FUNCTION tests_are_not_certified();
