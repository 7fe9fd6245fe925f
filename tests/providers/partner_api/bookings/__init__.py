"""Bookings of a provider that answers here: read and answered over the partner API."""
