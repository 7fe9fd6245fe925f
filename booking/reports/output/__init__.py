"""Giving a report out of the house: as a PDF, as FHIR."""
