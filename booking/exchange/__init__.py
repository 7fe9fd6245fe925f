"""Talking with providers: sending commands, settling answers, and what exists there for our bookings."""
