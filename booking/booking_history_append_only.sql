-- The history is never rewritten.
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON booking_history
  FOR EACH ROW EXECUTE FUNCTION append_only();
