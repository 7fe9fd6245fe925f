"""Holding a place, submitting the hold, and letting it expire."""
