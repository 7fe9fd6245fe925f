"""The pages, a room a subject, and what they share."""
