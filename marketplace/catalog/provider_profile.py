"""Who a provider is, as its own people may say it: its names, and the time zone that it works in."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal
from zoneinfo import available_timezones

from sqlalchemy import select

from marketplace.catalog.models import Provider
from marketplace.core import audit
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, Refusal
from marketplace.core.plain_names import plain_name

LONGEST_NAME = 200
NAMES = ("name_zh", "name_en")


class NamesApproved(Refusal):
    """An operator approved the provider under its names: from then on operators alone change them."""

    code = "names_approved"


class ProfileChanged(Refusal):
    """Somebody else changed the profile since it was read."""

    code = "profile_changed"


@dataclass(frozen=True)
class Profile:
    """Names in both languages, and an IANA time zone."""

    name_zh: str
    name_en: str
    time_zone: str


def profile_of(provider_id: int) -> Profile:
    """A provider's profile as it stands."""
    with reading() as session:
        return _seen(session.get_one(Provider, provider_id))


def change_profile(
    provider_id: int,
    seen: Profile,
    wanted: Profile,
    *,
    by: Literal["provider", "operator"] = "provider",
    actor: str,
    now: datetime,
) -> None:
    """Change a profile that is still the one that was seen, by a word of its own people or of an `operator`. Audited.
    Another time zone ends the provider's certificates (a trigger). Raises Invalid with the field, ProfileChanged, and
    NamesApproved for other names of one that was approved by theirs, which customers trust and operators have read."""
    for name in NAMES:
        if getattr(wanted, name) != getattr(seen, name):
            plain_name(getattr(wanted, name), field=name, longest=LONGEST_NAME)
    if wanted.time_zone not in available_timezones():
        raise Invalid(field="time_zone", reason="choice")
    with transaction() as session:
        query = select(Provider).where(Provider.id == provider_id).with_for_update(key_share=True)
        provider = session.scalars(query.execution_options(populate_existing=True)).one()
        before = _seen(provider)
        if before != seen:
            raise ProfileChanged()
        changed = [each.name for each in fields(Profile) if getattr(before, each.name) != getattr(wanted, each.name)]
        if not changed:
            return
        if by == "provider" and provider.approved_at is not None and set(changed) & set(NAMES):
            raise NamesApproved()
        for name in changed:
            setattr(provider, name, getattr(wanted, name))
        audit.record(
            session,
            "provider.profile_changed",
            at=now,
            actor_kind=by,
            actor=actor,
            subject=provider.public_id,
            changed=changed,
        )


def _seen(provider: Provider) -> Profile:
    return Profile(provider.name_zh, provider.name_en, provider.time_zone)
