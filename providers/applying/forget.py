"""Forgetting applications: those that nobody confirmed, those that were never used, and whom we wrote to."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Select, and_, exists, or_, select
from sqlalchemy.orm import Session

from marketplace.core import audit
from marketplace.core.database.db import transaction
from marketplace.core.database.retention import forget
from providers.applying.models import ProviderApplication
from vip import accounts
from vip.models import Operator, SignInSession

UNCONFIRMED = timedelta(days=7)
"""How long an application is kept whose address was never confirmed."""
UNUSED = timedelta(days=180)
"""How long one without an approval is kept after anybody signed in, or it was sent in, last."""
CONTACT = timedelta(days=180)
"""How long the contact's name and address are kept after the last word about the application."""
AT_ONCE = 200


def forget_applications(*, now: datetime) -> dict[str, int]:
    """Delete applications that nobody confirmed in a week; end those without an approval that nobody used for half a
    year, with the accounts of their people; erase contacts half a year after the last word. Returns counts."""
    unconfirmed = ProviderApplication.state == "asked"
    return {
        "unconfirmed": forget(
            ProviderApplication.id, ProviderApplication.created_at, now - UNCONFIRMED, 1000, unconfirmed
        ),
        "unused": _end_unused(now),
        "contacts": _erase_contacts(now),
    }


def _end_unused(now: datetime) -> int:
    before = now - UNUSED
    used = exists().where(
        SignInSession.operator_id == Operator.id,
        Operator.provider_id == ProviderApplication.provider_id,
        SignInSession.created_at > before,
    )
    wanted = select(ProviderApplication).where(
        ProviderApplication.state.in_(("new", "returned", "declined")),
        ProviderApplication.submitted_at <= before,
        or_(ProviderApplication.decided_at.is_(None), ProviderApplication.decided_at <= before),
        ~used,
    )
    with transaction() as session:
        rows = session.scalars(_locked(wanted)).all()
        for entry in rows:
            _end(session, entry, now)
    return len(rows)


def _end(session: Session, entry: ProviderApplication, now: datetime) -> None:
    entry.state = "forgotten"
    entry.contact_sealed = entry.email_sealed = entry.token_sealed = None
    entry.note = entry.reply = ""
    people = select(Operator).where(Operator.provider_id == entry.provider_id, Operator.disabled_at.is_(None))
    for account in session.scalars(people.order_by(Operator.id).with_for_update()):
        accounts.end_service(session, account, None, now)
    audit.record(
        session, "application.forgotten", at=now, actor_kind="system", actor="retention", subject=entry.public_id
    )


def _erase_contacts(now: datetime) -> int:
    wanted = select(ProviderApplication).where(
        ProviderApplication.email_sealed.is_not(None),
        and_(ProviderApplication.state.in_(("approved", "declined")), ProviderApplication.decided_at <= now - CONTACT),
    )
    with transaction() as session:
        rows = session.scalars(_locked(wanted)).all()
        for entry in rows:
            entry.contact_sealed = entry.email_sealed = None
    return len(rows)


def _locked(wanted: Select[ProviderApplication]) -> Select[ProviderApplication]:
    ordered = wanted.order_by(ProviderApplication.id).limit(AT_ONCE)
    return ordered.with_for_update(of=ProviderApplication, skip_locked=True)
