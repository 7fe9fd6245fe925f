"""Booking somebody who is sent to a hospital."""
