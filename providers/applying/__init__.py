"""A provider registers by itself: what it says of itself, the confirmed e-mail, and an operator's word about it."""
