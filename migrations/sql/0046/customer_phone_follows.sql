-- While index keys change, a customer's phone is kept unique by its indexes in customer_phone. Here come the row under
-- the key of customer.phone_index, and the end of an earlier number's; the application adds those under other live keys.
CREATE OR REPLACE FUNCTION customer_phone_follows() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  DELETE FROM customer_phone WHERE customer_id = NEW.id;
  IF NEW.phone_index IS NOT NULL THEN
    INSERT INTO customer_phone (customer_id, insurer_id, phone_index)
    VALUES (NEW.id, NEW.insurer_id, NEW.phone_index);
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER customer_phone_follows AFTER INSERT OR UPDATE OF phone_index, insurer_id ON customer
  FOR EACH ROW EXECUTE FUNCTION customer_phone_follows();
