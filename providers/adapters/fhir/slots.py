"""A FHIR Slot: as capacity that we sell, and as something that one of our bookings holds.

A Slot is one place. It does not say who has taken it, so we mark what we take: an identifier of our system with the
booking's reference. Given back, the mark stays as an old one (`use`, `period.end`), which also makes another version of
a Slot that is free already: a transaction of ours that is still under way somewhere cannot take that one any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from providers.adapters import fields
from providers.adapters.rows import readable
from providers.adapters.versions import at_time
from providers.port import ProviderError
from providers.reported import RemoteSlot, slot_name

MILLISECOND = timedelta(milliseconds=1)
"""FHIR numbers no versions that could be compared; `meta.lastUpdated` is told to the millisecond."""
BUSY = ("busy", "busy-tentative")
STATUSES = (*BUSY, "free", "busy-unavailable", "entered-in-error")
"""R4's SlotStatus."""

Resource = dict[str, Any]


@dataclass(frozen=True)
class SlotThere:
    """A Slot as it is at the server. `holder`: the reference of ours that has taken it, None if no mark says so."""

    id: str
    status: str
    holder: str | None
    schedule: str
    starts_at: datetime
    changed: datetime
    resource: Resource = field(repr=False)

    @property
    def free(self) -> bool:
        return self.status == "free"

    @property
    def busy(self) -> bool:
        """Taken by somebody."""
        return self.status in BUSY

    def held_by(self, ours: str) -> bool:
        """Whether it is our booking of this reference that has taken it."""
        return self.busy and self.holder == ours


def last_updated(resource: Mapping[str, Any]) -> datetime:
    """When a resource was changed. Raises BadField."""
    at = fields.moment(fields.object_at(resource, "meta"), "lastUpdated")
    if at is None:
        raise fields.BadField("lastUpdated", "missing", "a resource without the time of its last change")
    return at


def identifiers(resource: Mapping[str, Any], system: str) -> list[Resource]:
    """Its identifiers of one system. Raises BadField."""
    found = [] if resource.get("identifier") is None else fields.objects_at(resource, "identifier")
    return [each for each in found if each.get("system") == system]


def id_in(reference: Any, kind: str) -> str | None:
    """The id that a reference to a resource of this kind names, whatever stands before it."""
    address = reference.get("reference") if isinstance(reference, dict) else None
    if not isinstance(address, str):
        return None
    steps = address.partition("/_history/")[0].split("/")
    return steps[-1] if len(steps) >= 2 and steps[-2] == kind and steps[-1] else None


def read_there(resource: Resource, system: str) -> SlotThere:
    """A Slot with its mark. Raises ProviderError."""
    starts_at = fields.moment(resource, "start")
    schedule = id_in(resource.get("schedule"), "Schedule")
    if starts_at is None or schedule is None:
        raise fields.BadField("start", "missing", "a slot without a start or schedule")
    marks = [each for each in identifiers(resource, system) if each.get("use") != "old"]
    return SlotThere(
        fields.reference(resource, "id"),
        fields.text(resource, "status"),
        fields.reference(marks[0], "value") if marks else None,
        schedule,
        starts_at,
        last_updated(resource),
        resource,
    )


def taken(slot: SlotThere, ours: str, system: str, *, firm: bool) -> Resource:
    """The Slot with our mark, busy."""
    return _marked(slot, system, [{"system": system, "value": ours}], "busy" if firm else "busy-tentative")


def given_back(slot: SlotThere, ours: str | None, system: str, now: datetime) -> Resource:
    """The Slot, free, with our mark ended if it is one of ours."""
    mark = {"use": "old", "system": system, "value": ours, "period": {"end": now.isoformat()}}
    return _marked(slot, system, [mark] if ours else [], "free")


def _marked(slot: SlotThere, system: str, marks: list[Resource], status: str) -> Resource:
    kept = fields.objects_at({"identifier": [], **slot.resource}, "identifier")
    others = [each for each in kept if each.get("system") != system]
    changed = {**slot.resource, "identifier": [*others, *marks], "status": status}
    return changed if changed["identifier"] else {name: changed[name] for name in changed if name != "identifier"}


def read_slot(resource: Mapping[str, Any], zone: str) -> RemoteSlot:
    """A Slot as capacity of its Schedule: one place, closed while it is not free. Whoever has taken it, no other place
    is sold there, and a booking of ours in it is not one too many. Raises ProviderError."""
    starts_at, ends_at = fields.moment(resource, "start"), fields.moment(resource, "end")
    schedule = id_in(resource.get("schedule"), "Schedule")
    if schedule is None:
        raise fields.BadField("schedule", "missing", "a slot without a schedule")
    if starts_at is None or ends_at is None or starts_at >= ends_at:
        raise fields.BadField("end", "order", "a slot that does not end after it starts")
    status = fields.text(resource, "status")
    if status not in STATUSES:
        raise fields.BadField("status", "unknown", "a slot of unknown status")
    return RemoteSlot(
        pool=fields.reference({"schedule": schedule}, "schedule"),
        reference=fields.reference(resource, "id"),
        service_date=starts_at.astimezone(ZoneInfo(zone)).date(),
        starts_at=starts_at,
        ends_at=ends_at,
        offered=1,
        closed=status != "free",
        version=at_time(last_updated(resource), MILLISECOND),
    )


def slot_named(row: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The name of a Slot, if it can be read."""
    schedule, slot = id_in(row.get("schedule"), "Schedule"), readable(row, "id")
    return None if schedule is None or slot is None else slot_name(schedule, slot), None


def require_mark(resource: Mapping[str, Any], system: str, ours: str) -> None:
    """Raises ProviderError for a row of a search by our identifier that does not have it: the server has not looked."""
    if all(each.get("value") != ours for each in identifiers(resource, system)):
        raise ProviderError("the server does not search by identifier")
