"""Who comes, as the provider's own system says: she was asked by nobody here, and her provider vouches for her time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import Range, insert

from booking.actors import provider_actor
from booking.changes.requests import open_cancel
from booking.escort import known_by
from booking.escort.assigning.ending import end
from booking.escort.assigning.place import WANTED_STILL, period_of
from booking.escort.assigning.told import tell_desk
from booking.escort.dispatch.nobody import has_begun, left_alone, somebody_goes
from booking.escort.dispatch.search import look_again
from booking.escort.models import ACCEPTED, LIVE, REPLACED, EscortAssignment, EscortWorker
from booking.escort.outside import cases
from booking.escort.outside.telling import tell_customer
from booking.escort.outside.visit import Visit
from booking.escort.records import safe_word_record
from booking.models import Booking
from booking.sealing import seal_words
from booking.transition import touch
from marketplace.catalog.models import Offer, Site
from marketplace.catalog.one_place.sql import place_id
from marketplace.core.ids import new_id
from providers.reported import EscortLine, RemoteEscort
from vip.customers.person_keys import PROCESS, WrappedKey, key_of
from vip.models import Beneficiary

_CAUSES = {"ill": "ill", "late": "late"}


def name(visit: Visit, line: EscortLine, who: RemoteEscort) -> bool:
    """Who comes from now on, instead of anybody before; the customer is told. The same one again stays, with the word
    that is said now, of which the customer is told where it is another one. Another name under the same code is
    somebody else. False where nobody comes to the booking any more."""
    session, booking, now = visit.session, visit.booking, visit.at
    if booking.state not in WANTED_STILL:
        return False
    worker = _worker(visit, who)
    before = _live(visit)
    period = period_of(booking)
    if before is not None and _is_she(before, worker, period):
        _again(visit, before, line.safe_word)
        return True
    if before is not None:
        _end(visit, before, "desk")
    row = _assignment(visit, worker, period, line.safe_word)
    session.add(row)
    session.flush()
    touch(booking, now=now)
    somebody_goes(session, booking, now=now)
    tell_customer(session, booking, row, now=now)
    tell_desk(session, worker, row, now=now)
    _compare(visit, worker, row)
    return True


def release(visit: Visit, line: EscortLine) -> None:
    """She does not come, and nobody else is named yet: the customer is told, and the provider has until a stated time
    to name somebody (outside.watch); once it has begun people are asked at once. Of who is not assigned it says
    nothing."""
    session, booking, now = visit.session, visit.booking, visit.at
    row = _live(visit)
    if row is None or session.get_one(EscortWorker, row.worker_id).outside_code != line.escort:
        return
    _end(visit, row, _CAUSES.get(line.cause, "desk"))
    touch(booking, now=now)
    look_again(session, booking.id, now=now)
    left_alone(session, booking, customer=False, now=now)
    if not has_begun(booking, now=now) or open_cancel(session, booking) is None:
        tell_customer(session, booking, row, now=now)


def whose(visit: Visit, escort: str) -> EscortAssignment | None:
    """The assignment in which somebody (the provider's code) did something: hers who goes, else the newest of hers.
    None where she was never named for this time."""
    return visit.session.scalar(
        select(EscortAssignment)
        .join(EscortWorker, EscortWorker.id == EscortAssignment.worker_id)
        .where(
            EscortAssignment.booking_id == visit.booking.id,
            EscortWorker.outside_code == escort,
            EscortAssignment.cause.is_distinct_from("moved"),
        )
        .order_by(EscortAssignment.live.desc(), EscortAssignment.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )


def _worker(visit: Visit, who: RemoteEscort) -> EscortWorker:
    """Her row, locked, as the provider describes her now."""
    session = visit.session
    province, city = session.execute(
        select(Site.province, Site.city)
        .select_from(Booking)
        .join(Offer, Offer.id == Booking.offer_id)
        .join(Site, Site.id == place_id(func.coalesce(Booking.venue_id, Offer.site_id)))
        .where(Booking.id == visit.booking.id)
    ).one()
    said = {
        "shown_name": who.name,
        "sex": who.sex,
        "staff_number": who.staff_number or None,
        "qualification_zh": who.qualification_zh,
        "qualification_en": who.qualification_en,
        "updated_at": visit.at,
    }
    row_id = session.execute(
        insert(EscortWorker)
        .values(
            public_id=new_id("esw"),
            provider_id=visit.booking.provider_id,
            outside_code=who.code,
            languages=[],
            province=province,
            city=city,
            active_from=visit.at,
            created_at=visit.at,
            **said,
        )
        .on_conflict_do_update(
            index_elements=["provider_id", "outside_code"],
            index_where=EscortWorker.outside_code.is_not(None),
            set_=said,
        )
        .returning(EscortWorker.id)
    ).scalar_one()
    return session.get_one(EscortWorker, row_id, populate_existing=True)


def _live(visit: Visit) -> EscortAssignment | None:
    return visit.session.scalar(
        select(EscortAssignment)
        .where(EscortAssignment.booking_id == visit.booking.id, EscortAssignment.live)
        .execution_options(populate_existing=True)
    )


def _is_she(before: EscortAssignment, worker: EscortWorker, period: Range[datetime]) -> bool:
    """Whether she who is named goes there already, at that time."""
    same = (before.worker_id, before.period) == (worker.id, period)
    return same and before.worker_then["name"] == worker.shown_name


def _again(visit: Visit, row: EscortAssignment, word: str) -> None:
    """She is named again: what is said of her now stands, and the customer hears of another word."""
    session, now = visit.session, visit.at
    known = known_by.safe_word(session, row)
    row.safe_word_sealed = _sealed_word(visit, row.public_id, word)
    session.execute(
        update(EscortAssignment)
        .where(EscortAssignment.id == row.id)
        .values(worker_then=func.escort_worker_now(EscortAssignment.worker_id))
    )
    touch(visit.booking, now=now)
    if word != ("" if known is None else known.word):
        tell_customer(session, visit.booking, row, now=now)


def _end(visit: Visit, asked: EscortAssignment, cause: str) -> None:
    """Somebody else comes, or nobody. One of our own workers, from before the provider had a system, is freed as
    always."""
    if not asked.outside:
        worker = visit.session.get_one(EscortWorker, asked.worker_id, with_for_update=True)
        end(visit.session, visit.booking, worker, asked, REPLACED, cause, now=visit.at)
        return
    if asked.state not in LIVE:
        raise ValueError("an assignment that has ended")
    asked.state, asked.cause, asked.ended_at = REPLACED, cause, max(visit.at, asked.asked_at)
    asked.notify_at = None  # what comes after it is told instead
    visit.session.flush()
    # Her row stays unlocked: two bookings may swap their workers at the same time.
    tell_desk(visit.session, visit.session.get_one(EscortWorker, asked.worker_id), asked, now=visit.at)


def _assignment(visit: Visit, worker: EscortWorker, period: Range[datetime], word: str) -> EscortAssignment:
    public_id, by = new_id("esa"), provider_actor(visit.session, visit.booking)
    return EscortAssignment(
        public_id=public_id,
        booking_id=visit.booking.id,
        worker_id=worker.id,
        provider_id=visit.booking.provider_id,
        state=ACCEPTED,
        period=period,
        padded=period,
        travel_seconds=0,
        asked_at=visit.at,
        answer_due_at=visit.at,
        answered_at=visit.at,
        asked_by_kind=by.kind,
        asked_by=by.id,
        outside=True,
        safe_word_sealed=_sealed_word(visit, public_id, word),
        code_sealed=known_by.new_words(_key(visit), public_id).code,
    )


def _sealed_word(visit: Visit, assignment: str, word: str) -> bytes | None:
    return seal_words(word, _key(visit), safe_word_record(assignment)) if word else None


def _key(visit: Visit) -> WrappedKey:
    return key_of(visit.session, visit.session.get_one(Beneficiary, visit.booking.beneficiary_id), PROCESS)


def _compare(visit: Visit, worker: EscortWorker, row: EscortAssignment) -> None:
    """Nobody can be at two places at once. Both stand, and people ask the provider which."""
    other = select(EscortAssignment.id).where(
        EscortAssignment.worker_id == worker.id,
        EscortAssignment.live,
        EscortAssignment.id != row.id,
        EscortAssignment.period.overlaps(row.period),
    )
    if visit.session.scalar(other.limit(1)) is not None:
        cases.two_at_once(visit.session, visit.booking, worker.public_id, now=visit.at)
