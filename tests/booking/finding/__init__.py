"""Choosing a place."""
