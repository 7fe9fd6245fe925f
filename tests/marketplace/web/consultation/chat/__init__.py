"""A conversation in real browsers."""
