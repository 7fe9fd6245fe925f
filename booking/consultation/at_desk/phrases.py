"""Canned phrases: sentences that a clinician inserts into her answer, and reads again before she sends it.

A provider has phrases that all its clinicians share, which leads and managers look after; each clinician has her own
beside them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from booking.consultation.at_desk.models import ConsultationPhrase
from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.ids import new_id
from marketplace.core.strictjson import storable
from providers.staff.clinicians import verified
from providers.staff.duties import require
from vip.models import Operator
from vip.principal import Member

LONGEST_NAME = 40
LONGEST_TEXT = 1_000
MOST_PHRASES = 100
"""That a provider shares, and that a clinician has of her own."""
PLACEHOLDERS = ("name", "doctor")
"""What stands in braces in a phrase: the patient's name, and the clinician's as patients are shown it."""
_DEPARTMENT = re.compile(r"[a-z0-9_-]{1,40}")
_IN_BRACES = re.compile(r"\{([^{}]*)\}")


class TooManyPhrases(Refusal):
    """There are as many phrases as there may be; `most` says how many."""

    code = "too_many_phrases"


@dataclass(frozen=True)
class Wording:
    """What a phrase says: the name that it is found by, its department (a code; blank for all) and its text in each
    language, of which one may be blank."""

    name: str
    department: str
    zh: str
    en: str


@dataclass(frozen=True)
class Phrase:
    """A phrase by its public id. `shared`: all clinicians of the provider have it."""

    id: str
    shared: bool
    wording: Wording


@dataclass(frozen=True)
class Phrases:
    """Those that a member finds, each kind in its order. `may_share`: she may change the shared ones; `has_own`: she is
    a clinician and has a list of her own."""

    own: tuple[Phrase, ...]
    shared: tuple[Phrase, ...]
    may_share: bool
    has_own: bool


def phrases_of(member: Member) -> Phrases:
    """All of hers and of her provider's. Raises NotFound without the duty."""
    require(member, "consultations")
    with reading() as session:
        found = [_phrase(row) for row in session.scalars(_listed(_seen_by(member)))]
        may_share = _may_share(session, member)
    own, shared = (tuple(each for each in found if each.shared is kind) for kind in (False, True))
    return Phrases(own, shared, may_share, member.role == "clinician")


def phrases_for(member: Member, department: str, language: str) -> Sequence[tuple[Phrase, str]]:
    """What she may insert in a conversation of that department (code) and language, with its text: her own first."""
    found = phrases_of(member)
    fitting = []
    for each in (*found.own, *found.shared):
        text = each.wording.zh if language == "zh" else each.wording.en
        if text and each.wording.department in ("", department):
            fitting.append((each, text))
    return fitting


def filled(text: str, values: Mapping[str, str]) -> str:
    """A phrase with `values` for its placeholders. What a value says is never read as a placeholder itself; one without
    a value stays as it is written."""
    return _IN_BRACES.sub(lambda found: values.get(found[1], found[0]), text)


def add(member: Member, wording: Wording, *, shared: bool, now: datetime) -> str:
    """A new phrase, the last of its list; the public id. The same wording again is the one that is there.

    Raises NotFound where she may have none there, Invalid(field="name", "department", "zh" or "en"), TooManyPhrases.
    """
    said = _checked(wording)
    with transaction() as session:
        rows = _lock_list(session, member, shared=shared)
        for row in rows:
            if _wording(row) == said:
                return row.public_id
        if len(rows) >= MOST_PHRASES:
            raise TooManyPhrases(most=MOST_PHRASES)
        row = ConsultationPhrase(
            public_id=new_id("phr"),
            provider_id=member.provider_id,
            member_id=None if shared else member.id,
            position=max((each.position for each in rows), default=0) + 1,
            created_at=now,
        )
        _write(row, said, now)
        session.add(row)
        return row.public_id


def change(member: Member, phrase: str, wording: Wording, *, now: datetime) -> None:
    """Say it otherwise. Raises NotFound, also for a shared one that she may not change, and Invalid as add()."""
    said = _checked(wording)
    with transaction() as session:
        _write(_one(session, member, phrase)[0], said, now)


def remove(member: Member, phrase: str, *, now: datetime) -> None:
    """It is there no more; what was sent by it stays. Raises NotFound."""
    with transaction() as session:
        _one(session, member, phrase)[0].removed_at = now


def move(member: Member, phrase: str, steps: int, *, now: datetime) -> None:
    """Let it stand so many places further down its list, up where `steps` is negative; not beyond its ends. Raises
    NotFound."""
    with transaction() as session:
        row, rows = _one(session, member, phrase)
        at = rows.index(row)
        rows.insert(min(max(at + steps, 0), len(rows) - 1), rows.pop(at))
        for position, each in enumerate(rows, 1):
            if each.position != position:
                each.position, each.updated_at = position, now


def _one(session: Session, member: Member, phrase: str) -> tuple[ConsultationPhrase, list[ConsultationPhrase]]:
    """A phrase that she may change, and the locked list that it is in."""
    require(member, "consultations")
    known = session.scalar(
        select(ConsultationPhrase.member_id.is_(None)).where(
            ConsultationPhrase.public_id == phrase, _seen_by(member), ConsultationPhrase.removed_at.is_(None)
        )
    )
    if known is None:
        raise NotFound(field="phrase_id")
    rows = _lock_list(session, member, shared=known)
    for row in rows:
        if row.public_id == phrase:
            return row, rows
    raise NotFound(field="phrase_id")


def _lock_list(session: Session, member: Member, *, shared: bool) -> list[ConsultationPhrase]:
    """The phrases of one list; whoever changes it takes her turn at its owner's row. Raises NotFound where the list is
    not hers to change."""
    require(member, "consultations")
    if (shared and not _may_share(session, member)) or (not shared and member.role != "clinician"):
        raise NotFound(field="phrase_id")
    owner = (
        select(Provider.id).where(Provider.id == member.provider_id)
        if shared
        else select(Operator.id).where(Operator.id == member.id)
    )
    session.execute(owner.with_for_update(key_share=True))
    mine = ConsultationPhrase.member_id.is_(None) if shared else ConsultationPhrase.member_id == member.id
    return list(session.scalars(_listed(mine & (ConsultationPhrase.provider_id == member.provider_id))))


def _may_share(session: Session, member: Member) -> bool:
    if member.role == "manager":
        return True
    clinician = verified(session, member.id)
    return clinician is not None and clinician.lead


def _seen_by(member: Member) -> ColumnElement[bool]:
    own = ConsultationPhrase.member_id.is_(None) | (ConsultationPhrase.member_id == member.id)
    return own & (ConsultationPhrase.provider_id == member.provider_id)


def _listed(which: ColumnElement[bool]) -> Select[ConsultationPhrase]:
    return (
        select(ConsultationPhrase)
        .where(which, ConsultationPhrase.removed_at.is_(None))
        .order_by(ConsultationPhrase.position, ConsultationPhrase.id)
        .execution_options(populate_existing=True)
    )


def _write(row: ConsultationPhrase, said: Wording, now: datetime) -> None:
    row.name, row.department = said.name, said.department or None
    row.text_zh, row.text_en, row.updated_at = said.zh or None, said.en or None, now


def _wording(row: ConsultationPhrase) -> Wording:
    return Wording(row.name, row.department or "", row.text_zh or "", row.text_en or "")


def _phrase(row: ConsultationPhrase) -> Phrase:
    return Phrase(row.public_id, row.member_id is None, _wording(row))


def _checked(wording: Wording) -> Wording:
    said = Wording(wording.name.strip(), wording.department.strip(), wording.zh.strip(), wording.en.strip())
    if not said.name:
        raise Invalid(field="name", reason="required")
    if not said.zh and not said.en:
        raise Invalid(field="zh", reason="required")
    for field, text, most in (
        ("name", said.name, LONGEST_NAME),
        ("zh", said.zh, LONGEST_TEXT),
        ("en", said.en, LONGEST_TEXT),
    ):
        if len(text) > most:
            raise Invalid(field=field, reason="too_long", maximum=most)
        if not storable(text):
            raise Invalid(field=field, reason="bad_characters")
        if field != "name" and not set(_IN_BRACES.findall(text)) <= set(PLACEHOLDERS):
            raise Invalid(field=field, reason="placeholder")
    if said.department and not _DEPARTMENT.fullmatch(said.department):
        raise Invalid(field="department", reason="format")
    return said
