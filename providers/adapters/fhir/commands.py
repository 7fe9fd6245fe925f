"""Booking, looking up and cancelling at a FHIR server.

A booking is a transaction of two entries: the Slot, busy, on the version that was read (`ifMatch`), and the
Appointment, unless one with our identifier is there (`ifNoneExist`). Every entry of the answer is read.

What an answer to it means:
  both entries 2xx, and the Appointment is ours   Confirmed, or Accepted as its status says
  anything else that says what became of it       both are read again and put right, then: sold_out if the Slot is not
                                                  free, other if the Appointment was refused, else tried once more
  429, 401, 403, no connection came about         RetryAfter: nothing was looked at
  time-out, 5xx, garbage                          Unknown; a look-up by our identifier puts right what it finds
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from marketplace.core.logging import get_logger
from providers.adapters.fhir import appointments, slots
from providers.adapters.fhir.appointments import AppointmentThere
from providers.adapters.fhir.options import Options
from providers.adapters.fhir.server import BadStatus, Conflict, FhirServer, Gone, etag
from providers.adapters.fhir.slots import SlotThere
from providers.adapters.fhir.together import Just, Together
from providers.adapters.http import Deadline, NoAnswer
from providers.port import (
    Accepted,
    Answer,
    Cancel,
    ComeBackLater,
    Confirmed,
    Connection,
    LookUp,
    NotAuthorised,
    NotFound,
    ProviderError,
    Refused,
    Reserve,
    RetryAfter,
    Unknown,
)
from providers.reported import RemoteBooking

TRIES = 2
"""How often a booking is tried within its deadline, where the Slot was changed by others and is free all the same."""
UNREACHABLE_SECONDS = 5.0
UNAUTHORISED_SECONDS = 60.0
NO_SUCH_CALL = (404, 405, 501)
TAKEN = (409, 412)

T = TypeVar("T")

log = get_logger(__name__)


@dataclass(frozen=True)
class Said:
    """What the answer to a transaction says of its two entries: their HTTP statuses (0 for one that says none), and the
    Appointment with its id as far as they were told."""

    slot: int
    appointment: int
    created: str | None = None
    resource: dict[str, Any] | None = None

    @property
    def yes(self) -> bool:
        return _ok(self.slot) and _ok(self.appointment)


class Commands:
    """The commands of the port at one server."""

    def __init__(self, connection: Connection, server: FhirServer, options: Options) -> None:
        self._connection, self._server, self._options = connection, server, options
        self._together = Together(connection.provider, server, options)
        self._system = options.identifier_system

    # --- reserve -----------------------------------------------------------------------------------------------------

    def reserve(self, command: Reserve) -> Answer:
        """Take the Slot and make the Appointment, both or neither."""
        deadline = self._server.deadline()
        for _ in range(TRIES):
            answer = self._try(command, deadline)
            if answer is not None:
                return answer
        return RetryAfter(UNREACHABLE_SECONDS)

    def _try(self, command: Reserve, deadline: Deadline) -> Answer | None:
        """One try; None if nothing of it is there and the Slot is free."""
        try:
            slot = self._together.slot(command.slot, deadline)
            entries = self._entries(command, slot)
        except Gone:
            return Refused("unknown_slot")
        except ProviderError as error:
            return _nothing_sent(error)
        if slot.schedule != command.pool or (command.starts_at and slot.starts_at != command.starts_at):
            return Refused("unknown_slot")
        if not slot.free:  # by another, or by an earlier try of this command
            return _after(lambda: self._settle(command, slot, Said(0, 0), deadline))
        try:
            said = self._said(self._server.transaction(entries, deadline))
        except BadStatus as error:
            if error.status >= 500:
                return Unknown(str(error))
            said = Said(error.status, error.status)
        except NoAnswer as error:
            return Unknown(error.reason) if error.sent else _nothing_sent(error)
        except (NotAuthorised, ComeBackLater) as error:
            return _nothing_sent(error)
        except ProviderError as error:
            return Unknown(str(error))
        if said.yes and said.resource is not None:
            made = self._made(command, slot, said.resource)
            if made is not None:
                return made
        return _after(lambda: self._settle(command, slot, said, deadline))

    def _entries(self, command: Reserve, slot: SlotThere) -> list[dict[str, Any]]:
        firm = self._options.books_as == "booked"
        ours = f"{self._system}|{command.our_reference}"
        return [
            {
                "resource": slots.taken(slot, command.our_reference, self._system, firm=firm),
                "request": {"method": "PUT", "url": f"Slot/{slot.id}", "ifMatch": etag(slot.resource)},
            },
            {
                "resource": appointments.appointment(command, slot, self._options),
                "request": {"method": "POST", "url": "Appointment", "ifNoneExist": f"identifier={ours}"},
            },
        ]

    @staticmethod
    def _said(entries: Sequence[Any]) -> Said:
        """What each of the two entries says, in the order in which they were sent."""
        statuses = [_status(entry) for entry in entries[:2]] + [0, 0]
        entry = entries[1] if len(entries) > 1 and isinstance(entries[1], dict) else {}
        resource = entry.get("resource")
        if not isinstance(resource, dict) or resource.get("resourceType") != "Appointment":
            resource = None
        response = entry.get("response")
        location = response.get("location") if isinstance(response, dict) else None
        created = slots.id_in({"reference": location}, "Appointment")
        if created is None and resource is not None and isinstance(resource.get("id"), str):
            created = resource["id"]
        return Said(statuses[0], statuses[1], created, resource)

    def _made(self, command: Reserve, slot: SlotThere, resource: dict[str, Any]) -> Answer | None:
        """The answer that a told Appointment is; None if it is not the one that was asked for."""
        try:
            there = appointments.read_there(resource, self._system)
            return self._answer(there) if self._asked_for(command, slot, there) else None
        except ProviderError:
            return None

    def _settle(self, command: Reserve, slot: SlotThere, said: Said, deadline: Deadline) -> Answer | None:
        """Put right what the transaction left, and answer by what stands then; None for another try."""
        just = Just(slot.id, said.created, taken=_ok(said.slot), lost=400 <= said.slot < 500)
        there = self._together.put_right(command.our_reference, deadline, just)
        if there is not None and not there.ended:
            return self._answer(there) if self._asked_for(command, slot, there) else Unknown("at another slot")
        if there is not None:  # it was ended there before: the same reference makes no second one
            return Refused("other")
        if said.yes:
            return Unknown("a yes that nothing bears out")
        if said.slot in NO_SUCH_CALL and said.slot == said.appointment:
            log.error("provider.no_transactions", provider=self._connection.provider, status=said.slot)
            return RetryAfter(UNAUTHORISED_SECONDS)
        now = self._together.slot(slot.id, deadline)
        if not now.free:
            return Refused("sold_out" if now.busy else "closed")
        if said.slot not in TAKEN and 400 <= said.appointment < 500 and said.appointment not in (*TAKEN, 429):
            return Refused("other")
        return None

    def _asked_for(self, command: Reserve, slot: SlotThere, there: AppointmentThere) -> bool:
        return there.ours == command.our_reference and slot.id in there.slots and not there.ended

    def _answer(self, there: AppointmentThere) -> Answer:
        booking = self._booking(there)
        if booking.status == "requested":
            return Accepted(booking.reference, booking.version)
        return Confirmed(booking.reference, booking.version, booking.starts_at)

    # --- look up -----------------------------------------------------------------------------------------------------

    def look_up(self, question: LookUp) -> RemoteBooking | NotFound:
        """By the Appointment's id if it is known, else by our identifier. What a command may have left half done is put
        right first; asked without a command's key, it is only looked at."""
        deadline, ours = self._server.deadline(), question.our_reference
        there: AppointmentThere | None
        if question.key and ours:
            there = self._together.put_right(ours, deadline)
        elif question.reference is None:
            found = self._together.appointments(ours, deadline)
            standing = [each for each in found if not each.ended]
            there = next(iter(standing or reversed(found)), None)
        if question.reference is not None:
            try:
                there = self._together.appointment(question.reference, deadline)
            except Gone:
                return NotFound()
        if there is None:
            return NotFound()
        if (there.ours or "") != ours:
            raise ProviderError("another booking's reference")
        return self._booking(there)

    # --- cancel ------------------------------------------------------------------------------------------------------

    def cancel(self, command: Cancel) -> Answer:
        """Cancel the Appointment, then give its Slot back: in this order a Slot is never free whose Appointment stands,
        whatever is lost between the two. Without its id, all under our reference."""
        deadline = self._server.deadline()
        try:
            if command.reference is not None:
                found = [self._together.appointment(command.reference, deadline)]
            else:
                found = self._together.appointments(command.our_reference, deadline)
        except Gone:
            return NotFound()
        except ProviderError as error:
            return _nothing_sent(error)
        if any((each.ours or "") != command.our_reference for each in found):
            return Unknown("another booking's reference")
        return _after(lambda: self._cancel(command, found, deadline))

    def _cancel(self, command: Cancel, found: Sequence[AppointmentThere], deadline: Deadline) -> Answer:
        last: AppointmentThere | None = None
        for each in found:
            there = each
            if not there.ended and not there.open:
                return Refused("too_late")
            if there.open:
                try:
                    written = self._server.update(appointments.cancelled(there, command.reason), deadline)
                except Conflict:
                    return RetryAfter(UNREACHABLE_SECONDS) if last is None else Unknown("changed meanwhile")
                there = appointments.read_there(written, self._system)
                if not there.ended:
                    return Unknown("not cancelled after all")
                self._together.release(there, deadline)
            last = there
        if command.our_reference:
            self._together.put_right(command.our_reference, deadline)
        if last is None:
            return NotFound()
        return Confirmed(last.id, self._booking(last).version)

    def _booking(self, there: AppointmentThere) -> RemoteBooking:
        return appointments.read_booking(there.resource, self._system, self._connection.time_zone)


def _after(work: Callable[[], T]) -> T | Unknown:
    """What is found out after a command was sent: whatever goes wrong leaves its outcome unknown."""
    try:
        return work()
    except ProviderError as error:
        return Unknown(str(error))


def _nothing_sent(error: ProviderError) -> Answer:
    """The command itself was not sent, or not looked at."""
    if isinstance(error, ComeBackLater):
        return RetryAfter(error.retry_after)
    if isinstance(error, NotAuthorised):
        log.error("provider.key_not_accepted", reason=str(error))
        return RetryAfter(UNAUTHORISED_SECONDS)
    return RetryAfter(UNREACHABLE_SECONDS, reached=False)


def _status(entry: Any) -> int:
    """The HTTP status of an entry of an answer: `412`, or `201 Created`."""
    response = entry.get("response") if isinstance(entry, dict) else None
    text = response.get("status") if isinstance(response, dict) else None
    digits = str(text)[:3]
    return int(digits) if digits.isascii() and digits.isdigit() else 0


def _ok(status: int) -> bool:
    return 200 <= status < 300
