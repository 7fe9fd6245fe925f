"""A provider's system joins: it is asked what it can do, and only then is written how it is reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from booking.actors import Actor
from booking.calls.apart import judge_apart
from booking.calls.connections import CALL_RECORD, connection_by_code, provider_id_of
from booking.feeds.cursors import forget_cursors
from booking.models import Booking
from marketplace.catalog.models import Provider
from marketplace.core import audit
from marketplace.core.config import settings
from marketplace.core.crypto import seal_master
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid
from marketplace.core.sending import outside
from marketplace.core.sending.outside import Networks
from marketplace.core.text import Text
from providers.adapters.settings import addresses_in, read_settings
from providers.port import Connection, ProviderError, TellsWhatItCan
from providers.registry import connect, settings_schema


class NotJoined(Exception):
    """The system is not one that we can work with, or says nothing. `sentences` name what is missing, in English; no
    row was changed."""

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


@dataclass(frozen=True)
class System:
    """How a provider's system is reached: the code of its adapter, address, settings and secret."""

    adapter: str
    base_url: str
    settings: Mapping[str, str]
    secret: str = field(repr=False)


def join_system(code: str, system: System, *, actor: str, now: datetime) -> None:
    """Connect the provider with this code to its system, once that has said that it can do what we need. Audited.

    Raises NotFound (field `provider`), and what connection_to(), write_system() and missing_now() raise.
    """
    provider_id = provider_id_of(code)
    with reading() as session:
        connection = connection_to(session, session.get_one(Provider, provider_id), system)
    missing = _missing(system.adapter, connection)
    if missing:
        raise NotJoined([each.en for each in missing])
    with transaction() as session:
        write_system(session, provider_id, system, Actor("operator", actor), now=now)


def connection_to(session: Session, provider: Provider, system: System) -> Connection:
    """How the provider would be called if this were its system. Nothing is looked up or called. Raises Invalid (field
    `base_url`, or the setting that is an address; also for one of its other side, see judge_apart) and BadSettings."""
    networks = tuple(provider.networks)
    _judge("base_url", system.base_url, networks, with_query=False)
    schema = settings_schema(system.adapter)
    read_settings(schema, system.settings)
    for name, url in addresses_in(schema, system.settings).items():
        _judge(name, url, networks, with_query=True)
    judge_apart(session, provider, system.adapter, system.base_url, system.settings, lock=False)
    return Connection(
        provider.code,
        system.base_url,
        system.secret,
        time_zone=provider.time_zone,
        deadline_seconds=float(provider.deadline_seconds),
        settings=dict(system.settings),
        networks=networks,
    )


def _judge(name: str, url: str, networks: Networks, *, with_query: bool) -> None:
    try:
        target = outside.read_url(url, loopback=settings().loopback_urls, networks=networks)
    except outside.BadUrl as bad:
        raise Invalid(field=name, reason=bad.reason) from bad
    if "?" in target.path and not with_query:
        raise Invalid(field=name, reason="url_form")


def judge_adapter(session: Session, provider: Provider, adapter: str) -> None:
    """Raises Invalid (field `adapter`) for another one than the provider's bookings were made by."""
    booked = session.scalar(select(exists().where(Booking.provider_id == provider.id)))
    if booked and provider.adapter != adapter:
        raise Invalid(field="adapter", reason="adapter_stays")


def write_system(session: Session, provider_id: int, system: System, by: Actor, *, now: datetime) -> None:
    """Write how the provider's system is reached, in the caller's transaction. Another system is read from its
    beginning. Audited. Raises Invalid (field `adapter`, or an
    address of its other side)."""
    row = session.scalars(select(Provider).where(Provider.id == provider_id).with_for_update()).one()
    judge_adapter(session, row, system.adapter)
    judge_apart(session, row, system.adapter, system.base_url, system.settings, lock=True)
    if (row.adapter, row.base_url) != (system.adapter, system.base_url):
        forget_cursors(session, provider_id)
        row.system_since = now
    row.adapter, row.base_url, row.settings = system.adapter, system.base_url, dict(system.settings)
    row.secret_sealed = seal_master(system.secret, CALL_RECORD.format(row.code)) if system.secret else None
    audit.record(
        session,
        "provider.joined",
        at=now,
        actor_kind=by.kind,
        actor=by.id,
        subject=row.public_id,
        adapter=system.adapter,
        host=urlsplit(system.base_url).hostname,
    )


def missing_now(code: str) -> Sequence[str] | None:
    """What the system of a provider lacks for us today, in English sentences; empty for one that is fit, None for one
    that does not say what it can do. Raises NotFound (field `provider`), BadSettings, NotJoined when it does not
    answer."""
    with reading() as session:
        known = connection_by_code(session, code)
    missing = _missing(known.adapter, known.connection)
    return None if missing is None else [each.en for each in missing]


def _missing(adapter: str, connection: Connection) -> Sequence[Text] | None:
    opened = connect(adapter, connection)
    if not isinstance(opened, TellsWhatItCan):
        return None
    try:
        return opened.missing()
    except ProviderError as error:
        raise NotJoined([f"The server cannot be asked what it can do: {error}."]) from error
