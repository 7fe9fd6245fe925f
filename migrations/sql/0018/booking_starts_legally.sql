-- A booking begins in one of states.FIRST (tests/migrations/test_functions.py compares).
CREATE OR REPLACE FUNCTION booking_starts_legally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'illegal_start' USING ERRCODE = 'AX906', DETAIL = NEW.state;
END $$;

CREATE OR REPLACE TRIGGER booking_starts_legally BEFORE INSERT ON booking FOR EACH ROW
  WHEN (NEW.state NOT IN ('held', 'awaiting_provider', 'fulfilled')) EXECUTE FUNCTION booking_starts_legally();
