-- The ledger is never rewritten.
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON entitlement_entry
  FOR EACH ROW EXECUTE FUNCTION append_only();
