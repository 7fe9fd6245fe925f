-- A pledge only goes on: what was promised stays, it is never less at risk, and one that has ended never changes.
CREATE OR REPLACE FUNCTION pledge_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.state IN ('breached','met','cancelled') THEN
    RAISE EXCEPTION 'pledge_ended' USING ERRCODE = 'AX911', DETAIL = OLD.state;
  END IF;
  IF (OLD.promise, OLD.subject_kind, OLD.subject, OLD.insurer_id, OLD.customer_id, OLD.provider_id, OLD.booking_id,
      OLD.seconds, OLD.units, OLD.begun_at, OLD.risk_due_at, OLD.due_at)
     IS DISTINCT FROM
     (NEW.promise, NEW.subject_kind, NEW.subject, NEW.insurer_id, NEW.customer_id, NEW.provider_id, NEW.booking_id,
      NEW.seconds, NEW.units, NEW.begun_at, NEW.risk_due_at, NEW.due_at)
     OR (OLD.at_risk_at IS NOT NULL AND NEW.at_risk_at IS DISTINCT FROM OLD.at_risk_at)
  THEN
    RAISE EXCEPTION 'pledge_stands' USING ERRCODE = 'AX912';
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER pledge_ends BEFORE UPDATE OR DELETE ON pledge
  FOR EACH ROW EXECUTE FUNCTION pledge_ends();
