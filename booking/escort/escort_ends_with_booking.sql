-- Whoever was asked to go with somebody is not needed where the booking ends or is to be at another time or place, whoever
-- writes that: her time is free again in the same transaction. Where the service is over, an accepted one is done. For
-- another time the clock looks for somebody at once.
-- Her page and the desk's are told, as booking.escort.assigning.told does.
-- The worker's row is locked first, as by everybody who changes what she does (booking.escort.assign); and that as the last
-- thing before the commit, since a booking that moves holds slots already: who asks a worker waits for no slot after her.
CREATE OR REPLACE FUNCTION escort_ends_with_booking() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_worker bigint;
  v_member bigint;
  v_over boolean := NEW.state IN ('fulfilled', 'no_show');
BEGIN
  IF NEW.live THEN
    UPDATE escort_search s SET look_at = NEW.updated_at, nobody_since = NULL WHERE s.booking_id = NEW.id;
  END IF;
  SELECT a.worker_id INTO v_worker FROM escort_assignment a WHERE a.booking_id = NEW.id AND a.live;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  SELECT w.member_id INTO v_member FROM escort_worker w WHERE w.id = v_worker FOR UPDATE;
  WITH ended AS (
  UPDATE escort_assignment a
     SET state = CASE WHEN v_over AND a.state = 'accepted' THEN 'done' ELSE 'withdrawn' END,
         cause = CASE WHEN v_over AND a.state = 'accepted' THEN NULL WHEN NEW.live THEN 'moved' ELSE 'cancelled' END,
         ended_at = greatest(NEW.updated_at, a.asked_at)
   WHERE a.booking_id = NEW.id AND a.live
   RETURNING a.public_id, a.state)
  INSERT INTO live_event (topics, kind, facts, at)
  SELECT array_remove(ARRAY['provider:' || NEW.provider_id, 'member:' || v_member], NULL), 'escort',
         jsonb_build_object('assignment', ended.public_id, 'state', ended.state), NEW.updated_at
    FROM ended;
  RETURN NULL;
END $$;

DROP TRIGGER IF EXISTS escort_ends_with_booking ON booking;
CREATE CONSTRAINT TRIGGER escort_ends_with_booking AFTER UPDATE ON booking DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN ((OLD.live AND NOT NEW.live)
        OR (OLD.service_date, OLD.starts_at, OLD.venue_id) IS DISTINCT FROM (NEW.service_date, NEW.starts_at, NEW.venue_id))
  EXECUTE FUNCTION escort_ends_with_booking();
