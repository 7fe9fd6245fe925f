-- What was proved was proved of another system, once a provider's settings change: its certificates end in the same
-- transaction, and its offers are given out no more. Secrets are no such setting: a key that is exchanged changes nothing
-- of what the system does.
CREATE OR REPLACE FUNCTION provider_settings_end_certificates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE certificate SET ended_at = clock_timestamp(), ended_because = 'settings'
   WHERE provider_id = NEW.id AND ended_at IS NULL;
  -- One that answered in our books needed no certificate; what it becomes does.
  IF FOUND OR (OLD.adapter <> NEW.adapter AND OLD.adapter IN ('desk', 'partner')) THEN
    UPDATE offer SET certified = false WHERE provider_id = NEW.id AND certified;
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER provider_settings_end_certificates
  AFTER UPDATE OF adapter, base_url, settings, time_zone, allotment ON provider FOR EACH ROW
  WHEN ((OLD.adapter, OLD.base_url, OLD.settings, OLD.time_zone, OLD.allotment)
        IS DISTINCT FROM (NEW.adapter, NEW.base_url, NEW.settings, NEW.time_zone, NEW.allotment))
  EXECUTE FUNCTION provider_settings_end_certificates();
