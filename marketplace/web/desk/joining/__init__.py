"""Who the provider is, and how its own system is tried, at its desk."""
