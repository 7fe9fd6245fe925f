"""Operators decide what is one place, and what a place may do. Every decision can be taken back, and is audited."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from booking.closures import again
from marketplace.catalog.one_place import merge, suits
from marketplace.core import audit
from marketplace.core.database.db import transaction
from marketplace.core.logging import get_logger
from vip import roles
from vip.principal import Principal

log = get_logger(__name__)


def merge_sites(principal: Principal, site: str, into: str, *, now: datetime) -> str:
    """Let one site be part of another's place; both by public id. Returns the merge's public id. Raises NotFound,
    NotOnePlace and Busy.

    Closures that stand hold for what belongs to the place from now on.
    """
    roles.require(principal, "books")
    with transaction() as session:
        made = merge.merge(session, site, into, by=principal.public_id, now=now)
        closures = again.work_again(session, merge.places_of(session, made), now=now)
        _record(session, principal, "site.merged", site, now, into=into, merge=made)
    again.close_again(closures)
    log.info("site.merged", site=site, into=into)
    return made


def undo_merge(principal: Principal, merge_id: str, *, now: datetime) -> None:
    """Part what was merged; done twice changes nothing. Raises NotFound and Busy.

    Slots that only a closure of the other one kept closed open with their provider's next full list.
    """
    roles.require(principal, "books")
    with transaction() as session:
        parted = merge.undo(session, merge_id, by=principal.public_id, now=now)
        places = merge.places_of(session, merge_id)
        closures = again.work_again(session, places, now=now) if parted else []
        if parted:
            _record(session, principal, "site.parted", merge_id, now)
    again.close_again(closures)
    if closures:
        again.read_again(places, now=now)
    log.info("site.parted", merge=merge_id)


def keep_apart(principal: Principal, pair: str, *, now: datetime) -> None:
    """Say that the two of a pair are not the same: it is proposed no more. Raises NotFound."""
    roles.require(principal, "books")
    with transaction() as session:
        if merge.keep_apart(session, pair, by=principal.public_id, now=now):
            _record(session, principal, "site.kept_apart", pair, now)


def propose_again(principal: Principal, pair: str, *, now: datetime) -> None:
    """Take that back. Raises NotFound."""
    roles.require(principal, "books")
    with transaction() as session:
        if merge.propose_again(session, pair):
            _record(session, principal, "site.proposed_again", pair, now)


def allow(principal: Principal, site: str, benefit: str, *, now: datetime) -> None:
    """Let a place give a benefit which its kind of place can't; done twice changes nothing. Raises NotFound."""
    roles.require(principal, "books")
    with transaction() as session:
        at = merge.site_of(session, site)
        if suits.allow(session, at.place_id, benefit, by=principal.public_id, now=now):
            _record(session, principal, "site.allowed", site, now, benefit=benefit)


def end_allowance(principal: Principal, site: str, benefit: str, *, now: datetime) -> None:
    """Take that back: its offers of the benefit are not given out any more, what is booked stays. Raises NotFound."""
    roles.require(principal, "books")
    with transaction() as session:
        at = merge.site_of(session, site)
        if suits.end_allowance(session, at.place_id, benefit, by=principal.public_id, now=now):
            _record(session, principal, "site.not_allowed", site, now, benefit=benefit)


def _record(session: Session, principal: Principal, action: str, subject: str, now: datetime, **facts: Any) -> None:
    audit.record(
        session,
        action,
        at=now,
        actor_kind=principal.acts_as,
        actor=principal.public_id,
        subject=subject,
        insurer_id=principal.insurer_id,
        **facts,
    )
