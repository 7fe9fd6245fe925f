-- Whoever writes booking.state: no move but those of states.LEGAL (tests/migrations/test_functions.py compares), and to
-- entered_in_error. The WHEN clause decides, so that a legal move costs no call.
CREATE OR REPLACE FUNCTION booking_moves_legally() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'illegal_move' USING ERRCODE = 'AX905', DETAIL = OLD.state || ' -> ' || NEW.state;
END $$;

CREATE OR REPLACE TRIGGER booking_moves_legally BEFORE UPDATE OF state ON booking FOR EACH ROW
  WHEN (OLD.state <> NEW.state AND NEW.state <> 'entered_in_error' AND (OLD.state, NEW.state) NOT IN (
    ('held', 'awaiting_provider'), ('held', 'confirmed'), ('held', 'expired'), ('held', 'cancelled'),
    ('awaiting_provider', 'outcome_unknown'), ('awaiting_provider', 'confirmed'), ('awaiting_provider', 'rejected'), ('awaiting_provider', 'cancelled'),
    ('outcome_unknown', 'awaiting_provider'), ('outcome_unknown', 'confirmed'), ('outcome_unknown', 'rejected'), ('outcome_unknown', 'cancelled'),
    ('confirmed', 'checked_in'), ('confirmed', 'in_service'), ('confirmed', 'fulfilled'), ('confirmed', 'no_show'), ('confirmed', 'cancelled'),
    ('checked_in', 'in_service'), ('checked_in', 'fulfilled'), ('checked_in', 'cancelled'),
    ('in_service', 'fulfilled'), ('in_service', 'cancelled'),
    ('fulfilled', 'in_service'),
    ('no_show', 'checked_in'), ('no_show', 'fulfilled')))
  EXECUTE FUNCTION booking_moves_legally();
