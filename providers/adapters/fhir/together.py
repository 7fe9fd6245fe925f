"""An Appointment and its Slot stay together, also on servers that carry out a part of a transaction (decision 0038).

After anything but a plain yes, both are read again, and what stands alone is undone there: an Appointment whose Slot
was not taken for it, a Slot that is marked as ours and has no Appointment. Each step is a write on the version that was
looked at; where that is no longer the newest, everything is looked at anew.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

from marketplace.core import clock
from marketplace.core.logging import get_logger
from providers.adapters.fhir import appointments, slots
from providers.adapters.fhir.appointments import AppointmentThere
from providers.adapters.fhir.options import Options
from providers.adapters.fhir.server import Conflict, FhirServer, Gone
from providers.adapters.fhir.slots import Resource, SlotThere
from providers.adapters.http import Deadline
from providers.port import ProviderError

ROUNDS = 6

log = get_logger(__name__)


class Unsure(ProviderError):
    """What is there does not say whether the Slot was taken for our Appointment: a person has to ask."""


@dataclass(frozen=True)
class Just:
    """What the answer to a transaction has just said: the Slot of it, whether that was surely `taken` for our booking
    or is surely `lost`, and the id of the Appointment. A search may not find them yet."""

    slot: str
    created: str | None = None
    taken: bool = False
    lost: bool = False


class Together:
    """Appointments and Slots of one server under our references."""

    def __init__(self, provider: str, server: FhirServer, options: Options) -> None:
        self._provider, self._server, self._options = provider, server, options
        self._system = options.identifier_system

    def appointments(self, ours: str, deadline: Deadline) -> list[AppointmentThere]:
        """All under a reference of ours, the oldest change first."""
        found = self._server.all("Appointment", self._by(ours), deadline)
        read = [appointments.read_there(self._ours(row, ours), self._system) for row in found]
        return sorted(read, key=lambda each: (each.changed, each.id))

    def appointment(self, identity: str, deadline: Deadline) -> AppointmentThere:
        """One by its id. Raises Gone."""
        return appointments.read_there(self._server.read("Appointment", identity, deadline), self._system)

    def slot(self, identity: str, deadline: Deadline) -> SlotThere:
        """A Slot as it is now. Raises Gone."""
        return slots.read_there(self._server.read("Slot", identity, deadline), self._system)

    def put_right(self, ours: str, deadline: Deadline, just: Just | None = None) -> AppointmentThere | None:
        """What stands under a reference of ours once both halves agree: the Appointment, an ended one where there is
        no other, or None. Raises Unsure, and what the server's methods raise."""
        for _ in range(ROUNDS):
            try:
                found = self._found(ours, just, deadline)
                if not self._undo_one(found, ours, just, deadline) and not self._release_one(
                    found, ours, just, deadline
                ):
                    standing = [each for each in found if not each.ended]
                    return next(iter(standing or reversed(found)), None)
            except Conflict:
                continue  # somebody has changed it since
        raise ProviderError("appointment and slot were not brought together")

    def release(self, there: AppointmentThere, deadline: Deadline) -> None:
        """Give back the Slots of an Appointment that was just cancelled, but not what is marked as another's."""
        for identity in there.slots:
            for _ in range(ROUNDS):
                slot = self._slot_or_none(identity, deadline)
                if slot is None or not slot.busy or slot.holder not in (None, there.ours):
                    break
                with suppress(Conflict):
                    self._give_back(slot, there.ours, deadline)
                    break
            else:
                raise ProviderError("a slot was not given back")

    def _found(self, ours: str, just: Just | None, deadline: Deadline) -> list[AppointmentThere]:
        found = self.appointments(ours, deadline)
        if just is not None and just.created is not None and all(each.id != just.created for each in found):
            with suppress(Gone):
                there = self.appointment(just.created, deadline)
                return [*found, there] if there.ours == ours else found
        return found

    def _undo_one(self, found: Sequence[AppointmentThere], ours: str, just: Just | None, deadline: Deadline) -> bool:
        """Undo one Appointment that stands without its Slot, or beside another; whether there was one."""
        standing = 0
        for each in (there for there in found if there.open):
            free: list[SlotThere] = []
            stands = self._stands(each, ours, just, free, deadline)
            standing += stands
            if stands and standing == 1:
                continue
            for slot in free:  # whatever of ours is still under way cannot take this version any more
                self._give_back(slot, ours, deadline)
            self._server.update(appointments.undone(each, self._system), deadline)
            log.warning("fhir.appointment_undone", provider=self._provider, booking=ours)
            return True
        return False

    def _stands(
        self, there: AppointmentThere, ours: str, just: Just | None, free: list[SlotThere], deadline: Deadline
    ) -> bool:
        """Whether its Slots are taken for it. Those that are free are added to `free`. Raises Unsure."""
        stands = True
        for identity in there.slots:
            slot = self._slot_or_none(identity, deadline)
            if slot is None or slot.held_by(ours):  # one that is gone is their matter
                continue
            if slot.free:
                free.append(slot)
                stands = False
            elif slot.busy and slot.holder is not None:  # by another of ours
                stands = False
            elif just is not None and just.slot == identity and (just.lost or just.taken):
                stands = stands and not just.lost
            elif not self._options.atomic:
                raise Unsure("nothing says for whom the slot was taken")
        return stands

    def _release_one(self, found: Sequence[AppointmentThere], ours: str, just: Just | None, deadline: Deadline) -> bool:
        """Give back one Slot that was taken for our booking and has no Appointment (any more); whether there was one.
        One that was changed since its Appointment had ended is somebody else's matter."""
        used = {identity for each in found if not each.ended for identity in each.slots}
        for slot in self._held(ours, just, used, deadline):
            ended = [each.changed for each in found if each.ended and slot.id in each.slots]
            taken_now = just is not None and just.taken and just.slot == slot.id
            if taken_now or not ended or slot.changed <= max(ended):
                self._give_back(slot, ours, deadline)
                log.warning("fhir.slot_released", provider=self._provider, booking=ours)
                return True
        return False

    def _held(self, ours: str, just: Just | None, used: Collection[str], deadline: Deadline) -> Sequence[SlotThere]:
        """The Slots that our booking has taken, without those that are in use."""
        found = {}
        for row in self._server.all("Slot", self._by(ours), deadline):
            slot = slots.read_there(self._ours(row, ours), self._system)
            found[slot.id] = slot.held_by(ours), slot
        if just is not None and just.slot not in found:
            slot_there = self._slot_or_none(just.slot, deadline)
            if slot_there is not None:
                unmarked = just.taken and slot_there.busy and slot_there.holder is None
                found[slot_there.id] = slot_there.held_by(ours) or unmarked, slot_there
        return [slot for held, slot in found.values() if held and slot.id not in used]

    def _slot_or_none(self, identity: str, deadline: Deadline) -> SlotThere | None:
        try:
            return self.slot(identity, deadline)
        except Gone:
            return None

    def _give_back(self, slot: SlotThere, ours: str | None, deadline: Deadline) -> None:
        self._server.update(slots.given_back(slot, ours, self._system, clock.now()), deadline)

    def _ours(self, row: object, ours: str) -> Resource:
        """A row of a search by our identifier. Raises ProviderError for one without it."""
        if not isinstance(row, dict):
            raise ProviderError("a row that is no resource")
        slots.require_mark(row, self._system, ours)
        return row

    def _by(self, ours: str) -> dict[str, str | list[str]]:
        return {"identifier": f"{self._system}|{ours}", "_count": str(self._options.page_size)}
