"""A provider's own escorts: who goes, the day as it goes by, and what may go wrong with it."""
