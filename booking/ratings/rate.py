"""Rate a service: once it is done, once a booking, and changed within a day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.models import Booking
from booking.ownership import own_booking, own_booking_id
from booking.ratings.models import Rating
from booking.sealing import open_words, seal_words
from booking.states import BookingState
from marketplace.core.crypto import Unreadable
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.logging import get_logger
from marketplace.core.strictjson import storable
from vip.customers.person_keys import PROCESS, WrappedKey, key_of
from vip.models import Beneficiary
from vip.principal import Principal

log = get_logger(__name__)

CHANGED_FOR = timedelta(hours=24)
"""How long a rating may be changed."""
MOST_STARS = 5
MOST_CHARACTERS = 1_000


class NotDone(Refusal):
    """The service is not done, so there is nothing to rate yet."""

    code = "rating_too_early"


class RatingFixed(Refusal):
    """It was rated more than CHANGED_FOR ago; that rating stands."""

    code = "rating_fixed"


@dataclass(frozen=True)
class RatingView:
    """A rating as its customer gave it. `words` is blank without any. `changeable_until`: until when she may change
    it."""

    stars: int
    words: str = field(repr=False)
    at: datetime
    changed_at: datetime
    changeable_until: datetime


def rate(principal: Principal, booking: str, stars: int, words: str, now: datetime) -> RatingView:
    """Rate the customer's own booking, or change what she said of it. The same again changes nothing.

    Raises NotFound, Invalid(field="stars" or "words"), NotDone, RatingFixed.
    """
    said = words.strip()
    _check(stars, said)
    with transaction() as session:
        row = session.scalar(select(Booking).where(own_booking(principal, booking)).with_for_update())
        if row is None:
            raise NotFound(field="booking_id")
        key = _key(session, row)
        found = session.scalar(select(Rating).where(Rating.booking_id == row.id))
        if found is None:
            if row.state is not BookingState.FULFILLED:
                raise NotDone()
            found = Rating(booking_id=row.id, stars=stars, words_sealed=_sealed(said, key, booking), at=now)
            found.changed_at = now
            session.add(found)
        elif (found.stars, words_of(found, key, booking)) != (stars, said):
            if now >= found.at + CHANGED_FOR:
                raise RatingFixed(at=found.at)
            found.stars, found.words_sealed, found.changed_at = stars, _sealed(said, key, booking), now
        session.flush()
        view = _view(found, key, booking)
    log.info("booking.rated", booking=booking)
    return view


def rating_of(principal: Principal, booking: str) -> RatingView | None:
    """The rating of the customer's own booking, None before she gave one. Raises NotFound."""
    with reading() as session:
        row = session.get_one(Booking, own_booking_id(session, principal, booking))
        found = session.scalar(select(Rating).where(Rating.booking_id == row.id))
        return None if found is None else _view(found, _key(session, row), booking)


def words_of(rating: Rating, key: WrappedKey, booking: str) -> str:
    """The words of a rating of a booking (public id); blank without any, and where their key was destroyed."""
    if not rating.words_sealed:
        return ""
    try:
        return open_words(rating.words_sealed, key, record_of(booking))
    except Unreadable:
        return ""


def record_of(booking: str) -> str:
    """What the words about a booking (public id) are bound to."""
    return f"rating:{booking}:words"


def _sealed(words: str, key: WrappedKey, booking: str) -> bytes | None:
    return seal_words(words, key, record_of(booking)) if words else None


def _view(found: Rating, key: WrappedKey, booking: str) -> RatingView:
    return RatingView(found.stars, words_of(found, key, booking), found.at, found.changed_at, found.at + CHANGED_FOR)


def _key(session: Session, booking: Booking) -> WrappedKey:
    return key_of(session, session.get_one(Beneficiary, booking.beneficiary_id), PROCESS)


def _check(stars: int, words: str) -> None:
    if not 1 <= stars <= MOST_STARS:
        raise Invalid(field="stars", reason="out_of_range", minimum=1, maximum=MOST_STARS)
    if len(words) > MOST_CHARACTERS:
        raise Invalid(field="words", reason="too_long", maximum=MOST_CHARACTERS)
    if not storable(words):
        raise Invalid(field="words", reason="bad_characters")
