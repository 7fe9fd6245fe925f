"""The insurer's API."""
