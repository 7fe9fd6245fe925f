"""An operator pauses a provider: no new command is sent to it. Look-ups, feeds and what it tells us go on."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.health.pauses.standing import ENDED, PAUSED, RESUMED, insurers_pausing, pauses
from marketplace.catalog.models import Provider
from marketplace.core import audit
from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.strictjson import storable
from vip import roles
from vip.principal import Principal

LONGEST_REASON = 200


def pause(principal: Principal, code: str, reason: str, *, now: datetime) -> bool:
    """Send the provider with this code no new command from now on, for a reason (1 to LONGEST_REASON characters). Where
    only others have paused it, the pause of this insurer stands beside theirs. False if its own stands already: then
    who paused it, and why, stays. Audited. Raises NotFound (field `provider`) and Invalid (field `reason`)."""
    roles.require(principal, "books")
    words = " ".join(reason.split())
    if not words:
        raise Invalid(field="reason", reason="required")
    if len(words) > LONGEST_REASON:
        raise Invalid(field="reason", reason="too_long", maximum=LONGEST_REASON)
    if not storable(words):
        raise Invalid(field="reason", reason="text")
    with transaction() as session:
        provider = _locked(session, code)
        if provider.paused_at is None:
            provider.paused_at, provider.paused_by, provider.pause_reason = now, principal.public_id, words
        elif not pauses(session, principal, [provider])[provider.id].by_other:
            return False
        _note(session, PAUSED, principal, provider, now, reason=words)
    return True


def resume(principal: Principal, code: str, *, now: datetime) -> bool:
    """Send the provider with this code its commands again, those that waited first, whichever insurers paused it: all
    their pauses end, and each other insurer is told by a line of its own audit, which its console shows. False if it
    was not paused. Audited, with how long it was paused and by whom. Raises NotFound (field `provider`)."""
    roles.require(principal, "books")
    with transaction() as session:
        provider = _locked(session, code)
        if provider.paused_at is None:
            return False
        seconds = round((now - provider.paused_at).total_seconds())
        paused_by, others = provider.paused_by or "", insurers_pausing(session, provider) - {principal.insurer_id}
        provider.paused_at = provider.paused_by = provider.pause_reason = None
        _note(session, RESUMED, principal, provider, now, seconds=seconds, paused_by=paused_by)
        for insurer_id in sorted(others):
            _tell(session, insurer_id, provider, now, seconds)
    return True


def _locked(session: Session, code: str) -> Provider:
    query = select(Provider).where(Provider.code == code).with_for_update(key_share=True)
    provider = session.scalar(query) if storable(code) else None
    if provider is None:
        raise NotFound(field="provider")
    return provider


def _tell(session: Session, insurer_id: int, provider: Provider, now: datetime, seconds: int) -> None:
    """Its pause was ended by another insurer's operator, whom its trail does not name."""
    subject = provider.public_id
    audit.record(
        session, ENDED, at=now, actor_kind="operator", actor="", subject=subject, insurer_id=insurer_id, seconds=seconds
    )


def _note(
    session: Session, action: str, principal: Principal, provider: Provider, now: datetime, **facts: str | int
) -> None:
    audit.record(
        session,
        action,
        at=now,
        actor_kind=principal.acts_as,
        actor=principal.public_id,
        subject=provider.public_id,
        insurer_id=principal.insurer_id,
        **facts,
    )
