"""The live market, and the test markets beside it in the same database.

A market is a number that insurers, providers, offers and bookings carry: LIVE, or the internal id of the twin for whose
tests it is. The database ties them to each other by it (fk_booking_provider_market and the others of booking.models;
booking/in_one_market.sql for all else), so that nothing of a test ever belongs to something live, nor to another
twin's test.
"""

from __future__ import annotations

LIVE = 0
"""The market of everything that is not a test."""
