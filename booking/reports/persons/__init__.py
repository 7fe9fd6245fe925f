"""Whether the person that a delivered file names can be the one of the booking."""
