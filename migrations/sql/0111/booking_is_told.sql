-- A booking's new version is told to streams of its customer and of its provider, whoever writes it: the product's own
-- statements, its functions, and last week's code beside a migration. A new hold has no earlier version and is told to
-- nobody: only she knows of it, on the page that she is looking at, and it is the hottest write there is.
CREATE OR REPLACE FUNCTION booking_is_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO live_event (topics, kind, facts, at)
  VALUES (ARRAY['customer:' || NEW.customer_id, 'provider:' || NEW.provider_id], 'booking',
          jsonb_build_object('booking', NEW.public_id, 'version', NEW.version), NEW.updated_at);
  RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER booking_is_told AFTER UPDATE ON booking FOR EACH ROW
  WHEN (NEW.version IS DISTINCT FROM OLD.version)
  EXECUTE FUNCTION booking_is_told();
