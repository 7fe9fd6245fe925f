CREATE FUNCTION booking_hold_is_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO notification (public_id, customer_id, booking_id, kind, subject, facts, created_at)
  VALUES (
    'ntf_' || substr(NEW.public_id, 5), NEW.customer_id, NEW.id, 'held', NEW.public_id,
    jsonb_build_object(
      'offer', jsonb_build_object(
        'zh', coalesce(NEW.snapshot #>> '{offer,zh}', ''), 'en', coalesce(NEW.snapshot #>> '{offer,en}', '')),
      'site', coalesce(NEW.snapshot #>> '{site,name}', ''), 'day', NEW.service_date,
      'starts_at', NEW.starts_at, 'zone', NEW.time_zone, 'cause', NEW.cause, 'until', NEW.hold_expires_at),
    NEW.created_at);
  RETURN NULL;
END $$;

CREATE TRIGGER booking_hold_is_told AFTER INSERT ON booking
  FOR EACH ROW WHEN (NEW.state = 'held') EXECUTE FUNCTION booking_hold_is_told();
