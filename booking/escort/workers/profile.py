"""What a provider says of an escort worker, and the rules for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.escort.models import EscortWorker
from booking.escort.records import phone_record
from marketplace.catalog.kinds import dispatched
from marketplace.catalog.models import Offer, Site
from marketplace.catalog.one_place.sql import place_id
from marketplace.catalog.schemas.pieces import LANGUAGES
from marketplace.core import crypto
from marketplace.core.clock import HOME_ZONE
from marketplace.core.errors import Invalid
from marketplace.core.strictjson import storable
from marketplace.core.text import Text
from vip import phones

LONGEST_NAME = 40
LONGEST_NUMBER = 20
LONGEST_QUALIFICATION = 40

Sex = Literal["female", "male"]
SEXES: tuple[Sex, ...] = ("female", "male")

City = tuple[str, str]
"""A province and a city of it, as sites have them."""


@dataclass(frozen=True)
class Profile:
    """A worker as her provider describes her. `staff_number`, `qualification` and `phone` may be blank, the first two
    are shown to customers; `languages` are codes of LANGUAGES; `auto`: she may be asked without the desk's doing."""

    shown_name: str
    sex: str
    languages: tuple[str, ...]
    city: City
    staff_number: str = ""
    qualification: Text = Text("", "")
    phone: str = field(default="", repr=False)
    auto: bool = False


def cities_of(session: Session, provider_id: int) -> Mapping[City, str]:
    """The cities in which the provider offers to send somebody, each with its time zone, by name."""
    rows = session.execute(
        select(Site.province, Site.city, Site.time_zone)
        .join(Offer, Site.id == place_id(Offer.site_id))
        .where(Offer.provider_id == provider_id, Offer.kind.in_(dispatched()))
        .distinct()
        .order_by(Site.province, Site.city)
    )
    return {(row.province, row.city): row.time_zone for row in rows}


def zone_of(session: Session, row: EscortWorker) -> str:
    """The time zone of the city in which a worker works."""
    known = session.scalar(select(Site.time_zone).where(Site.province == row.province, Site.city == row.city).limit(1))
    return known or HOME_ZONE


def checked(said: Profile, cities: Mapping[City, str]) -> Profile:
    """The profile in the form in which it is stored. Raises Invalid(field=shown_name, sex, languages, city,
    staff_number, qualification_zh, qualification_en or phone)."""
    given = replace(
        said,
        shown_name=_text("shown_name", said.shown_name, LONGEST_NAME),
        staff_number=_text("staff_number", said.staff_number, LONGEST_NUMBER),
        qualification=Text(
            _text("qualification_zh", said.qualification.zh, LONGEST_QUALIFICATION),
            _text("qualification_en", said.qualification.en, LONGEST_QUALIFICATION),
        ),
        languages=tuple(code for code in LANGUAGES if code in said.languages),
    )
    if not given.shown_name:
        raise Invalid(field="shown_name", reason="required")
    if given.sex not in SEXES:
        raise Invalid(field="sex", reason="choice")
    if not given.languages or not set(said.languages) <= set(LANGUAGES):
        raise Invalid(field="languages", reason="choice")
    if given.city not in cities:
        raise Invalid(field="city", reason="choice")
    return replace(given, phone=phones.normalise(said.phone) if said.phone.strip() else "")


def write(row: EscortWorker, said: Profile) -> None:
    """Store a checked profile in the worker's row."""
    row.shown_name, row.sex, row.languages = said.shown_name, said.sex, list(said.languages)
    row.province, row.city = said.city
    row.staff_number = said.staff_number or None
    row.qualification_zh, row.qualification_en = said.qualification
    row.phone_sealed = crypto.seal_master(said.phone, phone_record(row.public_id)) if said.phone else None
    row.auto = said.auto


def profile_in(row: EscortWorker) -> Profile:
    """What is stored of the worker."""
    sealed = row.phone_sealed
    return Profile(
        row.shown_name,
        row.sex,
        tuple(row.languages),
        (row.province, row.city),
        row.staff_number or "",
        Text(row.qualification_zh, row.qualification_en),
        "" if sealed is None else crypto.unseal_master(sealed, phone_record(row.public_id)),
        row.auto,
    )


def _text(name: str, text: str, longest: int) -> str:
    text = text.strip()
    if len(text) > longest:
        raise Invalid(field=name, reason="too_long", maximum=longest)
    if not storable(text):
        raise Invalid(field=name, reason="bad_characters")
    return text
