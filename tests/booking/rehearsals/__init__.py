"""Tests of booking.rehearsals."""
