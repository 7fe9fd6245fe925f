"""Exporting a report: as a PDF, and as FHIR."""
