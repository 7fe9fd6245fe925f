"""A customer's links to one of her escorts: made, listed with each look, ended.

Only the link holds the token; a hash of it is stored, and it is shown once.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, DateTime, Integer, cast, func, select
from sqlalchemy.orm import Session

from booking.escort.following.models import EscortLink
from booking.escort.shown.own import own_escort, process_key
from booking.idempotency import Repeatable, record_key
from booking.models import Booking
from booking.sealing import open_words, seal_words
from booking.states import GIVEN_UP
from marketplace.core import audit, crypto, ids
from marketplace.core.audit import AuditLine
from marketplace.core.clock import start_of
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import IdempotencyKeyReused, Invalid, NotFound, Refusal
from marketplace.core.logging import get_logger
from marketplace.core.strictjson import storable
from vip.customers.person_keys import WrappedKey
from vip.principal import Principal

log = get_logger(__name__)

DAYS_AFTER = (0, 1)
"""A link ends with the day of the service, or at the latest with the day after it."""
MOST_LINKS = 5
"""How many links of one escort can be open at the same time."""
LONGEST_NAME = 30
SHOWN_LINKS = 20
SHOWN_LOOKS = 100
"""How many of the newest links and looks a customer is shown; the audit has all of them."""
FOLLOWER = "escort_link"
"""The kind of actor in the audit; the actor's id is the link's public id."""
FOLLOWED, MADE, ENDED = "escort.followed", "escort.link_made", "escort.link_ended"


class TooManyFollowers(Refusal):
    """An escort has at most MOST_LINKS open links at a time. Facts: `most`."""

    code = "too_many_followers"


class NothingToFollow(Refusal):
    """The escort is over, or does not take place. Facts: `state`, the booking's."""

    code = "nothing_to_follow"


@dataclass(frozen=True)
class NewLink:
    """A link to be made: for whom it is (1 to LONGEST_NAME characters), how many days after the service it still opens
    (one of DAYS_AFTER), and whether what the escort writes is shown."""

    name: str = field(repr=False)
    days_after: int = 0
    with_notes: bool = False


@dataclass(frozen=True)
class Link:
    """A link as its customer sees it. `state`: open, expired or ended. `name` is blank once its key was destroyed.
    `looks`: when it was looked at, the newest first."""

    id: str
    name: str = field(repr=False)
    with_notes: bool
    created_at: datetime
    expires_at: datetime
    state: str
    looks: Sequence[datetime] = ()


@dataclass(frozen=True)
class MadeLink:
    """A new link. `token` is shown this once."""

    link: Link
    token: str = field(repr=False)


def make_link(
    principal: Principal, booking: str, new: NewLink, repeat: Repeatable | None = None, *, now: datetime
) -> MadeLink:
    """Make a link to the customer's own escort. Audited. Sent again with the same `repeat` it is the same one, with the
    same token: that follows from what was sent and a key of ours.

    Raises NotFound, Invalid(field="name" or "days_after"), NothingToFollow, TooManyFollowers, and IdempotencyKeyReused.
    """
    new = _checked(new)
    public_id = ids.new_id("esl")
    with transaction() as session:
        before = record_key(session, repeat, public_id, now=now, status=201) if repeat else None
        row = own_escort(session, principal, booking, lock=True)
        known = _made_before(session, row, repeat, now) if repeat else None
        if known is not None:  # also where its key is forgotten by now
            return known
        if before is not None:  # another escort's, or our key was changed meanwhile
            raise IdempotencyKeyReused()
        token = _tokens(repeat)[0] if repeat else ids.new_token()
        if row.state in GIVEN_UP or ends_at(row.service_date, new.days_after, row.time_zone) <= now:
            raise NothingToFollow(state=row.state.value)
        opened = select(func.count()).select_from(EscortLink).join(Booking, Booking.id == EscortLink.booking_id)
        if session.scalars(opened.where(Booking.id == row.id, is_open(now))).one() >= MOST_LINKS:
            raise TooManyFollowers(most=MOST_LINKS)
        key = process_key(session, row)
        link = EscortLink(
            public_id=public_id,
            booking_id=row.id,
            token_hash=crypto.token_hash(token),
            name_sealed=seal_words(new.name, key, name_record(public_id)),
            with_notes=new.with_notes,
            days_after=new.days_after,
            created_at=now,
        )
        session.add(link)
        _audit(session, MADE, principal, row, now, link=public_id)
        made = _view(link, row, key, (), now)
    log.info("escort.link_made", booking=booking)
    return MadeLink(made, token)


def _made_before(session: Session, row: Booking, repeat: Repeatable, now: datetime) -> MadeLink | None:
    """The link of an escort that this request made before."""
    tokens = {crypto.token_hash(token): token for token in _tokens(repeat)}
    found = session.scalars(
        select(EscortLink).where(EscortLink.booking_id == row.id, EscortLink.token_hash.in_(tokens))
    ).one_or_none()
    if found is None:
        return None
    return MadeLink(_view(found, row, process_key(session, row), (), now), tokens[bytes(found.token_hash)])


def _tokens(repeat: Repeatable) -> list[str]:
    """The token that a request makes, under each of our keys, the current one's first."""
    said = f"{repeat.scope}\0{repeat.key}\0{repeat.fingerprint.hex()}"
    found = crypto.blind_indexes(said, "escort-link-token")
    return [urlsafe_b64encode(each).rstrip(b"=").decode() for each in found]


def links_of(principal: Principal, booking: str, *, now: datetime) -> list[Link]:
    """The newest links to the customer's own escort, the last made first, with the latest looks of each. All that are
    open are among them. Raises NotFound."""
    with reading() as session:
        row = own_escort(session, principal, booking)
        key = process_key(session, row)
        found = session.scalars(
            select(EscortLink)
            .join(Booking, Booking.id == EscortLink.booking_id)
            .where(EscortLink.booking_id == row.id)
            .order_by(is_open(now).desc(), EscortLink.id.desc())
            .limit(SHOWN_LINKS)
        ).all()
        lines = session.execute(
            select(AuditLine.actor, AuditLine.at)
            .where(AuditLine.subject == booking, AuditLine.actor_kind == FOLLOWER)
            .order_by(AuditLine.id.desc())
            .limit(SHOWN_LOOKS)
        ).all()
        looks: dict[str, list[datetime]] = {}
        for line in lines:
            looks.setdefault(line.actor, []).append(line.at)
        newest = sorted(found, key=lambda link: link.id, reverse=True)
        return [_view(link, row, key, looks.get(link.public_id, ()), now) for link in newest]


def end_link(principal: Principal, booking: str, link: str, *, now: datetime) -> None:
    """End a link at once. Audited. Ending it again changes nothing. Raises NotFound."""
    with transaction() as session:
        row = own_escort(session, principal, booking)
        found = session.scalar(
            select(EscortLink).where(EscortLink.booking_id == row.id, EscortLink.public_id == link).with_for_update()
        )
        if found is None:
            raise NotFound(field="link_id")
        if found.ended_at is None:
            found.ended_at = now
            _audit(session, ENDED, principal, row, now, link=link)
    log.info("escort.link_ended", booking=booking)


def ends_at(service_date: date, days_after: int, zone: str) -> datetime:
    """When a link of an escort on that day ends: the end of that day, or of one after it, at the place."""
    return start_of(service_date + timedelta(days=days_after + 1), None, zone)


def is_open(now: datetime) -> ColumnElement[bool]:
    """Whether (SQL, of an EscortLink with its Booking) a link opens: as `ends_at` has it."""
    midnight: ColumnElement[datetime] = func.timezone(
        Booking.time_zone, cast(Booking.service_date + cast(EscortLink.days_after + 1, Integer), DateTime)
    )
    return EscortLink.ended_at.is_(None) & (midnight > now)


def name_record(link: str) -> str:
    """What the name of a link (public id) is bound to."""
    return f"escort_link:{link}:name"


def name_of(link: EscortLink, key: WrappedKey) -> str:
    """For whom a link is; blank where the key was destroyed."""
    if link.name_sealed is None:
        return ""
    try:
        return open_words(link.name_sealed, key, name_record(link.public_id))
    except crypto.Unreadable:
        return ""


def _view(link: EscortLink, booking: Booking, key: WrappedKey, looks: Sequence[datetime], now: datetime) -> Link:
    until = ends_at(booking.service_date, link.days_after, booking.time_zone)
    state = "ended" if link.ended_at is not None else "open" if until > now else "expired"
    return Link(link.public_id, name_of(link, key), link.with_notes, link.created_at, until, state, looks)


def _checked(new: NewLink) -> NewLink:
    name = new.name.strip()
    if not name:
        raise Invalid(field="name", reason="required")
    if len(name) > LONGEST_NAME:
        raise Invalid(field="name", reason="too_long", maximum=LONGEST_NAME)
    if not storable(name):
        raise Invalid(field="name", reason="bad_characters")
    if new.days_after not in DAYS_AFTER:
        raise Invalid(field="days_after", reason="not_offered")
    return NewLink(name, new.days_after, new.with_notes)


def _audit(session: Session, action: str, principal: Principal, booking: Booking, now: datetime, **facts: str) -> None:
    audit.record(
        session,
        action,
        at=now,
        actor_kind=principal.kind,
        actor=principal.public_id,
        subject=booking.public_id,
        insurer_id=booking.insurer_id,
        **facts,
    )
