"""Who is written to at a provider when its endpoints stop: mail boxes of people who look after its programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.idempotency import Repeatable, first_time
from booking.webhooks.endpoints import By
from booking.webhooks.models import ProviderContact
from marketplace.core import audit
from marketplace.core.crypto import seal_master, unseal_master
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid
from marketplace.core.ids import new_id
from marketplace.core.text import Language
from vip.customers import email_address

MOST = 5
"""How many contacts a provider may have."""


@dataclass(frozen=True)
class Contact:
    """A mail box, and the language in which it is written to."""

    email: str = field(repr=False)
    language: Language


def contacts_of(provider_id: int) -> list[Contact]:
    """The contacts of a provider, in the order in which they were given. Raises Unreadable."""
    with reading() as session:
        return [Contact(open_address(row), _language(row)) for row in live(session, provider_id)]


def set_contacts(
    provider_id: int, contacts: Sequence[Contact], *, by: By, now: datetime, repeat: Repeatable | None = None
) -> None:
    """Write to these from now on, and to nobody besides. Audited without the addresses. Raises Invalid(field="email" or
    "contacts"), IdempotencyKeyReused."""
    wanted = {email_address.normalise(each.email): each.language for each in contacts}
    if len(wanted) > MOST:
        raise Invalid(field="contacts", reason="length")
    with transaction() as session:
        if repeat is not None and not first_time(session, repeat, "contacts", now=now):
            return
        lock(session, provider_id)
        for row in live(session, provider_id):
            if wanted.get(open_address(row)) == row.language:
                del wanted[open_address(row)]
            else:
                row.ended_at, row.email_sealed = now, None
        session.add_all(_made(provider_id, email, language, now) for email, language in wanted.items())
        facts: dict[str, Any] = {"contacts": len(contacts)}
        audit.record(
            session,
            "provider.contacts_set",
            at=now,
            actor_kind=by.kind,
            actor=by.name,
            subject=f"provider:{provider_id}",
            **facts,
        )


def lock(session: Session, provider_id: int) -> None:
    """Wait for whoever else changes a provider's contacts, or counts what they were told, until the transaction ends.
    Locks of endpoints are taken before it."""
    session.execute(select(func.pg_advisory_xact_lock(0x434F4E54, provider_id)))


def live(session: Session, provider_id: int) -> Sequence[ProviderContact]:
    """The rows of those who are written to."""
    return session.scalars(
        select(ProviderContact)
        .where(ProviderContact.provider_id == provider_id, ProviderContact.ended_at.is_(None))
        .order_by(ProviderContact.id)
    ).all()


def record_of(contact_id: str) -> str:
    """The record that a contact's address is sealed for."""
    return f"contact:{contact_id}:email"


def open_address(contact: ProviderContact) -> str:
    """The address of one that has not ended. Raises Unreadable."""
    return unseal_master(contact.email_sealed or b"", record_of(contact.public_id))


def _language(contact: ProviderContact) -> Language:
    return "en" if contact.language == "en" else "zh"


def _made(provider_id: int, email: str, language: str, now: datetime) -> ProviderContact:
    public_id = new_id("con")
    return ProviderContact(
        public_id=public_id,
        provider_id=provider_id,
        email_sealed=seal_master(email, record_of(public_id)),
        language=language,
        created_at=now,
    )
