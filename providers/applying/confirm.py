"""Opening the link of an application: the provider and its first manager are made, once."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, null, select

from marketplace.catalog.models import Provider
from marketplace.core import audit, crypto, ids
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from marketplace.core.text import Text
from providers.applying.models import ProviderApplication
from providers.applying.records import contact_record
from providers.staff.members import employ
from vip.operators import operators
from vip.signin import turns

LONGEST_TOKEN = 64
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class Confirming:
    """What the link is for: the organisation, and who becomes its manager."""

    provider: Text
    contact: str


def look(token: str, *, now: datetime) -> Confirming:
    """What the link is for; nothing is used up. Raises NotFound for one that was used, is over or none of ours."""
    with reading() as session:
        entry = session.scalar(_by_token(token, now))
        if entry is None:
            raise NotFound()
        return Confirming(Text(entry.name_zh, entry.name_en), _contact(entry))


def confirm(token: str, login: str, password: str, *, now: datetime) -> str:
    """Make the provider, which waits for an operator's word, and its manager, once; returns her public id. She signs in
    afterwards like everybody. Audited.

    Raises NotFound as `look` does, Invalid(field=login or password), LoginTaken, Crowded(retry_after).
    """
    with reading() as session:
        entry = session.scalar(_by_token(token, now))
    if entry is None:
        raise NotFound()
    with turns.hashing.holders.turn(f"application:{entry.public_id}"):
        new = operators.new_account(login, password, _contact(entry))
    with operators.free_login(), transaction() as session:
        entry = session.scalar(lock(_by_token(token, now)))
        if entry is None:
            raise NotFound()
        provider = _provider(entry)
        session.add(provider)
        session.flush()
        public_id = operators.add_account(session, employ(provider.id, "manager"), new)
        entry.state, entry.provider_id = "new", provider.id
        entry.confirmed_at = entry.submitted_at = now
        entry.token_sealed = None
        audit.record(
            session,
            "application.confirmed",
            at=now,
            actor_kind="provider",
            actor=public_id,
            subject=provider.public_id,
            application=entry.public_id,
            adapter=provider.adapter,
        )
    return public_id


def lock(wanted: Select[ProviderApplication]) -> Select[ProviderApplication]:
    """The same, locked: of two who open one link the second one sees that it was used."""
    return wanted.with_for_update()


def adapter_of(answers: str) -> str:
    """The adapter of a provider that has connected no system yet: until it has, its programs or its people answer."""
    return "desk" if answers == "desk" else "partner"


def _provider(entry: ProviderApplication) -> Provider:
    return Provider(
        public_id=ids.new_id("prv"),
        code=_code(entry.name_en),
        name_zh=entry.name_zh,
        name_en=entry.name_en,
        adapter=adapter_of(entry.answers),
        base_url="",
        time_zone=entry.time_zone,
        approved_at=null(),  # None would be left out, and the column's default taken
    )


def _code(name: str) -> str:
    """A code that can be read, and that nobody has: what follows the name is drawn, so that it takes no code from the
    organisation whose name it may be, and tells nothing about others."""
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    first = re.sub(r"^[^a-z]+", "", words)[:20].strip("-") or "provider"
    return f"{first}-{''.join(secrets.choice(_LETTERS) for _ in range(8))}"


def _contact(entry: ProviderApplication) -> str:
    return crypto.unseal_master(entry.contact_sealed or b"", contact_record(entry.public_id))


def _by_token(token: str, now: datetime) -> Select[ProviderApplication]:
    if not 0 < len(token) <= LONGEST_TOKEN:
        raise NotFound()
    return select(ProviderApplication).where(
        ProviderApplication.token_hash == crypto.token_hash(token),
        ProviderApplication.state == "asked",
        ProviderApplication.expires_at > now,
    )
