-- What was sealed stays as it was.
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_seal
  FOR EACH ROW EXECUTE FUNCTION append_only();
