"""Registering as a provider, and how that stands at one's desk."""
