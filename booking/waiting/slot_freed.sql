-- A place that becomes free while a customer waits for it is reserved until those who wait were asked.
CREATE OR REPLACE FUNCTION slot_freed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO freed_slot (slot_id, kept)
  SELECT NEW.id, true
   WHERE EXISTS (SELECT FROM waiting_place p JOIN waiting_entry e ON e.id = p.entry_id
                  WHERE p.pool_id = NEW.pool_id AND p.open AND e.state = 'waiting'
                    AND NEW.service_date BETWEEN e.first_day AND e.last_day);
  RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER slot_freed AFTER UPDATE OF taken, capacity, offered, closed ON slot FOR EACH ROW
  WHEN (NEW.has_place AND NOT OLD.has_place) EXECUTE FUNCTION slot_freed();
