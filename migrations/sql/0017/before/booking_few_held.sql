CREATE FUNCTION booking_few_held() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(1751477349, (NEW.customer_id % 2147483647)::int) /* turn */;
  IF (SELECT count(*) FROM booking
       WHERE customer_id = NEW.customer_id AND state = 'held' AND hold_expires_at > NEW.created_at) >= 10 THEN
    RAISE EXCEPTION 'too_many_held' USING ERRCODE = 'AX006';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER booking_few_held BEFORE INSERT ON booking
  FOR EACH ROW WHEN (NEW.state = 'held') EXECUTE FUNCTION booking_few_held();
