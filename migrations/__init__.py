"""The schema's steps, and what they share."""
