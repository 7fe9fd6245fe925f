"""Certifying providers' programs: test bookings at a provider's twin, and what its program does with them."""
