"""The words of every notice: for each kind a title and a sentence, in Chinese and English.

They are used inside a request and outside of one (the worker writes SMS and e-mail in the customer's own language), so
they are plain texts rather than entries of the pages' catalogue. No sentence holds more than the appointment: its
date, place and the package's name. The kind of benefit brings its nouns, and its own words where it has any.

A new subject is a file beside this one and a name in SUBJECTS; a test finds one that is missing here, and a kind of
notice that two subjects have.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

from marketplace.catalog.benefit_kind import Message
from marketplace.messages.words import benefits, bookings, consultations, escorts, reports, waiting

SUBJECTS: tuple[ModuleType, ...] = (benefits, bookings, consultations, escorts, reports, waiting)

# Places of facts: {what} the package, {where} the site, {when} day and time at the site, {new} the day and time that is
# proposed, {until} a moment, {left} a number of days in words, {reason} a sentence of its own or nothing,
# {since} from when on something can be booked, {asked_first} that it is asked for first or nothing,
# {within} how long it was promised to take, {given} what a broken promise gave, {waits} how it goes on,
# {who} the name of who comes, {trade} what she is in a sentence or nothing, {other_times} the nearest ones or nothing,
# {place} and {Place} who answers, {bring} what to bring, both in the words of the kind of benefit.
WORDS: Mapping[str, Message] = {kind: words for subject in SUBJECTS for kind, words in subject.WORDS.items()}
"""Kind of notice to its words in general. A test holds every kind of booking.notices.kinds against it."""
