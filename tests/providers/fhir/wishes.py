"""Commands for one slot at the FHIR server, and all that a list tells."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from providers.port import Cancel, LookUp, Person, Reserve
from tests.fhir_servers import FhirTenant

_numbers = itertools.count(1)


def wish(hospital: FhirTenant, slot: str, **changes: Any) -> Reserve:
    """A booking of the Slot under a reference of its own."""
    there = hospital.get("Slot", slot)
    starts_at = datetime.fromisoformat(there["start"])
    made = Reserve(
        key=f"key-{uuid.uuid4()}",
        our_reference=f"bkg_{next(_numbers)}x{uuid.uuid4().hex[:8]}",
        offer="BASIC",
        pool=there["schedule"]["reference"].partition("/")[2],
        slot=slot,
        service_date=starts_at.date(),
        starts_at=starts_at,
        ends_at=datetime.fromisoformat(there["end"]),
        person=Person("王小明", "male", date(1985, 5, 20)),
        answers={"wheelchair": "yes"},
    )
    return replace(made, **changes)


def by_ours(wanted: Reserve) -> LookUp:
    """What became of the command."""
    return LookUp(wanted.key, wanted.our_reference)


def cancelling(wanted: Reserve, reference: str | None) -> Cancel:
    """The cancel of what it made."""
    return Cancel("key-of-cancel", wanted.our_reference, reference, "customer_asked")


def everything(
    fetch: Callable[[str | None, str | None], Any], cursor: str | None = None
) -> tuple[list[Any], str | None]:
    """All pages of a list, and the cursor of the next pull."""
    found: list[Any] = []
    page = None
    for _ in range(200):
        part = fetch(cursor, page)
        found += next(getattr(part, name) for name in ("bookings", "slots", "reports") if hasattr(part, name))
        page = part.next
        if page is None:
            return found, part.cursor
    raise AssertionError("a list without an end")
