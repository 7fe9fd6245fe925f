-- Which database was released, and when, stays as it was.
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON installation_release
  FOR EACH ROW EXECUTE FUNCTION append_only();
