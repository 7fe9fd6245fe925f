-- Days on which a site, or the place that it is part of, is closed stay closed, whatever its provider's feed says. The
-- windows of who is sent somewhere are a city's, and not done at the site where they are registered.
CREATE OR REPLACE FUNCTION slot_stays_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT NEW.closed AND EXISTS (
    SELECT FROM capacity_pool p JOIN site own ON own.id = p.site_id
      JOIN site_closure c ON c.site_id IN (own.id, own.place_id)
     WHERE p.id = NEW.pool_id AND c.state <> 'withdrawn'
       AND NEW.service_date >= c.from_day AND (c.to_day IS NULL OR NEW.service_date <= c.to_day)
       AND NOT EXISTS (SELECT FROM offer o
                        WHERE o.pool_id = p.id AND o.kind IN ('appointment_help', 'hospital_escort')))
  THEN
    NEW.closed := true;
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER slot_stays_closed BEFORE INSERT OR UPDATE OF closed, service_date ON slot
  FOR EACH ROW EXECUTE FUNCTION slot_stays_closed();
