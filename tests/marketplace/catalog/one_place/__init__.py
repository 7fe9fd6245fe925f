"""One hospital is one place."""
