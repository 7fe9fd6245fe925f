"""A provider's own application at its desk: how it stands, what is missing to be on sale, and sending it in again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import Session

from marketplace.catalog.models import CapacityPool, Offer, Provider
from marketplace.clients.models import ApiClient
from marketplace.core import audit
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound, Refusal
from providers.applying.confirm import adapter_of
from providers.applying.facts import ANSWERS, COUNTRIES, LONGEST_NOTE, checked_number
from providers.applying.models import ProviderApplication
from providers.conformance.certificates.issue import in_force, mark_offers, needed
from providers.registry import answering_here
from providers.staff.duties import require
from vip.principal import Member

What = Literal["profile", "place", "offer", "system", "certificate", "approval"]


class ApplicationClosed(Refusal):
    """It waits for nothing of the provider's people: an operator approved it."""

    code = "application_closed"


@dataclass(frozen=True)
class Missing:
    """One step to being on sale, and whether it is done; `needed`: this provider has to do it at all."""

    what: What
    done: bool
    needed: bool = True


@dataclass(frozen=True)
class OwnApplication:
    """How it stands. `note` is the operator's question (`returned`) or reason (`declined`). `answers` is who answers
    bookings; `connected`: a system is, so that this is changed by connecting another one."""

    state: str
    note: str
    reply: str
    answers: str
    country: str
    registration: str
    connected: bool
    steps: tuple[Missing, ...]


@dataclass(frozen=True)
class Again:
    """What is said of the organisation when it is sent in again."""

    answers: str
    country: str
    registration: str
    reply: str


def own_application(member: Member) -> OwnApplication:
    """That of the member's provider. Raises NotFound without the duty, and for a provider that an operator made."""
    require(member, "setup")
    with reading() as session:
        entry = session.scalar(_of(member))
        if entry is None:
            raise NotFound()
        provider = session.get_one(Provider, member.provider_id)
        return OwnApplication(
            entry.state,
            entry.note if entry.state in ("returned", "declined") else "",
            entry.reply,
            entry.answers,
            entry.country,
            entry.registration,
            provider.adapter not in answering_here(),
            steps(session, entry, provider),
        )


def send_again(member: Member, given: Again, *, now: datetime) -> None:
    """Change what is said of the organisation and who answers; one that was declined or asked about waits for an
    operator's word anew. Audited. Raises NotFound as `own_application` does, ApplicationClosed, and Invalid with the
    field (answers, country, registration, reply)."""
    require(member, "setup")
    if given.answers not in ANSWERS:
        raise Invalid(field="answers", reason="choice")
    if given.country not in COUNTRIES:
        raise Invalid(field="country", reason="choice")
    number = checked_number(given.country, given.registration)
    if len(given.reply) > LONGEST_NOTE:
        raise Invalid(field="reply", reason="too_long", maximum=LONGEST_NOTE)
    with transaction() as session:
        entry = session.scalar(_of(member).with_for_update())
        if entry is None:
            raise NotFound()
        if entry.state == "approved":
            raise ApplicationClosed()
        wanted = select(Provider).where(Provider.id == member.provider_id).with_for_update(key_share=True)
        provider = session.scalars(wanted).one()
        was, entry.state = entry.state, "new"
        entry.country, entry.registration, entry.reply = given.country, number, given.reply.strip()
        if provider.adapter in answering_here():
            entry.answers, provider.adapter = given.answers, adapter_of(given.answers)
            session.flush()
            mark_offers(session, provider)
        if was != "new":
            entry.submitted_at = now
        audit.record(
            session,
            "application.sent_again",
            at=now,
            actor_kind="provider",
            actor=member.public_id,
            subject=provider.public_id,
            application=entry.public_id,
            was=was,
            adapter=provider.adapter,
        )


def awaits_system(member: Member) -> bool:
    """Whether the member's provider registered as one whose own system is called, and none is connected yet."""
    require(member, "setup")
    with reading() as session:
        entry = session.scalar(_of(member))
        provider = session.get_one(Provider, member.provider_id)
        return entry is not None and entry.answers == "system" and provider.adapter in answering_here()


def steps(session: Session, entry: ProviderApplication, provider: Provider) -> tuple[Missing, ...]:
    """What is done, and what is left to do, until customers see what the provider sells."""
    here = provider.adapter in answering_here()
    connects = here and entry.answers == "system"
    found = {
        "profile": bool(provider.name_zh.strip() and provider.name_en.strip()),
        "place": _any(session, CapacityPool.provider_id == provider.id),
        "offer": _any(session, (Offer.provider_id == provider.id) & Offer.active),
        "system": not connects and (provider.adapter != "partner" or _has_program(session, provider.id)),
        "certificate": not connects and needed(provider.adapter) <= set(in_force(session, provider.id)),
        "approval": provider.approved_at is not None,
    }
    without = {"certificate"} if not connects and not needed(provider.adapter) else set()
    return tuple(Missing(cast(What, what), done, what not in without) for what, done in found.items())


def _any(session: Session, condition: ColumnElement[bool]) -> bool:
    return bool(session.scalar(select(exists().where(condition))))


def _has_program(session: Session, provider_id: int) -> bool:
    return _any(session, (ApiClient.provider_id == provider_id) & ApiClient.ended_at.is_(None))


def _of(member: Member) -> Select[ProviderApplication]:
    return select(ProviderApplication).where(
        ProviderApplication.provider_id == member.provider_id, ProviderApplication.state != "forgotten"
    )
