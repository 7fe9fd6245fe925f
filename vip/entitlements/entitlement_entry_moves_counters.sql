-- The counters' one writer: a line added to the ledger moves the entitlement's columns, or is refused.
CREATE OR REPLACE FUNCTION entitlement_entry_moves_counters() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE q bigint := NEW.quantity;
BEGIN
  CASE NEW.entry
    WHEN 'grant' THEN
      UPDATE entitlement SET granted = granted + q, available = available + q WHERE id = NEW.entitlement_id;
    WHEN 'reserve' THEN
      UPDATE entitlement SET available = available - q, reserved = reserved + q
       WHERE id = NEW.entitlement_id AND coalesce(available >= q, true) /* guard */;
    WHEN 'release' THEN
      UPDATE entitlement SET available = available + q, reserved = reserved - q
       WHERE id = NEW.entitlement_id AND reserved >= q;
    WHEN 'use' THEN
      UPDATE entitlement SET reserved = reserved - q, used = used + q
       WHERE id = NEW.entitlement_id AND reserved >= q;
    WHEN 'reverse' THEN
      UPDATE entitlement SET used = used - q, available = available + q
       WHERE id = NEW.entitlement_id AND used >= q;
    WHEN 'expire' THEN
      UPDATE entitlement SET available = available - q, expired = expired + q
       WHERE id = NEW.entitlement_id AND available >= q;
    WHEN 'revoke' THEN
      UPDATE entitlement SET available = available - q, revoked = revoked + q
       WHERE id = NEW.entitlement_id AND available >= q;
  END CASE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'entitlement_exhausted' USING ERRCODE = 'AX001';
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER entitlement_entry_moves_counters BEFORE INSERT ON entitlement_entry
  FOR EACH ROW EXECUTE FUNCTION entitlement_entry_moves_counters();
