"""Bookings and workers as the tables have them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.dialects.postgresql import Range

from booking.escort.matching.against import Against
from booking.escort.matching.load import Loaded, load, match
from booking.escort.matching.people import Candidate, Duty, Request, Taken
from booking.escort.matching.service import service_times
from booking.escort.matching.travel import Stop
from booking.escort.models import EscortAbsence, EscortAssignment, EscortDuty, EscortKnows, EscortWorker
from booking.models import Booking
from booking.ratings.models import Rating
from marketplace.catalog.models import Offer, Site
from marketplace.core.clock import HOME_ZONE
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from marketplace.core.ids import new_id
from marketplace.core.sphere import Position
from tests.escorts import ANSWERS, PACKAGE, EscortWorld, add_site, make_escorts
from tests.people import NOON
from tests.statements import statements_sent
from tests.world import booking_row, make_offer
from vip.customers.consent_models import Consent
from vip.customers.person_keys import PROCESS, destroy
from vip.models import Operator

WISHES = {**ANSWERS, "language": "cantonese", "escort_sex": "female"}
HOUR = timedelta(hours=1)


@dataclass
class Team:
    """An escort service with workers of its own, and what a test adds to them."""

    made: EscortWorld
    manager: int

    def add(self, **facts: Any) -> int:
        """A worker of Hangzhou, on duty from seven to nineteen every day; her internal id."""
        values = {
            "public_id": new_id("esw"),
            "provider_id": self.made.world.provider.id,
            "shown_name": "何静",
            "sex": "female",
            "languages": ["mandarin", "cantonese"],
            "province": "浙江省",
            "city": "杭州市",
            "papers_checked_at": NOON,
            "papers_checked_by": self.manager,
            "auto": True,
            "active_from": NOON - timedelta(days=60),
            "created_at": NOON,
            "updated_at": NOON,
        }
        line = {
            "weekdays": [1, 2, 3, 4, 5, 6, 7],
            "start_minute": 420,
            "end_minute": 1140,
            "valid_from": date(2026, 1, 1),
        }
        with transaction() as session:
            worker = session.scalars(insert(EscortWorker).values({**values, **facts}).returning(EscortWorker.id)).one()
            session.execute(insert(EscortDuty).values(worker_id=worker, **line))
        return worker

    def assign(self, booking: str, worker: int, state: str = "accepted", **facts: Any) -> None:
        """She is asked for a booking, or was."""
        row = booking_row(booking)
        assert row.starts_at is not None
        start = facts.pop("starts_at", row.starts_at)
        period = Range(start, start + 4 * HOUR, bounds="[)")
        cause = {"declined": "declined", "expired": "no_answer", "replaced": "ill"}.get(state)
        with transaction() as session:
            session.add(
                EscortAssignment(
                    public_id=new_id("esa"), booking_id=row.id, worker_id=worker, provider_id=row.provider_id,
                    state=state, period=period, padded=period, travel_seconds=0, asked_at=NOON - HOUR,
                    answer_due_at=NOON, answered_at=NOON if state in ("accepted", "declined", "done") else None,
                    ended_at=facts.pop("ended_at", NOON if cause else None), cause=cause, asked_by_kind="system",
                    asked_by="test",
                )
            )  # fmt: skip


@pytest.fixture
def team(db: Engine) -> Team:
    made = make_escorts(quantity=None, slots=12)
    with transaction() as session:
        lasts = {**PACKAGE, "duration_minutes": 180}
        session.execute(update(Offer).where(Offer.id == made.world.offer.id).values(package=lasts))
        session.execute(update(Site).where(Site.id == made.venue.id).values(longitude=120.16, latitude=30.25))
        manager = Operator(public_id=new_id("opr"), provider_id=made.world.provider.id, login="m", name="主管",
                           role="manager", password_hash="")  # fmt: skip
        session.add(manager)
        session.flush()
        return Team(made, manager.id)


def loaded(*bookings: str, now: datetime = NOON, auto: bool = False) -> Loaded:
    with reading() as session:
        return load(session, select(Booking.id).where(Booking.public_id.in_(bookings)), now=now, auto=auto)


def only(found: Loaded) -> tuple[Request, Candidate]:
    (request,), (candidate,) = found.requests, found.candidates
    return request, candidate


def test_a_request_and_a_worker_are_what_the_tables_say(team: Team) -> None:
    other = add_site("杭州另一院")
    with transaction() as session:
        session.execute(update(Site).where(Site.id == other.id).values(merged_into=team.made.venue.id))
    it, before, done = (team.made.hold(slot, details=WISHES) for slot in (0, 5, 1))
    her = team.add(home_longitude=120.2, home_latitude=30.3, ended_at=NOON + timedelta(days=300))
    team.assign(before, her)
    team.assign(done, her, "done", ended_at=booking_row(done).starts_at)
    leave = (NOON + timedelta(days=7), NOON + timedelta(days=8, hours=12))
    with transaction() as session:
        session.add(EscortKnows(worker_id=her, site_id=other.id))
        for start, end in (leave, (NOON, NOON + HOUR)):
            session.add(
                EscortAbsence(
                    public_id=new_id("esb"),
                    worker_id=her,
                    period=Range(start, end, bounds="[)"),
                    cause="ill",
                    created_at=NOON,
                    by_kind="provider",
                    by="x",
                )
            )
        session.add(Rating(booking_id=booking_row(done).id, stars=3, at=NOON, changed_at=NOON))
        session.add(Rating(booking_id=booking_row(before).id, stars=5, at=NOON, changed_at=NOON))
    request, candidate = only(loaded(it))
    row, start = booking_row(it), booking_row(it).starts_at
    assert start is not None
    here = Stop(team.made.venue.id, Position(30.25, 120.16))
    assert request == Request(
        it, row.provider_id, "浙江省", "杭州市", HOME_ZONE, start, start + 3 * HOUR, here, NOON, "cantonese", "female"
    )
    with reading() as session:
        worker = session.get_one(EscortWorker, her)
    ended, began = booking_row(done).starts_at, booking_row(before).starts_at
    assert ended is not None
    assert began is not None
    assert candidate == Candidate(
        id=her,
        public_id=worker.public_id,
        provider_id=row.provider_id,
        name="何静",
        sex="female",
        languages=frozenset({"mandarin", "cantonese"}),
        province="浙江省",
        city="杭州市",
        active_from=NOON - timedelta(days=60),
        ended_at=NOON + timedelta(days=300),
        home=Stop(None, Position(30.3, 120.2)),
        duties=[Duty(frozenset(range(1, 8)), 420, 1140, date(2026, 1, 1))],
        absences=[leave],
        taken=[Taken(ended, ended, here, done), Taken(began, began + 4 * HOUR, here, before)],
        knows=frozenset({team.made.venue.id}),
        stars=3,
        ratings=1,
    ), "an absence of another week, and the rating of what is not done yet, are left out"


def test_who_is_loaded_is_of_the_provider_and_the_city_and_still_there(team: Team) -> None:
    it = team.made.hold()
    here, quiet = team.add(), team.add(auto=False)
    team.add(city="宁波市")
    team.add(province="江苏省")
    team.add(ended_at=NOON)
    team.add(provider_id=make_escorts_of_another())
    assert {each.id for each in loaded(it).candidates} == {here, quiet}
    assert {each.id for each in loaded(it, auto=True).candidates} == {here}


def make_escorts_of_another() -> int:
    """Another escort service's internal id."""
    return make_offer(kind="hospital_escort", package=PACKAGE)[0].id


def test_what_was_answered_counts_for_the_time_that_was_asked_about(team: Team) -> None:
    it = team.made.hold()
    yes, no, silent, ill, earlier = (team.add() for _ in range(5))
    team.assign(it, no, "declined")
    team.assign(it, silent, "expired")
    team.assign(it, ill, "replaced")
    team.assign(it, earlier, "declined", starts_at=(booking_row(it).starts_at or NOON) + HOUR)
    with reading() as session:
        found = match(session, it, now=NOON)
    assert {each.worker.id for each in found.fitting} == {yes, earlier}
    assert {worker.id: code for worker, code in found.against} == {
        no: Against.DECLINED,
        silent: Against.DID_NOT_ANSWER,
        ill: Against.REPLACED,
    }


def test_who_is_asked_for_it_now_is_not_kept_back_by_that(team: Team) -> None:
    it, other = team.made.hold(0), team.made.hold(1)
    her = team.add()
    team.assign(it, her, "asked")
    assert only(loaded(it))[1].taken == []
    with reading() as session:
        assert match(session, it, now=NOON).fitting[0].worker.id == her
        assert match(session, other, now=NOON).counts == {Against.BUSY: 1}


def test_wishes_are_read_only_while_they_may_be_told(team: Team) -> None:
    it = team.made.hold(details=WISHES)
    team.add(sex="male")
    with reading() as session:
        assert match(session, it, now=NOON).counts == {Against.SEX: 1}
    with transaction() as session:
        taken_back = update(Consent).where(Consent.purpose == "dispatch").values(withdrawn_at=NOON + HOUR)
        session.execute(taken_back)
    with reading() as session:
        assert len(match(session, it, now=NOON + 2 * HOUR).fitting) == 1, "nobody hears of a wish by what is refused"
    begun = booking_row(it).starts_at
    assert begun is not None
    assert only(loaded(it, now=begun))[0].sex == "female", "who is on the way needs to know"


def test_of_an_erased_person_nothing_is_wished(team: Team) -> None:
    it = team.made.hold(details=WISHES)
    team.add()
    with transaction() as session:
        destroy(session, [booking_row(it).beneficiary_id], PROCESS, NOON)
    assert only(loaded(it))[0].language is None


def test_a_booking_that_is_not_there_is_not_found(team: Team) -> None:
    with reading() as session, pytest.raises(NotFound) as refused:
        match(session, "bkg_00000000000000000000", now=NOON)
    assert refused.value.at == "booking_id"
    assert loaded() == Loaded([], [])


def test_many_cost_as_many_statements_as_one(team: Team) -> None:
    ones = [team.made.hold(slot, details=WISHES) for slot in range(3)]
    ids = [booking_row(each).id for each in ones]
    for slot in (5, 9):
        team.assign(team.made.hold(slot), team.add())
    with reading() as session, statements_sent() as for_one:
        match(session, ones[0], now=NOON)
    with reading() as session, statements_sent() as for_three:
        found = load(session, ids, now=NOON)
    assert (len(found.requests), len(found.candidates)) == (3, 2)
    assert len(for_three) == len(for_one) <= 11


@pytest.mark.parametrize(
    ("starts_at", "package", "begins", "minutes"),
    [
        (NOON, {"duration_minutes": 90}, NOON, 90),
        (NOON, {}, NOON, 240),
        (NOON, {"duration_minutes": None}, NOON, 240),
        (None, {}, datetime.fromisoformat("2026-03-10T08:00:00+08:00"), 240),
    ],
)
def test_how_long_somebody_is_needed(
    starts_at: datetime | None, package: dict[str, Any], begins: datetime, minutes: int
) -> None:
    assert service_times(date(2026, 3, 10), starts_at, HOME_ZONE, package) == (
        begins,
        begins + timedelta(minutes=minutes),
    )
