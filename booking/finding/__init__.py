"""Choosing a place: found, counted and put in order; those she marked, and those she has been to."""
