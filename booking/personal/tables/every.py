"""Every table of the schema.

Who adds a column adds it to the file of its subject: to the table's `personal` with its class, or to `other` if it says
nothing about a customer or her family. Of `other` are: internal ids, the workings of the outbox and of claims, and what
is only about providers, plans and those who work here. A new subject is a file beside this one and a name in SUBJECTS.
"""

from __future__ import annotations

from booking.personal.register import Table
from booking.personal.tables import (
    accounts,
    benefits,
    bookings,
    consultations,
    escorts,
    messages,
    offers,
    programs,
    providers,
    reports,
    workings,
)

SUBJECTS = (
    accounts,
    benefits,
    bookings,
    consultations,
    escorts,
    messages,
    offers,
    programs,
    providers,
    reports,
    workings,
)

TABLES: tuple[Table, ...] = tuple(table for subject in SUBJECTS for table in subject.TABLES)
"""In a subject a table stands before the one that its rows depend on."""

OF_CUSTOMERS = tuple(table for table in TABLES if table.whose)
"""What is about customers and their family."""
