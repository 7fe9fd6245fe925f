"""Escorts whom a provider's own system sends: what its lines say of who comes and what she does."""
