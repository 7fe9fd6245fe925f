"""Holding a place, confirming the hold, and letting it expire."""
