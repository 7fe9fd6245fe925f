"""Figures of what was promised of consultations and what was kept."""
