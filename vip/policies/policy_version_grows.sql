-- An older version of a policy never takes the place of a newer one, whoever writes (vip/policies/put.py locks first).
CREATE OR REPLACE FUNCTION policy_version_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'policy_version_grows' USING ERRCODE = 'AX915';
END $$;

CREATE OR REPLACE TRIGGER policy_version_grows BEFORE UPDATE OF version ON policy FOR EACH ROW
  WHEN (NEW.version < OLD.version) EXECUTE FUNCTION policy_version_grows();
