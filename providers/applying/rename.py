"""An operator calls a provider otherwise: once it is approved, nobody else does."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.catalog.models import Provider
from marketplace.catalog.provider_profile import Profile, change_profile, profile_of
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound
from marketplace.core.strictjson import storable
from marketplace.core.text import Text
from vip import risky, roles
from vip.principal import Principal


def names_of(principal: Principal, code: str) -> Text:
    """What the provider with this code is called. Raises NotFound, also without the duty and for a test mode's."""
    roles.require(principal, "books")
    it = profile_of(_named(code))
    return Text(it.name_zh, it.name_en)


def rename(principal: Principal, code: str, seen: Text, wanted: Text, *, now: datetime) -> None:
    """Call it otherwise, if it is still called as was seen. Audited. Its test mode keeps its own names. Raises NotFound
    as `names_of` does, SignInAgain, Invalid(field="name_zh" or "name_en") and ProfileChanged."""
    risky.allow(principal, "rename_provider", now=now)
    provider_id = _named(code)
    known = profile_of(provider_id)
    change_profile(
        provider_id,
        _called(known, seen),
        _called(known, wanted),
        by="operator",
        actor=principal.public_id,
        now=now,
    )


def _called(it: Profile, names: Text) -> Profile:
    return replace(it, name_zh=names.zh, name_en=names.en)


def _named(code: str) -> int:
    with reading() as session:
        found = _id(session, code) if storable(code) else None
    if found is None:
        raise NotFound(field="provider")
    return found


def _id(session: Session, code: str) -> int | None:
    return session.scalar(select(Provider.id).where(Provider.code == code, Provider.twin_of.is_(None)))
