-- A worker with a phone is sent a message when she is asked, whoever asks, and another one when she is not needed any more
-- though she had said yes, or may have read that she is asked: in the transaction in which that happens. Both are written
-- as they go (marketplace.messages.to_workers), which no row here waits for. Of a test nobody is told anything:
-- 0 is LIVE of marketplace/catalog/markets.py, and a test compares the two.
-- What was not begun to be sent is not sent any more. A worker of the outbox who has begun it holds the row for that moment.
CREATE OR REPLACE FUNCTION escort_worker_notified() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_what text := CASE WHEN TG_OP = 'INSERT' THEN 'asked' ELSE 'not_needed' END;
  v_at timestamptz := CASE WHEN TG_OP = 'INSERT' THEN NEW.asked_at ELSE NEW.ended_at END;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    UPDATE escort_letter l SET given_up_at = NEW.ended_at
     WHERE l.assignment_id = NEW.id AND l.sent_at IS NULL AND l.given_up_at IS NULL AND l.tries = 0;
    IF OLD.state = 'asked'
       AND NOT EXISTS (SELECT 1 FROM escort_letter l WHERE l.assignment_id = NEW.id AND l.tries > 0) THEN
      RETURN NULL;
    END IF;
  END IF;
  INSERT INTO escort_letter (public_id, assignment_id, what, created_at, run_after)
  SELECT NEW.public_id || '_' || v_what, NEW.id, v_what, v_at, v_at
    FROM escort_worker w JOIN provider p ON p.id = w.provider_id
   WHERE w.id = NEW.worker_id AND w.phone_sealed IS NOT NULL AND p.market = 0;
  RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER escort_worker_asked AFTER INSERT ON escort_assignment FOR EACH ROW
  EXECUTE FUNCTION escort_worker_notified();

CREATE OR REPLACE TRIGGER escort_worker_not_needed AFTER UPDATE ON escort_assignment FOR EACH ROW
  WHEN (OLD.ended_at IS NULL AND NEW.state IN ('withdrawn', 'replaced'))
  EXECUTE FUNCTION escort_worker_notified();
