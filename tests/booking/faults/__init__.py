"""Tests of booking.faults."""
