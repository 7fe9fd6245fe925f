"""Certifying a provider: asking for a run of the conformance kit, carrying it out, and what came of it."""
