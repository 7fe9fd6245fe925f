"""Invented content for looking at every page, by subject."""
