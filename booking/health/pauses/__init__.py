"""Pausing a provider, and whose pauses of it stand."""
