-- Nothing reaches a patient as a clinician's words but what a verified clinician wrote: a member where members answer,
-- and where an outside provider's doctors do, one of that provider.
CREATE OR REPLACE FUNCTION message_by_verified_clinician() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM clinician k JOIN conversation c ON c.id = NEW.conversation_id
                  WHERE k.member_id = NEW.member_id AND k.verified_at IS NOT NULL AND NOT c.outside)
     AND NOT EXISTS (SELECT FROM outside_clinician k JOIN conversation c ON c.id = NEW.conversation_id
                      WHERE k.id = NEW.outside_clinician_id AND k.verified_at IS NOT NULL
                        AND c.outside AND k.provider_id = c.provider_id) THEN
    RAISE EXCEPTION 'clinician_not_verified' USING ERRCODE = 'AX914';
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER message_by_verified_clinician BEFORE INSERT ON conversation_message
  FOR EACH ROW WHEN (NEW.author = 'clinician') EXECUTE FUNCTION message_by_verified_clinician();
