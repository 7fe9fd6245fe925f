"""Comparing our books with a provider's, and the cases and repairs that come of it."""
