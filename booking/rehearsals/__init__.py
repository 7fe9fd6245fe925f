"""Rehearsals: test bookings struck by faults on purpose, asked for, carried out and judged."""
