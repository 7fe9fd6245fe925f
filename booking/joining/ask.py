"""Asking for a test of a provider's system, as one of its people proposes it. One is open for a provider at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from booking.calls.connections import CALL_RECORD
from booking.calls.join import System, connection_to, judge_adapter
from booking.joining.models import SystemTest
from booking.joining.present import mark_of
from booking.joining.secret import RECORD, mark_of_secret
from marketplace.catalog.models import Provider
from marketplace.core import audit
from marketplace.core.crypto import seal_master, unseal_master
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, Refusal, TooMany
from marketplace.core.ids import new_id
from providers.adapters.settings import addresses_in, without_change
from providers.conformance.certificates.issue import lock_provider
from providers.registry import ADAPTERS, settings_schema, with_system
from vip.principal import Member

MOST_AN_HOUR = 20
"""Tests of one provider within an hour: each calls an address that somebody typed."""
HOUR = timedelta(hours=1)


class SystemTestOpen(Refusal):
    """A test of this provider's system is under way. `test` is its public id."""

    code = "system_test_open"
    status = 409


@dataclass(frozen=True)
class Proposed:
    """How the system would be reached. `secret` blank: the one that the provider has already, or `without_secret`
    none."""

    adapter: str
    base_url: str
    settings: Mapping[str, str]
    secret: str = field(default="", repr=False)
    without_secret: bool = False


def ask_for_test(member: Member, proposed: Proposed, *, now: datetime) -> str:
    """Queue a test for the worker; its public id. What earlier tests still have of secrets is erased. Audited.

    Raises Invalid (field `adapter`, `base_url`, `secret` or a setting), BadSettings, SystemTestOpen, and TooMany after
    MOST_AN_HOUR of them within an hour.
    """
    public_id = new_id("syt")
    if proposed.adapter not in with_system():
        raise Invalid(field="adapter", reason="choice")
    with reading() as session:
        provider = session.get_one(Provider, member.provider_id)
        schema = settings_schema(proposed.adapter)
        before = provider.settings if provider.adapter == proposed.adapter else {}
        settings = without_change(schema, before, proposed.settings)
        mark = mark_of(provider)
        wanted = System(proposed.adapter, proposed.base_url, settings, _secret(provider, proposed))
        connection_to(session, provider, wanted)
    sealed = seal_master(wanted.secret, RECORD.format(public_id)) if wanted.secret else None
    with transaction() as session:
        provider = lock_provider(session, member.provider_id)
        judge_adapter(session, provider, wanted.adapter)
        _judge_number(session, provider.id, now)
        _erase_secrets(session, provider.id)
        session.add(
            SystemTest(
                public_id=public_id,
                provider_id=provider.id,
                actor=member.public_id,
                adapter=wanted.adapter,
                base_url=wanted.base_url,
                settings=dict(wanted.settings),
                secret_sealed=sealed,
                secret_hash=mark_of_secret(wanted.secret, public_id),
                secret_kept=not proposed.secret and not proposed.without_secret,
                connection_mark=mark,
                asked_at=now,
            )
        )
        audit.record(
            session,
            "provider.system_tested",
            at=now,
            actor_kind="provider",
            actor=member.public_id,
            subject=provider.public_id,
            test=public_id,
            adapter=wanted.adapter,
            host=urlsplit(wanted.base_url).hostname,
        )
    return public_id


def _secret(provider: Provider, proposed: Proposed) -> str:
    """The secret that is tried. What is stored goes nowhere new: who types an address need not know the secret. Raises
    Invalid(field="secret")."""
    if proposed.secret and proposed.without_secret:
        raise Invalid(field="secret", reason="secret_and_none")
    if proposed.secret or proposed.without_secret or provider.secret_sealed is None:
        return proposed.secret
    known = {provider.base_url, *_addresses(provider.adapter, provider.settings)}
    wanted = {proposed.base_url, *_addresses(proposed.adapter, proposed.settings)}
    if proposed.adapter != provider.adapter or not wanted <= known:
        raise Invalid(field="secret", reason="secret_needed")
    return unseal_master(provider.secret_sealed, CALL_RECORD.format(provider.code))


def _addresses(adapter: str, settings: Mapping[str, str]) -> set[str]:
    return set(addresses_in(settings_schema(adapter), settings).values()) if adapter in ADAPTERS else set()


def _judge_number(session: Session, provider_id: int, now: datetime) -> None:
    """Raises SystemTestOpen, TooMany. The provider's row is locked."""
    mine = select(SystemTest).where(SystemTest.provider_id == provider_id)
    waiting = session.scalar(mine.where(SystemTest.state != "done").limit(1))
    if waiting is not None:
        raise SystemTestOpen(test=waiting.public_id)
    lately = (SystemTest.provider_id == provider_id, SystemTest.asked_at > now - HOUR)
    number, first = session.execute(select(func.count(), func.min(SystemTest.asked_at)).where(*lately)).one()
    if number >= MOST_AN_HOUR:
        raise TooMany(retry_after=max(1, int((first + HOUR - now).total_seconds())))


def _erase_secrets(session: Session, provider_id: int) -> None:
    held = (SystemTest.provider_id == provider_id, SystemTest.secret_sealed.is_not(None))
    session.execute(update(SystemTest).where(*held).values(secret_sealed=None))
