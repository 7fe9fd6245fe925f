"""Capacity: the claims that bookings have on slots, and the triggers that count them."""
