-- Rows that join what a provider has with what a customer has are of one booking, one provider and one customer, so of
-- one market (marketplace/catalog/markets.py): a test's row never names something live, nor another test's. None of
-- what is compared here ever changes, so no lock is needed. The booking itself is tied by its foreign keys.
CREATE OR REPLACE FUNCTION in_one_market() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_one boolean;
BEGIN
  CASE TG_TABLE_NAME
    WHEN 'slot_claim', 'capacity_change_item', 'proposal' THEN
      v_one := EXISTS (SELECT FROM booking b, slot s JOIN capacity_pool p ON p.id = s.pool_id
                        WHERE b.id = NEW.booking_id AND s.id = NEW.slot_id AND p.provider_id = b.provider_id);
    WHEN 'change_request' THEN
      v_one := EXISTS (SELECT FROM booking b, slot s JOIN capacity_pool p ON p.id = s.pool_id
                        WHERE b.id = NEW.booking_id AND s.id = NEW.new_slot_id AND p.provider_id = b.provider_id);
    WHEN 'provider_task', 'provider_booking', 'booking_look_up', 'discrepancy', 'escort_assignment' THEN
      v_one := EXISTS (SELECT FROM booking b WHERE b.id = NEW.booking_id AND b.provider_id = NEW.provider_id);
    WHEN 'stray_cancel' THEN
      v_one := EXISTS (SELECT FROM discrepancy d WHERE d.id = NEW.discrepancy_id AND d.provider_id = NEW.provider_id);
    WHEN 'notification' THEN
      v_one := EXISTS (SELECT FROM booking b WHERE b.id = NEW.booking_id AND b.customer_id = NEW.customer_id);
    WHEN 'entitlement_entry' THEN  -- the ledger knows of no bookings: where there is one, it is the same customer's
      v_one := NOT EXISTS (SELECT FROM booking b, entitlement e
                            WHERE b.id = NEW.booking_id AND e.id = NEW.entitlement_id
                              AND e.customer_id <> b.customer_id);
    WHEN 'report' THEN
      v_one := EXISTS (SELECT FROM booking b
                        WHERE b.id = NEW.booking_id AND b.provider_id = NEW.provider_id
                          AND b.insurer_id = NEW.insurer_id AND b.customer_id = NEW.customer_id
                          AND b.beneficiary_id = NEW.beneficiary_id);
    WHEN 'report_share' THEN
      v_one := EXISTS (SELECT FROM report r WHERE r.id = NEW.report_id AND r.customer_id = NEW.customer_id);
    WHEN 'waiting_entry' THEN
      v_one := EXISTS (SELECT FROM customer c WHERE c.id = NEW.customer_id AND c.insurer_id = NEW.insurer_id);
    WHEN 'waiting_place' THEN
      v_one := EXISTS (SELECT FROM waiting_entry e JOIN insurer i ON i.id = e.insurer_id, offer o
                        WHERE e.id = NEW.entry_id AND o.id = NEW.offer_id
                          AND o.market = i.market AND o.pool_id = NEW.pool_id);
    WHEN 'waiting_chance' THEN
      v_one := EXISTS (SELECT FROM waiting_entry e, booking b, slot s JOIN capacity_pool p ON p.id = s.pool_id
                        WHERE e.id = NEW.entry_id AND b.id = NEW.booking_id AND s.id = NEW.slot_id
                          AND b.customer_id = e.customer_id AND p.provider_id = b.provider_id);
    WHEN 'closing_statement' THEN
      v_one := EXISTS (SELECT FROM provider p, insurer i
                        WHERE p.id = NEW.provider_id AND i.id = NEW.insurer_id  -- of tests nothing is owed
                          AND p.market = 0 AND i.market = 0);
    WHEN 'statement_line' THEN
      v_one := EXISTS (SELECT FROM booking b, closing_statement s
                        WHERE b.id = NEW.booking_id AND s.id = NEW.statement_id
                          AND s.provider_id = b.provider_id AND s.insurer_id = b.insurer_id);
    WHEN 'site_closure' THEN  -- it closes everybody's places at a site: only somebody of the live market does that
      v_one := EXISTS (SELECT FROM insurer i WHERE i.id = NEW.insurer_id AND i.twin_id IS NULL);
    WHEN 'site_closure_item' THEN
      v_one := EXISTS (SELECT FROM booking b, site_closure c
                        WHERE b.id = NEW.booking_id AND c.id = NEW.closure_id AND c.insurer_id = b.insurer_id);
    WHEN 'operator' THEN  -- nobody works for a test: at a twin's desk are the people of the live provider
      v_one := NOT EXISTS (SELECT FROM insurer i WHERE i.id = NEW.insurer_id AND i.twin_id IS NOT NULL)
           AND NOT EXISTS (SELECT FROM provider p WHERE p.id = NEW.provider_id AND p.twin_of IS NOT NULL);
  END CASE;
  IF NOT v_one THEN
    RAISE EXCEPTION 'in_one_market' USING ERRCODE = 'AX910', DETAIL = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER in_one_market BEFORE INSERT OR UPDATE OF booking_id, provider_id ON booking_look_up FOR EACH ROW
  EXECUTE FUNCTION in_one_market();
CREATE OR REPLACE TRIGGER in_one_market BEFORE INSERT OR UPDATE OF booking_id, slot_id ON capacity_change_item FOR EACH ROW
  EXECUTE FUNCTION in_one_market();
CREATE OR REPLACE TRIGGER in_one_market BEFORE INSERT OR UPDATE OF booking_id, new_slot_id ON change_request FOR EACH ROW
  WHEN (NEW.new_slot_id IS NOT NULL) EXECUTE FUNCTION in_one_market();
CREATE OR REPLACE TRIGGER in_one_market BEFORE INSERT OR UPDATE OF provider_id, insurer_id ON closing_statement FOR EACH ROW
  EXECUTE FUNCTION in_one_market();
CREATE OR REPLACE TRIGGER in_one_market BEFORE INSERT OR UPDATE OF booking_id, provider_id ON discrepancy FOR EACH ROW
  WHEN (NEW.booking_id IS NOT NULL) EXECUTE FUNCTION in_one_market();
CREATE OR REPLACE TRIGGER in_one_market BEFORE INSERT OR UPDATE OF booking_id, entitlement_id ON entitlement_entry FOR EACH ROW
  WHEN (NEW.booking_id IS NOT NULL) EXECUTE FUNCTION in_one_market();
CREATE OR REPLACE TRIGGER in_one_market BEFORE INSERT OR UPDATE OF booking_id, provider_id ON escort_assignment FOR EACH ROW
  EXECUTE FUNCTION in_one_market();
CREATE OR REPLACE TRIGGER in_one_market BEFORE INSERT OR UPDATE OF booking_id, customer_id ON notification FOR EACH ROW
  WHEN (NEW.booking_id IS NOT NULL) EXECUTE FUNCTION in_one_market();
CREATE OR REPLACE TRIGGER in_one_market BEFORE INSERT OR UPDATE OF insurer_id, provider_id ON operator FOR EACH ROW
  EXECUTE FUNCTION in_one_market();
CREATE OR REPLACE TRIGGER in_one_market BEFORE INSERT OR UPDATE OF booking_id, slot_id ON proposal FOR EACH ROW
  WHEN (NEW.slot_id IS NOT NULL) EXECUTE FUNCTION in_one_market();
CREATE OR REPLACE TRIGGER in_one_market BEFORE INSERT OR UPDATE OF booking_id, provider_id ON provider_booking FOR EACH ROW
  WHEN (NEW.booking_id IS NOT NULL) EXECUTE FUNCTION in_one_market();
CREATE OR REPLACE TRIGGER in_one_market BEFORE INSERT OR UPDATE OF booking_id, provider_id ON provider_task FOR EACH ROW
  EXECUTE FUNCTION in_one_market();
CREATE OR REPLACE TRIGGER in_one_market BEFORE INSERT OR UPDATE OF booking_id, provider_id, insurer_id, customer_id, beneficiary_id ON report FOR EACH ROW
  EXECUTE FUNCTION in_one_market();
CREATE OR REPLACE TRIGGER in_one_market BEFORE INSERT OR UPDATE OF report_id, customer_id ON report_share FOR EACH ROW
  EXECUTE FUNCTION in_one_market();
CREATE OR REPLACE TRIGGER in_one_market BEFORE INSERT OR UPDATE OF insurer_id ON site_closure FOR EACH ROW
  EXECUTE FUNCTION in_one_market();
CREATE OR REPLACE TRIGGER in_one_market BEFORE INSERT OR UPDATE OF closure_id, booking_id ON site_closure_item FOR EACH ROW
  EXECUTE FUNCTION in_one_market();
CREATE OR REPLACE TRIGGER in_one_market BEFORE INSERT OR UPDATE OF booking_id, slot_id ON slot_claim FOR EACH ROW
  EXECUTE FUNCTION in_one_market();
CREATE OR REPLACE TRIGGER in_one_market BEFORE INSERT OR UPDATE OF statement_id, booking_id ON statement_line FOR EACH ROW
  EXECUTE FUNCTION in_one_market();
CREATE OR REPLACE TRIGGER in_one_market BEFORE INSERT OR UPDATE OF discrepancy_id, provider_id ON stray_cancel FOR EACH ROW
  EXECUTE FUNCTION in_one_market();
CREATE OR REPLACE TRIGGER in_one_market BEFORE INSERT OR UPDATE OF entry_id, slot_id, booking_id ON waiting_chance FOR EACH ROW
  EXECUTE FUNCTION in_one_market();
CREATE OR REPLACE TRIGGER in_one_market BEFORE INSERT OR UPDATE OF customer_id, insurer_id ON waiting_entry FOR EACH ROW
  EXECUTE FUNCTION in_one_market();
CREATE OR REPLACE TRIGGER in_one_market BEFORE INSERT OR UPDATE OF entry_id, offer_id, pool_id ON waiting_place FOR EACH ROW
  EXECUTE FUNCTION in_one_market();
