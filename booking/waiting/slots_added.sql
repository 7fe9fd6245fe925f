-- So are the places of new slots.
CREATE OR REPLACE FUNCTION slots_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO freed_slot (slot_id, kept)
  SELECT DISTINCT added.id, true
    FROM added
    JOIN waiting_place p ON p.pool_id = added.pool_id AND p.open
    JOIN waiting_entry e ON e.id = p.entry_id AND e.state = 'waiting'
     AND added.service_date BETWEEN e.first_day AND e.last_day
   WHERE added.has_place;
  RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER slots_added AFTER INSERT ON slot REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION slots_added();
