"""Bookings: models, states and transitions, slots, the outbox, settling and one use case per file."""
