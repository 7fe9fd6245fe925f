-- An assignment keeps how its worker is called as it is written, whoever writes it.
CREATE OR REPLACE FUNCTION escort_worker_then() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.worker_then := escort_worker_now(NEW.worker_id);
  RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER escort_worker_then BEFORE INSERT ON escort_assignment FOR EACH ROW
  EXECUTE FUNCTION escort_worker_then();
