"""An escort as its customer sees it, as plain data; and whether anything of it moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from booking.escort import known_by
from booking.escort.after.awaited import Awaited
from booking.escort.after.confirm import awaited
from booking.escort.evidence.models import EscortDeed
from booking.escort.models import ACCEPTED, DONE, REPLACED, EscortAssignment, EscortSearch, EscortWorker
from booking.escort.shown.own import own_escort
from booking.escort.shown.steps import Step, signed_off, steps
from booking.escort.shown.told import Note, Paper, Spent, Told, told_of, without_words
from booking.models import Booking
from booking.ownership import own_booking
from booking.ratings.models import Rating
from booking.sealing import open_details
from booking.states import OVER, BookingState
from marketplace.core import audit
from marketplace.core.clock import start_of
from marketplace.core.crypto import Unreadable
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from marketplace.core.text import Text
from vip.customers.consent import may_show
from vip.customers.person_keys import PROCESS, key_of
from vip.models import Beneficiary
from vip.principal import Principal

VIEWED = "escort.viewed"
RATED_LEAST = 3
"""An average is shown from so many ratings on: one customer's word is no figure."""

Stage = Literal["looking", "coming", "under_way", "handed_over", "done", "given_up"]
"""Where it is: somebody is looked for; she comes; it goes on; it was said to be over and waits for the customer's word;
it is done; it does not take place."""


@dataclass(frozen=True)
class Worker:
    """Who comes. `done`: how many escorts she has done. `stars`: what customers gave her on average, None below
    RATED_LEAST `ratings`."""

    name: str
    staff_number: str
    qualification: Text
    languages: Sequence[str]
    papers_checked_at: datetime | None
    done: int
    stars: float | None
    ratings: int


@dataclass(frozen=True)
class Replaced:
    """Somebody who was to come and does not. `cause`: ill, late, desk …, a code of EscortAssignment."""

    name: str
    at: datetime
    cause: str


@dataclass(frozen=True)
class EscortView:
    """One escort. `version`: the booking's. `looking_until`: until when an answer was promised, while somebody is
    looked for; `nobody_since`: since when nobody can be found. `safe_word` (`pinyin`: how it is said) and `code` are
    blank while nobody comes and once it is over. `awaited`: what is asked of the customer once it was said to be
    over. `consent_of`: the person (public id) who has to agree before what the escort wrote is shown, as with papers;
    blank where nothing is withheld."""

    id: str
    version: int
    state: str
    stage: Stage
    kind: str
    person: str = field(repr=False)
    relation: str
    site: Mapping[str, Any]
    provider: Text
    answers: Mapping[str, Any] = field(repr=False)
    service_date: date
    starts_at: datetime | None
    ends_at: datetime | None
    time_zone: str
    cause: str
    worker: Worker | None
    replaced: Sequence[Replaced]
    looking_until: datetime | None
    nobody_since: datetime | None
    safe_word: str = field(repr=False)
    pinyin: str = field(repr=False)
    code: str = field(repr=False)
    steps: Sequence[Step]
    notes: Sequence[Note] = field(repr=False)
    papers: Sequence[Paper]
    costs: Sequence[Spent] = field(repr=False)
    handed_over: str = field(repr=False)
    awaited: Awaited | None
    consent_of: str = ""


def escort(principal: Principal, booking: str, *, now: datetime, look: bool = True) -> EscortView:
    """The customer's own escort. What the escort wrote may be a result: of an adult it is shown once she has agreed to
    that, and with `look` the audit records that it could be read; without, it is what an open page asks for by itself.
    Raises NotFound."""
    with transaction() if look else reading() as session:
        row = own_escort(session, principal, booking)
        shown = bool(session.scalar(select(may_show(Booking.beneficiary_id, now)).where(Booking.id == row.id)))
        if look and shown:
            audit.record(
                session,
                VIEWED,
                at=now,
                actor_kind=principal.kind,
                actor=principal.public_id,
                subject=row.public_id,
                insurer_id=row.insurer_id,
            )
        return _view(session, row, now, shown)


def escort_mark(principal: Principal, booking: str) -> tuple[Any, ...]:
    """Values that differ when the page would, in one statement. Raises NotFound."""
    deeds = select(func.count(), func.max(EscortDeed.id)).where(EscortDeed.booking_id == Booking.id)
    sent = select(func.count(), func.max(EscortAssignment.id), func.max(EscortAssignment.answered_at))
    sent = sent.add_columns(func.max(EscortAssignment.ended_at)).where(EscortAssignment.booking_id == Booking.id)
    told, people = deeds.lateral(), sent.lateral()
    rated = select(Rating.changed_at).where(Rating.booking_id == Booking.id).scalar_subquery()
    nobody = select(EscortSearch.nobody_since).where(EscortSearch.booking_id == Booking.id).scalar_subquery()
    with reading() as session:
        found = session.execute(
            select(Booking.version, rated, nobody, *told.c, *people.c).where(own_booking(principal, booking))
        ).one_or_none()
    if found is None:
        raise NotFound(field="booking_id")
    return tuple(found)


def _view(session: Session, booking: Booking, now: datetime, shown: bool) -> EscortView:
    person = session.get_one(Beneficiary, booking.beneficiary_id)
    over = booking.state in OVER
    sent = _sent(session, booking)
    comes = next((one for state in (ACCEPTED, DONE) for one in reversed(sent) if one[0].state == state), None)
    by = comes[0] if comes is not None and not over else None
    word = known_by.safe_word(session, by) if by else None
    whole = told_of(session, booking.id)
    told = whole if shown else without_words(whole)
    waits = not over and comes is None
    return EscortView(
        id=booking.public_id,
        version=booking.version,
        state=booking.state.value,
        stage=_stage(booking, comes is not None, told),
        kind=booking.kind,
        person=person.name,
        relation=person.relation,
        site=booking.snapshot["site"],
        provider=Text.of(booking.snapshot["provider"]),
        answers=_answers(session, booking, person),
        service_date=booking.service_date,
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        time_zone=booking.time_zone,
        cause=booking.cause,
        worker=_worker(session, *comes) if comes else None,
        replaced=[
            Replaced(one.worker_then["name"], one.ended_at or now, one.cause or "")
            for one, _worker_now in sent
            if one.state == REPLACED
        ],
        looking_until=_looking_until(booking) if waits else None,
        nobody_since=_nobody_since(session, booking) if waits else None,
        safe_word=word.word if word else "",
        pinyin=word.pinyin if word else "",
        code=(known_by.code(session, by) or "") if by else "",
        steps=steps(told.sent, over=over),
        notes=told.notes,
        papers=told.papers,
        costs=told.costs,
        handed_over=told.handed_over,
        awaited=awaited(session, booking, now=now),
        consent_of="" if told == whole else person.public_id,
    )


def _sent(session: Session, booking: Booking) -> list[tuple[EscortAssignment, EscortWorker]]:
    """Those who had agreed to come, in their order."""
    found = session.execute(
        select(EscortAssignment, EscortWorker)
        .join(EscortWorker, EscortWorker.id == EscortAssignment.worker_id)
        .where(EscortAssignment.booking_id == booking.id, EscortAssignment.answered_at.is_not(None))
        .where(EscortAssignment.state.in_((ACCEPTED, DONE, REPLACED)))
        .order_by(EscortAssignment.id)
    )
    return [(row.EscortAssignment, row.EscortWorker) for row in found]


def _stage(booking: Booking, comes: bool, told: Told) -> Stage:
    if booking.state is BookingState.FULFILLED:
        return "done"
    if booking.state in OVER:
        return "given_up"
    if signed_off(told.sent) is not None:
        return "handed_over"
    if not comes:
        return "looking"
    return "under_way" if told.sent and told.sent[-1].deeds else "coming"


def _worker(session: Session, row: EscortAssignment, worker: EscortWorker) -> Worker:
    """How she was called for this booking, with what is known of her."""
    then = row.worker_then
    # Somebody else under the same code of her provider's was another worker.
    called_so = EscortAssignment.worker_then["name"].astext == then["name"]
    hers = (
        EscortAssignment.worker_id == worker.id,
        EscortAssignment.state == DONE,
        or_(~EscortAssignment.outside, called_so),
    )
    done = select(func.count()).where(*hers)
    rated = (
        select(func.count(), func.avg(Rating.stars))
        .join(EscortAssignment, EscortAssignment.booking_id == Rating.booking_id)
        .where(*hers)
    )
    ratings, stars = session.execute(rated).one()
    return Worker(
        name=then["name"],
        staff_number=then["staff_number"],
        qualification=Text(then["qualification_zh"], then["qualification_en"]),
        languages=worker.languages,
        papers_checked_at=worker.papers_checked_at,
        done=session.scalar(done) or 0,
        stars=round(float(stars), 1) if ratings >= RATED_LEAST else None,
        ratings=ratings,
    )


def _looking_until(booking: Booking) -> datetime:
    """Until when an answer was promised; once it was confirmed, until it begins."""
    return booking.answer_due_at or start_of(booking.service_date, booking.starts_at, booking.time_zone)


def _nobody_since(session: Session, booking: Booking) -> datetime | None:
    since: datetime | None = session.scalar(
        select(EscortSearch.nobody_since).where(EscortSearch.booking_id == booking.id)
    )
    return since


def _answers(session: Session, booking: Booking, person: Beneficiary) -> Mapping[str, Any]:
    try:
        return open_details(booking.details_sealed, key_of(session, person, PROCESS), booking.public_id)
    except Unreadable:  # erased meanwhile
        return {}
