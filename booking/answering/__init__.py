"""A provider answers here: what it is shown of its bookings, what it says of them, and what happened to them."""
