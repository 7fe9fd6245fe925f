"""The demonstration's doctors are verified and on shift: a question is answered at the desk in another window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading, transaction
from marketplace.core.text import Text
from marketplace.demo.desk import PROVIDER
from providers.staff import shifts
from providers.staff.models import Clinician
from vip.models import Operator
from vip.principal import Member
from vip.signin.signin import require_development

AT_ONCE = 5
"""Patients that each of them takes at once."""
VERIFIED_BY = "fang"
"""In the demonstration nobody looks anything up in a register: the clinic's manager stands for who would have."""


@dataclass(frozen=True)
class DemoDoctor:
    """A clinician's profile, by her login."""

    login: str
    title: Text
    licence: str
    departments: tuple[str, ...]
    languages: tuple[str, ...]
    lead: bool


DOCTORS = (
    DemoDoctor(
        "lin",
        Text("副主任医师", "Associate chief physician"),
        "110310000000001",
        ("general", "internal", "paediatrics"),
        ("zh", "en"),
        True,
    ),
    DemoDoctor(
        "zhou",
        Text("主治医师", "Attending physician"),
        "110310000000002",
        ("general", "dermatology"),
        ("zh", "en"),
        False,
    ),
)


def load_doctors(now: datetime) -> int:
    """Describe, verify and put on shift whoever has no profile yet; returns how many. Who ended her shift stays off.
    Raises DevelopmentOnly elsewhere."""
    require_development()
    made = 0
    for one in DOCTORS:
        member = _described(one, now)
        if member is not None:
            shifts.begin(member, now=now, capacity=AT_ONCE)
            made += 1
    return made


def _described(one: DemoDoctor, now: datetime) -> Member | None:
    """The member whose profile was made; None where she has one, or is not there."""
    with reading() as session:
        zone = session.scalar(select(Provider.time_zone).where(Provider.code == PROVIDER))
    with transaction() as session:
        hers = select(Operator).join(Provider, Provider.id == Operator.provider_id).where(Provider.code == PROVIDER)
        by = session.scalar(hers.where(Operator.login == VERIFIED_BY))
        account = session.scalar(hers.where(Operator.login == one.login).with_for_update(of=Operator))
        if by is None or account is None or zone is None or session.get(Clinician, account.id) is not None:
            return None
        provider = account.provider_id
        if provider is None or account.role != "clinician":
            return None
        session.add(
            Clinician(
                member_id=account.id,
                provider_id=provider,
                shown_name=account.name,
                title_zh=one.title.zh,
                title_en=one.title.en,
                licence=one.licence,
                departments=list(one.departments),
                languages=list(one.languages),
                lead=one.lead,
                verified_at=now,
                verified_by=by.id,
                created_at=now,
                updated_at=now,
            )
        )
        return Member(account.id, account.public_id, provider, 0, zone, "clinician")
