"""Rehearsals at the desk: faults that strike test bookings, asked for, watched, judged."""
