"""The desk's calendar of places: looking at it, changing its rules and days, deciding about bookings there."""
