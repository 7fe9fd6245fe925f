"""The demonstration's provider whose own doctors answer consultations: played by the sandbox, so that a customer is
answered without anybody at a desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading, transaction
from marketplace.core.text import Text
from marketplace.demo.consultations import OFFER, PACKAGE, sell
from marketplace.demo.doctors import VERIFIED_BY
from providers.reported import RemoteClinician
from providers.staff.models import OutsideClinician
from providers.staff.outside import take_roster
from vip.models import Operator

HOSPITAL = "anxin"
NAME_ZH, NAME_EN = "安心互联网医院（示范）", "Anxin Online Hospital (demo)"
ANSWER_AFTER = (6, 25)
"""Seconds to an answer, from and to."""
AT_ONCE, TURNS, PICTURES, PATIENCE = 5, 3, 0.35, 300
SPECIALTIES = {
    "gynaecology": Text("妇科", "Gynaecology"),
    "orthopaedics": Text("骨科", "Orthopaedics"),
    "ent": Text("耳鼻喉科", "Ear, nose and throat"),
}
"""Its departments beside those of the clinic."""
HOSPITAL_PACKAGE: dict[str, Any] = {
    **PACKAGE,
    "departments": [
        *PACKAGE["departments"],
        *({"code": code, "name_zh": name.zh, "name_en": name.en} for code, name in SPECIALTIES.items()),
    ],
}


@dataclass(frozen=True)
class HospitalDoctor:
    """One of its roster. Who is not `verified` has no department there either, so that no patient waits for her."""

    code: str
    name: str
    title: Text
    licence: str
    departments: tuple[str, ...]
    languages: tuple[str, ...] = ("zh", "en")
    verified: bool = True


_CHIEF, _SENIOR = Text("主任医师", "Chief physician"), Text("副主任医师", "Associate chief physician")
_ATTENDING = Text("主治医师", "Attending physician")
DOCTORS = (
    HospitalDoctor("shen", "沈知远", _CHIEF, "110320000000001", ("general", "internal")),
    HospitalDoctor("qiao", "乔安然", _SENIOR, "110320000000002", ("general", "paediatrics")),
    HospitalDoctor("wei", "魏若水", _ATTENDING, "110320000000003", ("general", "dermatology")),
    HospitalDoctor("luo", "罗清和", _SENIOR, "110320000000004", ("gynaecology",)),
    HospitalDoctor("jiang", "江一舟", _ATTENDING, "110320000000005", ("orthopaedics", "general")),
    HospitalDoctor("tao", "陶敏之", _ATTENDING, "110320000000006", ("ent", "internal")),
    HospitalDoctor("ruan", "阮思齐", _ATTENDING, "110320000000007", (), verified=False),
)


def consulting() -> dict[str, Any]:
    """The part of its account in the sandbox's configuration that tells how its doctors work."""
    return {
        "offers": [OFFER],
        "doctors": [
            {
                "code": one.code,
                "name": one.name,
                "title_zh": one.title.zh,
                "title_en": one.title.en,
                "licence": one.licence,
                "departments": list(one.departments),
                "languages": list(one.languages),
            }
            for one in DOCTORS
        ],
        "at_once": AT_ONCE,
        "answer_after": list(ANSWER_AFTER),
        "turns": TURNS,
        "pictures": PICTURES,
        "patience": PATIENCE,
    }


def load_hospital(now: datetime) -> bool:
    """Make its offer of consultations and its verified doctors as far as they are missing. Whether the offer is there:
    without the provider or an open site there is nothing to make."""
    if not sell(HOSPITAL, "专科问诊", "Specialist consultation", HOSPITAL_PACKAGE, 4_500, now):
        return False
    _verify(now)
    return True


def _verify(now: datetime) -> None:
    """Take the roster, and verify whoever is new on it and said to be. From whom verification was taken stays so."""
    with reading() as session:
        provider = session.scalars(select(Provider.id).where(Provider.code == HOSPITAL)).one()
        known = set(session.scalars(select(OutsideClinician.code).where(OutsideClinician.provider_id == provider)))
        by = session.scalar(select(Operator.id).where(Operator.login == VERIFIED_BY))
    roster = [RemoteClinician(one.code, one.name, one.title.zh, one.title.en, one.licence) for one in DOCTORS]
    take_roster(provider, roster, now=now)
    new = [one.code for one in DOCTORS if one.verified and one.code not in known]
    if by is not None and new:
        with transaction() as session:
            session.execute(
                update(OutsideClinician)
                .where(OutsideClinician.provider_id == provider, OutsideClinician.code.in_(new))
                .values(verified_at=now, verified_by=by)
            )
