"""Consultations that doctors of an outside provider answer: what goes out to them, and what comes in."""
