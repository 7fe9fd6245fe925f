"""The capacity calendar: weekly rules, exceptions and holidays become slots, and what becomes of the bookings there."""
