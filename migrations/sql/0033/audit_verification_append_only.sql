-- What was found when the chain was verified stays as it was.
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_verification
  FOR EACH ROW EXECUTE FUNCTION append_only();
