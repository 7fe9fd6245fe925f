"""An operator's word about applications: approve, decline, or ask something. Only whoever runs providers sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from marketplace.catalog.models import Provider
from marketplace.core import audit, crypto
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.paging import Page, decode_cursor, encode_cursor
from marketplace.core.text import Text
from providers.applying import letters
from providers.applying.facts import LONGEST_NOTE
from providers.applying.letters import Letter
from providers.applying.models import ProviderApplication
from providers.applying.own import Missing, steps
from providers.applying.records import contact_record, email_record
from providers.conformance.certificates.issue import mark_offers
from vip import risky, roles
from vip.principal import Principal

State = Literal["new", "returned", "approved", "declined"]
STATES: tuple[State, ...] = get_args(State)
OPEN = ("new", "returned")
"""Applications that wait for a word of an operator, or of the applicant first."""


class ApplicationDecided(Refusal):
    """Another operator has approved or declined it."""

    code = "application_decided"


class NamesChanged(Refusal):
    """The provider's people call it otherwise since the operator read its names."""

    code = "names_changed"


@dataclass(frozen=True)
class ApplicationLine:
    """An application in the list. `name` is what the provider is called now."""

    public_id: str
    state: str
    name: Text
    answers: str
    country: str
    registration: str
    submitted_at: datetime


@dataclass(frozen=True)
class Alike:
    """Another provider (its code) or application that may be the same organisation: `number` the same registration,
    else the same name. `state` of an application, blank of a provider without one."""

    name: Text
    code: str
    state: str
    number: bool


@dataclass(frozen=True)
class ApplicationView:
    """All of an application. `contact` and `email` are blank once forgotten; `registered_as` is the name that was given
    at first. `letter`: what became of the newest letter, `to_send`, `sent` or `not_sent`. `steps` lead to being on
    sale."""

    line: ApplicationLine
    provider: str
    registered_as: Text
    contact: str
    email: str
    language: str
    time_zone: str
    note: str
    reply: str
    confirmed_at: datetime
    decided_at: datetime | None
    letter: str
    alike: Sequence[Alike]
    steps: Sequence[Missing]

    @property
    def open(self) -> bool:
        """Whether it can be decided."""
        return self.line.state in OPEN


def applications(principal: Principal, state: str, *, cursor: str | None, limit: int) -> Page[ApplicationLine]:
    """Confirmed applications in a state, or all of them where it is blank, the newest first. Raises NotFound without
    the duty or for a state that there is not; Invalid for a bad cursor."""
    roles.require(principal, "books")
    if state and state not in STATES:
        raise NotFound(field="state")
    wanted = select(ProviderApplication, Provider).join(Provider, Provider.id == ProviderApplication.provider_id)
    wanted = wanted.where(ProviderApplication.state.in_([state] if state else STATES))
    if cursor is not None:
        wanted = wanted.where(ProviderApplication.id < int(decode_cursor(cursor, [int])[0]))
    with reading() as session:
        rows = session.execute(wanted.order_by(ProviderApplication.id.desc()).limit(limit + 1)).all()
    more = encode_cursor([rows[limit - 1].ProviderApplication.id]) if len(rows) > limit else None
    return Page([_line(entry.ProviderApplication, entry.Provider) for entry in rows[:limit]], more)


def waiting(principal: Principal) -> int:
    """How many wait for an operator's word. Raises NotFound without the duty."""
    roles.require(principal, "books")
    with reading() as session:
        return session.scalars(
            select(func.count()).select_from(ProviderApplication).where(ProviderApplication.state == "new")
        ).one()


def application(principal: Principal, public_id: str) -> ApplicationView:
    """One of them. Raises NotFound, also without the duty and for one that nobody confirmed."""
    roles.require(principal, "books")
    with reading() as session:
        entry, provider = _found(session, public_id, lock=False)
        return _view(session, entry, provider)


def approve(principal: Principal, public_id: str, *, names: Text | None = None, now: datetime) -> None:
    """Let customers be offered what the provider sells. Audited; a letter follows. `names`: what it was called when she
    read it, since its own people may rename it until then. Raises NotFound as `application` does, SignInAgain,
    ApplicationDecided and NamesChanged."""
    risky.allow(principal, "approve_provider", now=now)
    with transaction() as session:
        entry, provider = _open(session, public_id)
        if names is not None and names != Text(provider.name_zh, provider.name_en):
            raise NamesChanged()
        provider.approved_at = now
        mark_offers(session, provider)
        _decide(session, entry, provider, "approved", principal, now)


def decline(principal: Principal, public_id: str, reason: str, *, now: datetime) -> None:
    """Decline it; its people see the reason and may send it in again. Audited; a letter follows. Raises as `approve`
    does, and Invalid(field="reason")."""
    risky.allow(principal, "approve_provider", now=now)
    note = _note(reason, "reason")
    with transaction() as session:
        entry, provider = _open(session, public_id)
        entry.note = note
        _decide(session, entry, provider, "declined", principal, now)


def ask_back(principal: Principal, public_id: str, question: str, *, now: datetime) -> None:
    """Ask its people something, before a decision. Audited; a letter follows. Raises as `approve` does, and
    Invalid(field="question")."""
    risky.allow(principal, "approve_provider", now=now)
    note = _note(question, "question")
    with transaction() as session:
        entry, provider = _open(session, public_id)
        entry.note = note
        _decide(session, entry, provider, "returned", principal, now)


def _decide(
    session: Session,
    entry: ProviderApplication,
    provider: Provider,
    outcome: Letter,
    principal: Principal,
    now: datetime,
) -> None:
    entry.state, entry.decided_at = outcome, now
    letters.queue(entry, outcome, now)
    audit.record(
        session,
        f"application.{outcome}",
        at=now,
        actor_kind=principal.acts_as,
        actor=principal.public_id,
        subject=provider.public_id,
        application=entry.public_id,
    )


def _note(text: str, field: str) -> str:
    text = text.strip()
    if not 1 <= len(text) <= LONGEST_NOTE:
        raise Invalid(field=field, reason="note_length", longest=LONGEST_NOTE)
    return text


def _open(session: Session, public_id: str) -> tuple[ProviderApplication, Provider]:
    entry, provider = _found(session, public_id, lock=True)
    if entry.state not in OPEN:
        raise ApplicationDecided()
    return entry, provider


def _found(session: Session, public_id: str, *, lock: bool) -> tuple[ProviderApplication, Provider]:
    wanted = select(ProviderApplication).where(
        ProviderApplication.public_id == public_id, ProviderApplication.state.in_(STATES)
    )
    entry = session.scalar(wanted.with_for_update() if lock else wanted)
    if entry is None:
        raise NotFound(field="application_id")
    of_it = select(Provider).where(Provider.id == entry.provider_id)
    return entry, session.scalars(of_it.with_for_update(key_share=True) if lock else of_it).one()


def _line(entry: ProviderApplication, provider: Provider) -> ApplicationLine:
    return ApplicationLine(
        entry.public_id,
        entry.state,
        Text(provider.name_zh, provider.name_en),
        entry.answers,
        entry.country,
        entry.registration,
        entry.submitted_at or entry.created_at,
    )


def _view(session: Session, entry: ProviderApplication, provider: Provider) -> ApplicationView:
    contact = (
        crypto.unseal_master(entry.contact_sealed, contact_record(entry.public_id)) if entry.contact_sealed else ""
    )
    address = crypto.unseal_master(entry.email_sealed, email_record(entry.public_id)) if entry.email_sealed else ""
    return ApplicationView(
        _line(entry, provider),
        provider.code,
        Text(entry.name_zh, entry.name_en),
        contact,
        address,
        entry.language,
        entry.time_zone,
        entry.note,
        entry.reply,
        entry.confirmed_at or entry.created_at,
        entry.decided_at,
        "sent" if entry.sent_at else "not_sent" if entry.given_up_at else "to_send",
        _alike(session, entry, provider),
        steps(session, entry, provider),
    )


def _opened(sealed: bytes | None, record: str) -> str:
    return crypto.unseal_master(sealed, record) if sealed else ""


def _alike(session: Session, entry: ProviderApplication, provider: Provider) -> Sequence[Alike]:
    """Other providers with the same number or one of the names, without regard to case and spaces."""
    names = {_plain(each) for each in (provider.name_zh, provider.name_en, entry.name_zh, entry.name_en)}
    same_number = (ProviderApplication.country == entry.country) & (
        ProviderApplication.registration == entry.registration
    )
    same_name = or_(
        *(
            func.lower(func.regexp_replace(each, r"\s", "", "g")).in_(names)
            for each in (Provider.name_zh, Provider.name_en)
        )
    )
    wanted = (
        select(Provider, ProviderApplication.state, func.coalesce(same_number, False).label("number"))
        .outerjoin(ProviderApplication, ProviderApplication.provider_id == Provider.id)
        .where(Provider.id != provider.id, or_(same_number, same_name))
        .order_by(Provider.code)
        .limit(20)
    )
    return [
        Alike(
            Text(found.Provider.name_zh, found.Provider.name_en), found.Provider.code, found.state or "", found.number
        )
        for found in session.execute(wanted)
    ]


def _plain(name: str) -> str:
    return "".join(name.lower().split())
