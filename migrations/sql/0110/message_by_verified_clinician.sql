-- Nothing reaches a patient as a clinician's words but what a verified clinician wrote.
CREATE OR REPLACE FUNCTION message_by_verified_clinician() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM clinician WHERE member_id = NEW.member_id AND verified_at IS NOT NULL) THEN
    RAISE EXCEPTION 'clinician_not_verified' USING ERRCODE = 'AX914';
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER message_by_verified_clinician BEFORE INSERT ON conversation_message
  FOR EACH ROW WHEN (NEW.author = 'clinician') EXECUTE FUNCTION message_by_verified_clinician();
