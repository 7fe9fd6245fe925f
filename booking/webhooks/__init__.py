"""Webhooks to providers: which they want, how each is delivered, and the log of it."""
