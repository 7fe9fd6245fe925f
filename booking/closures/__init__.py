"""Closing a site for some days, and what becomes of the bookings there."""
