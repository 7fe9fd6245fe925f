"""Test mode: a provider's twin, its test customers, and their bookings."""
