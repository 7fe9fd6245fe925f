"""Bringing waiting conversations to clinicians: offers, escalation, and who leaves."""
