-- Days on which a site is closed stay closed, whatever its provider's feed says.
CREATE OR REPLACE FUNCTION slot_stays_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT NEW.closed AND EXISTS (
    SELECT FROM capacity_pool p JOIN site_closure c ON c.site_id = p.site_id
     WHERE p.id = NEW.pool_id AND c.state <> 'withdrawn'
       AND NEW.service_date >= c.from_day AND (c.to_day IS NULL OR NEW.service_date <= c.to_day))
  THEN
    NEW.closed := true;
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER slot_stays_closed BEFORE INSERT OR UPDATE OF closed, service_date ON slot
  FOR EACH ROW EXECUTE FUNCTION slot_stays_closed();
