"""A provider whose doctors answer here, its clinician, and a customer who may ask."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from booking.consultation.open import Opened, Opening, open_consultation
from booking.consultation.say import Message, Said, clinician_says, customer_says
from booking.hold.begin import BeginRequest
from booking.idempotency import Repeatable
from marketplace.core.database.db import transaction
from marketplace.core.ids import new_id
from providers.staff import shifts
from providers.staff.models import Clinician
from tests.people import NOON
from tests.world import World, make_world
from vip.models import Operator
from vip.principal import Member

PACKAGE: dict[str, Any] = {
    "departments": [
        {"code": "general", "name_zh": "全科", "name_en": "General practice"},
        {"code": "dermatology", "name_zh": "皮肤科", "name_en": "Dermatology"},
    ],
    "languages": ["zh", "en"],
}


@dataclass
class Practice:
    """The world of a consultation."""

    world: World
    clinician: Member

    def open(self, *, key: str | None = None, department: str = "", now: datetime = NOON, **changes: Any) -> Opened:
        """Open one; the ids."""
        values: dict[str, Any] = {
            "offer": self.world.offer.public_id,
            "beneficiary": self.world.beneficiary.public_id,
            "entitlement": None,
            "details": {},
        }
        repeat = Repeatable(self.world.principal.public_id, key or str(uuid.uuid4()), b"f")
        wanted = Opening(BeginRequest(**{**values, **changes}), department, "zh")
        return open_consultation(self.world.principal, wanted, repeat, now=now)

    def ask(self, conversation: str, text: str, *, key: str | None = None, now: datetime = NOON) -> Message:
        """The customer says something."""
        return customer_says(self.world.principal, conversation, Said(key or str(uuid.uuid4()), text), now=now)

    def answer(self, conversation: str, text: str, *, key: str | None = None, now: datetime = NOON) -> Message:
        """The clinician says something."""
        return clinician_says(self.clinician, conversation, Said(key or str(uuid.uuid4()), text), now=now)


def make_practice(*, capacity: int = 20, **terms: Any) -> Practice:
    """Everything needed to ask a doctor, and one who is on shift; `terms` are those of make_world."""
    package = {**PACKAGE, **terms.pop("package", {})}
    world = make_world(kind="online_consultation", adapter="desk", slots=0, package=package, **terms)
    return Practice(world, make_clinician(world, capacity=capacity))


def make_clinician(
    world: World,
    *,
    capacity: int = 3,
    on_shift: bool = True,
    lead: bool = False,
    departments: tuple[str, ...] = ("general",),
    languages: tuple[str, ...] = ("zh", "en"),
) -> Member:
    """A verified clinician of the world's provider, who begins her shift."""
    with transaction() as session:
        doctor = Operator(
            public_id=new_id("mbr"),
            provider_id=world.provider.id,
            login=f"doctor-{uuid.uuid4().hex[:8]}",
            name="何医生",
            role="clinician",
            password_hash="x",
        )
        session.add(doctor)
        session.flush()
        session.add(
            Clinician(
                member_id=doctor.id,
                provider_id=world.provider.id,
                shown_name=doctor.name,
                title_zh="主治医师",
                title_en="Attending physician",
                licence="110310000012345",
                departments=list(departments),
                languages=list(languages),
                lead=lead,
                verified_at=NOON,
                verified_by=doctor.id,
                created_at=NOON,
                updated_at=NOON,
            )
        )
        member = Member(
            id=doctor.id,
            public_id=doctor.public_id,
            provider_id=world.provider.id,
            session_id=0,
            time_zone="Asia/Shanghai",
            role="clinician",
        )
    if on_shift:
        shifts.begin(member, now=NOON, capacity=capacity)
    return member
