-- What belongs to a provider is of its market, whatever the caller says: nobody chooses.
CREATE OR REPLACE FUNCTION takes_providers_market() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.market := coalesce((SELECT p.market FROM provider p WHERE p.id = NEW.provider_id), NEW.market);
  RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER takes_providers_market BEFORE INSERT ON offer
  FOR EACH ROW EXECUTE FUNCTION takes_providers_market();
CREATE OR REPLACE TRIGGER takes_providers_market BEFORE INSERT ON booking
  FOR EACH ROW EXECUTE FUNCTION takes_providers_market();
