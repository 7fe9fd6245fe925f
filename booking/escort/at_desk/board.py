"""A provider's bookings for which somebody is sent, as its desk looks at them: who goes where, where nobody does yet.

A list names nobody: who is escorted is shown with one booking at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Date, Select, and_, cast, exists, func, select
from sqlalchemy.orm import aliased

from booking.escort.models import ACCEPTED, ASKED, EscortAbsence, EscortAssignment, EscortSearch, EscortWorker
from booking.exchange.said_here import answers_here
from booking.models import Booking
from booking.proposal import Proposal
from booking.states import LIVE, UNDECIDED, BookingState
from marketplace.catalog.kinds import dispatched
from marketplace.catalog.models import Offer, Site
from marketplace.catalog.one_place.sql import place_id
from marketplace.core.clock import start_of
from marketplace.core.database.db import reading
from marketplace.core.text import Text, masked_name
from providers.staff.duties import require
from vip.models import Beneficiary
from vip.principal import Member

MOST_SHOWN = 300

Standing = Literal["without", "asked", "accepted"]
"""Where the search for somebody stands: nobody is asked, somebody is, somebody goes."""


@dataclass(frozen=True)
class Sent:
    """Who is asked, or goes (`accepted`). `due_at`: until when she may answer; `away`: she is not there at that time
    any more, as the desk has written since."""

    worker: str
    name: str
    accepted: bool
    asked_at: datetime
    due_at: datetime
    away: bool


@dataclass(frozen=True)
class Venue:
    """Where somebody is sent to: the place's site, by its public id."""

    id: str
    name: str
    province: str
    city: str
    district: str


@dataclass(frozen=True)
class Line:
    """A booking of the board. `waits`: it is not confirmed, and ends unless somebody is found by `due_at`; one that is
    confirmed needs her by its beginning. `nobody`: the search found that nobody can go; `proposed`: the customer is
    asked about another time."""

    booking: str
    reference: str
    person: str
    offer: Text
    venue: Venue
    service_date: date
    starts_at: datetime | None
    ends_at: datetime | None
    time_zone: str
    waits: bool
    asked_at: datetime
    due_at: datetime
    begun: bool
    proposed: bool
    nobody: bool
    sent: Sent | None

    @property
    def standing(self) -> Standing:
        """Where the search stands; who is away does not go."""
        if self.sent is None or self.sent.away:
            return "without"
        return "accepted" if self.sent.accepted else "asked"


@dataclass(frozen=True)
class Wanted:
    """Which bookings: of the days from `first` to `last`, of a city, of a venue (public id), of a standing; blank:
    all of them."""

    first: date
    last: date
    city: str = ""
    venue: str = ""
    standing: str = ""


@dataclass(frozen=True)
class Board:
    """Those that are wanted, in the order of their beginning; the cities that the days have, and the venues of the city
    that is wanted; `more`: there are some beyond MOST_SHOWN; `elsewhere`: the provider's own system sends people, and
    nobody is asked here."""

    lines: Sequence[Line]
    cities: Sequence[str]
    venues: Sequence[Venue]
    more: bool
    elsewhere: bool = False

    @property
    def without(self) -> Sequence[Line]:
        """Those without a worker, the soonest end first."""
        return sorted((each for each in self.lines if each.standing == "without"), key=lambda each: each.due_at)


def board(member: Member, wanted: Wanted) -> Board:
    """The board of her provider. Raises NotFound without the duty."""
    require(member, "dispatch")
    with reading() as session:
        rows = session.execute(_of(member.provider_id, wanted)).all()
        places = [Venue(*row) for row in session.execute(_places(member.provider_id, wanted))]
        elsewhere = not answers_here(session, member.provider_id)
    cities = sorted({each.city for each in places})
    venues = sorted((each for each in places if wanted.city in ("", each.city)), key=lambda each: each.name)
    return Board([_line(row) for row in rows[:MOST_SHOWN]], cities, venues, len(rows) > MOST_SHOWN, elsewhere)


def without_worker(provider_id: int, *, now: datetime) -> int:
    """How many of a provider's bookings of today, where they are, and later have nobody who is asked or goes; 0 where
    its own system sends people: there is nothing that its desk could do about it."""
    today: ColumnElement[date] = cast(func.timezone(Booking.time_zone, now), Date)
    query = (
        select(func.count())
        .select_from(Booking)
        .where(
            *_to_be_escorted(provider_id),
            Booking.state.in_(_NOT_BEGUN),
            Booking.service_date >= now.date() - timedelta(days=1),
            Booking.service_date >= today,
            ~exists().where(EscortAssignment.booking_id == Booking.id, EscortAssignment.live),
            ~_proposed(),
        )
    )
    with reading() as session:
        return (session.scalar(query) or 0) if answers_here(session, provider_id) else 0


_NOT_BEGUN = (BookingState.AWAITING_PROVIDER, BookingState.OUTCOME_UNKNOWN, BookingState.CONFIRMED)
_SHOWN = tuple(sorted(LIVE - {BookingState.HELD}))


def _to_be_escorted(provider_id: int) -> tuple[ColumnElement[bool], ...]:
    return Booking.provider_id == provider_id, Booking.kind.in_(dispatched())


def _proposed() -> ColumnElement[bool]:
    return exists().where(Proposal.booking_id == Booking.id, Proposal.state == "open")


def _shown(provider_id: int, wanted: Wanted) -> tuple[ColumnElement[bool], ...]:
    """The bookings of the days, wherever they are and however they stand."""
    on_a_day = Booking.service_date.between(wanted.first, wanted.last)
    return *_to_be_escorted(provider_id), Booking.state.in_(_SHOWN), on_a_day


def _places(provider_id: int, wanted: Wanted) -> Select[str, str, str, str, str]:
    """Where they are."""
    place = aliased(Site)
    return (
        select(place.public_id, place.name, place.province, place.city, place.district)
        .select_from(Booking)
        .join(Offer, Offer.id == Booking.offer_id)
        .join(place, place.id == place_id(func.coalesce(Booking.venue_id, Offer.site_id)))
        .where(*_shown(provider_id, wanted))
        .distinct()
    )


def _of(provider_id: int, wanted: Wanted) -> Select[Any]:
    """Those that are wanted: what is narrowed is narrowed before it is cut off."""
    place, live = aliased(Site), and_(EscortAssignment.booking_id == Booking.id, EscortAssignment.live)
    away = exists().where(
        EscortAbsence.worker_id == EscortWorker.id, EscortAbsence.period.op("&&")(EscortAssignment.needed)
    )
    goes = and_(EscortAssignment.id.is_not(None), ~away)
    narrowed: list[ColumnElement[bool]] = []
    if wanted.city:
        narrowed.append(place.city == wanted.city)
    if wanted.venue:
        narrowed.append(place.public_id == wanted.venue)
    if wanted.standing == "without":
        narrowed.append(~goes)
    elif wanted.standing:
        narrowed += [goes, EscortAssignment.state == wanted.standing]
    columns: tuple[Any, ...] = (
        *(Booking.public_id, Booking.reference, Booking.state, Booking.created_at, Booking.answer_due_at),
        *(Booking.service_date, Booking.starts_at, Booking.ends_at, Booking.time_zone),
        Beneficiary.name.label("person"),
        *(Offer.name_zh, Offer.name_en),
        *(place.public_id.label("site"), place.name.label("venue"), place.province, place.city, place.district),
        _proposed().label("proposed"),
        EscortSearch.nobody_since,
        EscortAssignment.state.label("standing"),
        *(EscortAssignment.asked_at.label("sent_at"), EscortAssignment.answer_due_at.label("sent_due_at")),
        *(
            EscortWorker.public_id.label("worker"),
            EscortAssignment.worker_then["name"].astext.label("name"),
            away.label("away"),
        ),
    )
    return (
        select(*columns)
        .join(Beneficiary, Beneficiary.id == Booking.beneficiary_id)
        .join(Offer, Offer.id == Booking.offer_id)
        .join(place, place.id == place_id(func.coalesce(Booking.venue_id, Offer.site_id)))
        .outerjoin(EscortAssignment, live)
        .outerjoin(EscortWorker, EscortWorker.id == EscortAssignment.worker_id)
        .outerjoin(EscortSearch, EscortSearch.booking_id == Booking.id)
        .where(*_shown(provider_id, wanted), *narrowed)
        .order_by(Booking.service_date, Booking.starts_at, Booking.id)
        .limit(MOST_SHOWN + 1)
    )


def _line(row: Any) -> Line:
    sent = None
    if row.standing in (ASKED, ACCEPTED):
        accepted = row.standing == ACCEPTED
        sent = Sent(row.worker, row.name, accepted, row.sent_at, row.sent_due_at, bool(row.away))
    begins = start_of(row.service_date, row.starts_at, row.time_zone)
    waits = row.state in UNDECIDED
    return Line(
        booking=row.public_id,
        reference=row.reference,
        person=masked_name(row.person),
        offer=Text(row.name_zh, row.name_en),
        venue=Venue(row.site, row.venue, row.province, row.city, row.district),
        service_date=row.service_date,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        time_zone=row.time_zone,
        waits=waits,
        asked_at=row.created_at,
        due_at=row.answer_due_at if waits and row.answer_due_at is not None else begins,
        begun=row.state not in _NOT_BEGUN,
        proposed=row.proposed,
        nobody=row.nobody_since is not None,
        sent=sent,
    )
