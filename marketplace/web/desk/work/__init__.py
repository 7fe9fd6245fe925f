"""The desk's day: what waits, bookings and the answers to them, arrivals and check-in."""
