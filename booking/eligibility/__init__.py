"""May this person have it there on that day: one rule for whoever looks, books or moves; and what would help."""
