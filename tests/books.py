"""A provider's books that a test writes in by hand, behind the port's reading side."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from providers.port import Answer, Cancel, Confirmed, LookUp, NotFound, ProviderError, Unknown
from providers.reported import BookingPage, RemoteBooking, UnreadableRow


@dataclass
class Books:
    """What the provider has, by its reference. `asked` holds the look-ups; `meanwhile` happens before each of them.
    With `by_our_number_only` it can't be asked by its own reference; `broken_page` is the page that can't be read,
    `unreadable` are rows of the last page. A cancel gets the next of `answers`, without any it is done."""

    rows: dict[str, RemoteBooking] = field(default_factory=dict)
    asked: list[LookUp] = field(default_factory=list)
    sent: list[Cancel] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    meanwhile: Any = None
    by_our_number_only: bool = False
    silent: bool = False
    page_size: int = 2
    broken_page: int | None = None
    unreadable: list[UnreadableRow] = field(default_factory=list)

    def put(self, remote: RemoteBooking) -> RemoteBooking:
        """Write a booking down."""
        self.rows[remote.reference] = remote
        return remote

    def change(self, reference: str, **values: Any) -> None:
        """Write something else, with a new version unless one is given."""
        before = self.rows[reference]
        self.rows[reference] = replace(before, **{"version": before.version + 1, **values})

    def bookings_in(self, start: date, end: date, page: str | None) -> BookingPage:
        """A page of all."""
        first = int(page or 0)
        if self.broken_page is not None and first // self.page_size == self.broken_page:
            raise ProviderError("status 500")
        listed = [each for each in self.rows.values() if each.service_date is None or start <= each.service_date <= end]
        last = first + self.page_size
        rest = str(last) if last < len(listed) else None
        return BookingPage(listed[first:last], rest, None, [] if rest else self.unreadable)

    def look_up(self, question: LookUp) -> RemoteBooking | NotFound | Unknown:
        """By the reference, else by our number: a living one first."""
        self.asked.append(question)
        if self.meanwhile is not None:
            self.meanwhile()
        if self.silent:
            return Unknown("timed out")
        if question.reference and not self.by_our_number_only:
            found = self.rows.get(question.reference)
            if found is None:
                return NotFound()
            fits = (found.our_reference or "") == question.our_reference
            return found if fits else Unknown("another booking's reference")
        return self._by_our_number(question)

    def cancel(self, command: Cancel) -> Answer:
        """The next answer; else what it names is cancelled."""
        self.sent.append(command)
        if self.answers:
            return self.answers.pop(0)
        self.change(str(command.reference), status="cancelled")
        return Confirmed(str(command.reference), self.rows[str(command.reference)].version)

    def _by_our_number(self, question: LookUp) -> RemoteBooking | NotFound:
        mine = [each for each in self.rows.values() if each.our_reference == question.our_reference]
        mine.sort(key=lambda each: each.status in ("cancelled", "rejected"))
        return mine[0] if mine else NotFound()
