"""HL7 FHIR R4 servers: their slots, appointments and reports, and what keeps a slot and its appointment together."""
