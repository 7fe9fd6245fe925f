"""Who could be sent to a booking, why the others can't, and what would help; many bookings at once."""
