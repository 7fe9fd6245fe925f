"""Carrying rehearsals out: asked for once, killed and gone on with, ended early, and of systems that we call."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import func, select, update

from booking.certifying.subject import RehearsalUnderWay
from booking.faults import strike
from booking.faults.kinds import Kind
from booking.faults.models import Rehearsal, RehearsalBooking, RehearsalStep
from booking.models import Booking
from booking.rehearsals import ask, view
from booking.rehearsals.ask import NotInTestMode, Wanted
from booking.rehearsals.carry_out import KEPT, LEASE, LONGEST, carry_on, forget_rehearsals
from booking.rehearsals.customer import book_as_customer
from booking.twins.act import cancel_as_customer
from booking.twins.book import book_for_test
from booking.twins.customers import customers
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from marketplace.rehearsal_words import told
from providers.port import Cancel, Confirmed, LookUp, Reserve
from providers.port import NotFound as NothingThere
from providers.reported import RemoteBooking
from tests.booking.rehearsals.programs import Honest
from tests.booking.rehearsals.running import BY, asked, run, second, staged, verdicts
from tests.booking.twins.stage import Stage, with_twin
from tests.booking.webhooks.receiver import Receiver
from tests.people import NOON
from tests.world import make_world


def bookings_of(twin_id: int) -> list[tuple[str, bool]]:
    """The twin's bookings, and whether each is live."""
    with reading() as session:
        rows = session.execute(
            select(Booking.public_id, Booking.live).where(Booking.provider_id == twin_id).order_by(Booking.id)
        )
        return [(row.public_id, row.live) for row in rows]


def test_one_at_a_time_and_in_test_mode_only(db: object) -> None:
    stage, twin = staged()
    wanted = Wanted([Kind.GONE], 1)
    with pytest.raises(NotInTestMode):
        ask.ask(stage.world.provider.id, wanted, BY, now=NOON)
    first = ask.ask(twin.id, wanted, BY, now=NOON)
    with pytest.raises(RehearsalUnderWay) as refused:
        ask.ask(twin.id, wanted, BY, now=NOON)
    assert refused.value.facts == {"rehearsal": first}
    _other, another = staged_again()
    assert ask.ask(another, wanted, BY, now=NOON) != first


def staged_again() -> tuple[object, int]:
    """Another provider with a twin."""
    stage = with_twin(make_world(phone="13800000044"))
    return stage, stage.twin.id


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Wanted([], 1), "faults"),
        (Wanted([Kind.GONE], 0), "bookings"),
        (Wanted([Kind.GONE], 21), "bookings"),
        (Wanted([Kind.GONE], 1, seed=-1), "seed"),
        (Wanted([Kind.GONE], 1, seed=1_000_000_000), "seed"),
    ],
)
def test_what_is_out_of_range_is_named(db: object, wanted: Wanted, field: str) -> None:
    _stage, twin = staged()
    with pytest.raises(Invalid) as refused:
        ask.ask(twin.id, wanted, BY, now=NOON)
    assert refused.value.at == field


def test_an_offer_is_the_twins_own(db: object) -> None:
    stage, twin = staged()
    with pytest.raises(NotFound) as refused:
        ask.ask(twin.id, Wanted([Kind.GONE], 1, offer=stage.world.offer.public_id), BY, now=NOON)
    assert refused.value.at == "offer"
    by_reference = ask.ask(twin.id, Wanted([Kind.GONE], 1, offer=stage.offer.external_ref), BY, now=NOON)
    assert view.rehearsal(twin.id, by_reference).offer == stage.offer.public_id
    with pytest.raises(NotFound):
        view.rehearsal(stage.world.provider.id, by_reference)
    with pytest.raises(NotFound):
        ask.end_early(stage.world.provider.id, by_reference, now=NOON)


def test_killed_after_it_booked_it_makes_no_second_booking(db: object, monkeypatch: pytest.MonkeyPatch) -> None:
    _stage, twin = staged()
    asked(twin.id, [Kind.GONE], 1)
    carry_on(lambda: NOON)
    later = NOON + strike.NOTICED_AFTER

    def killed(*_given: Any, **_more: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(strike, "write_step", killed)
        with pytest.raises(KeyboardInterrupt):
            carry_on(lambda: later)
    [(made, live)] = bookings_of(twin.id)
    assert live
    carry_on(lambda: later + timedelta(seconds=1))
    with reading() as session:
        assert session.scalars(select(RehearsalBooking.booking)).all() == [made]
    assert bookings_of(twin.id) == [(made, True)]


def test_a_step_that_somebody_does_is_left_to_him_until_his_lease_is_over(db: object) -> None:
    _stage, twin = staged()
    rehearsal = asked(twin.id, [Kind.GONE], 1)
    with transaction() as session:
        session.execute(update(Rehearsal).values(lease_until=NOON + LEASE))
    assert carry_on(lambda: NOON) == {"leased": 1}
    assert view.rehearsal(twin.id, rehearsal).state == "queued"
    assert carry_on(lambda: NOON + LEASE) == {"begun": 1}


def test_one_that_is_ended_takes_its_booking_back(db: object) -> None:
    _stage, twin = staged()
    rehearsal = asked(twin.id, [Kind.GONE], 3)
    for seconds in range(6):
        second(twin.id, NOON + timedelta(seconds=seconds))
    [(_made, live)] = bookings_of(twin.id)
    assert live
    ask.end_early(twin.id, rehearsal, now=NOON)
    it = run(twin.id, rehearsal, now=NOON + timedelta(seconds=6))
    assert (it.state, it.reason, it.passed, it.not_tried) == ("stopped", "asked", False, 3)
    second(twin.id, NOON + timedelta(seconds=30))
    assert [live for _booking, live in bookings_of(twin.id)] == [False]


def test_one_that_has_not_begun_ends_at_once(db: object) -> None:
    _stage, twin = staged()
    rehearsal = asked(twin.id, [Kind.GONE], 3)
    for _twice in range(2):
        ask.end_early(twin.id, rehearsal, now=NOON)
    assert view.rehearsal(twin.id, rehearsal).state == "stopped"
    assert asked(twin.id, [Kind.GONE], 3) != rehearsal


def test_one_that_takes_too_long_ends(db: object) -> None:
    _stage, twin = staged()
    rehearsal = asked(twin.id, [Kind.GONE], 1)
    carry_on(lambda: NOON)
    carry_on(lambda: NOON + LONGEST + timedelta(seconds=1))
    it = view.rehearsal(twin.id, rehearsal)
    assert (it.state, it.reason) == ("stopped", "too_long")


def test_a_program_that_says_nothing_is_wrong_and_one_without_an_endpoint_is_not_tried(db: object) -> None:
    _stage, twin = staged()
    it = run(twin.id, asked(twin.id, list(Kind), 6))
    assert verdicts(it) == {
        "lost_answer": ("wrong", "no_answer"),
        "duplicate": ("not_tried", "no_endpoint"),
        "out_of_order": ("not_tried", "no_endpoint"),
        "clock_skew": ("not_tried", "no_endpoint"),
        "gone": ("wrong", "no_answer"),
        "late": ("wrong", "no_answer"),
    }
    assert it.passed is False


def test_an_endpoint_that_is_not_told_of_cancels_does_for_the_others(
    app: Flask, db: object, receiver: Receiver
) -> None:
    _stage, twin = staged()
    program = Honest(app, twin, receiver, "booking.requested")
    it = run(twin.id, asked(twin.id, [Kind.OUT_OF_ORDER, Kind.LATE, Kind.GONE], 3), program.act)
    assert verdicts(it) == {
        "out_of_order": ("not_tried", "no_endpoint"),
        "gone": ("right", "accepted_the_end"),
        "late": ("right", "accepted_the_end"),
    }
    assert (it.passed, it.outcome, it.missed) == (False, "incomplete", 1), "not all that could be was tried"


def test_where_there_is_no_place_nothing_is_tried(db: object) -> None:
    _stage, twin = staged(slots=0)
    it = run(twin.id, asked(twin.id, [Kind.GONE], 2))
    assert [(each.state, each.reason) for each in it.results] == [("not_tried", "not_booked")] * 2
    assert [step.facts for step in it.results[0].steps] == [{"code": "no_place_to_try"}]
    assert it.passed is False, "nothing was tried"


def test_a_test_customer_who_is_busy_leaves_her_turn_to_another(app: Flask, db: object, receiver: Receiver) -> None:
    stage, twin = staged(slots=1)
    book_for_test(twin.id, stage.offer.public_id, stage.slots[0].public_id, 1, NOON)
    it = run(twin.id, asked(twin.id, [Kind.GONE], 1), Honest(app, twin, receiver).act)
    assert (verdicts(it), it.outcome) == ({"gone": ("right", "accepted_the_end")}, "passed")


def test_where_all_are_busy_another_time_is_taken(app: Flask, db: object, receiver: Receiver) -> None:
    stage, twin = staged(slots=2)
    everybody_books(stage)
    it = run(twin.id, asked(twin.id, [Kind.GONE], 1), Honest(app, twin, receiver).act)
    assert it.outcome == "passed"


def test_where_all_are_busy_at_all_times_it_says_who_is_and_with_which_booking(db: object) -> None:
    stage, twin = staged(slots=1)
    first = everybody_books(stage)[0]
    it = run(twin.id, asked(twin.id, [Kind.GONE], 1))
    assert (it.passed, it.outcome) == (False, "incomplete")
    with reading() as session:
        reference = session.scalars(select(Booking.reference).where(Booking.public_id == first)).one()
    [step] = it.results[0].steps
    assert step.facts == {"code": "beneficiary_busy", "customer": 1, "booking": first, "reference": reference}
    with force_locale("en"):
        assert told(step).startswith(f"Test customer 1 already has the booking {reference} at that time")


def test_the_booking_of_a_key_is_found_again_whoever_is_free_by_then(db: object) -> None:
    stage, twin = staged(slots=1)
    in_the_way = book_for_test(twin.id, stage.offer.public_id, stage.slots[0].public_id, 1, NOON)
    made = book_as_customer(twin.id, stage.offer.public_id, key="k-1", number=1, now=NOON)
    cancel_as_customer(twin.id, in_the_way, now=NOON)
    second(twin.id, NOON)
    assert book_as_customer(twin.id, stage.offer.public_id, key="k-1", number=1, now=NOON) == made


def everybody_books(stage: Stage) -> list[str]:
    """Every test customer has a booking at the first time."""
    offer, slot = stage.offer.public_id, stage.slots[0].public_id
    return [book_for_test(stage.twin.id, offer, slot, each.number, NOON) for each in customers(stage.twin.id)]


class System:
    """A provider's system that we call. With `twice` it makes a booking for each command, with `forgets` it finds
    none."""

    def __init__(self, *, twice: bool = False, forgets: bool = False) -> None:
        self.made: dict[str, str] = {}
        self.twice, self.forgets = twice, forgets

    def reserve(self, command: Reserve) -> Confirmed:
        """A booking by the command's key."""
        if self.twice or command.key not in self.made:
            self.made[command.key] = f"T-{len(self.made)}-{id(object())}" if self.twice else f"T-{len(self.made)}"
        return Confirmed(self.made[command.key], 1)

    def cancel(self, command: Cancel) -> Confirmed:
        """Done."""
        return Confirmed(command.reference or "", 2)

    def look_up(self, question: LookUp) -> RemoteBooking | NothingThere:
        """What it has."""
        if self.forgets or question.key not in self.made:
            return NothingThere()
        return RemoteBooking(self.made[question.key], question.our_reference, "confirmed", 1)


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        (System(), {"lost_answer": ("right", "found"), "duplicate": ("right", "same_booking")}),
        (System(twice=True), {"lost_answer": ("right", "found"), "duplicate": ("wrong", "made_twice")}),
        (System(forgets=True), {"lost_answer": ("wrong", "not_found"), "duplicate": ("right", "same_booking")}),
    ],
)
def test_a_system_that_we_call(db: object, system: System, expected: dict[str, tuple[str, str]]) -> None:
    _stage, twin = staged(adapter="open_protocol")
    kinds = [Kind.LOST_ANSWER, Kind.DUPLICATE, Kind.CLOCK_SKEW]
    it = run(twin.id, asked(twin.id, kinds, 3), adapter=system)  # type: ignore[arg-type]
    assert verdicts(it) == {**expected, "clock_skew": ("not_tried", "not_with_systems")}
    assert it.outcome == ("passed" if it.right == 2 else "failed"), "what never strikes systems is not missed"


def test_old_ones_are_forgotten_with_all_they_say(app: Flask, db: object, receiver: Receiver) -> None:
    _stage, twin = staged()
    run(twin.id, asked(twin.id, [Kind.GONE], 1), Honest(app, twin, receiver).act)
    still_open = asked(twin.id, [Kind.GONE], 1)
    assert forget_rehearsals(now=NOON + KEPT) == 0
    assert forget_rehearsals(now=NOON + KEPT + timedelta(seconds=1)) == 1
    with reading() as session:
        assert session.scalars(select(Rehearsal.public_id)).all() == [still_open]
        assert session.scalar(select(func.count()).select_from(RehearsalStep)) == 0


def test_the_table_takes_every_kind() -> None:
    [check] = [each for each in RehearsalBooking.__table__.constraints if str(each.name).endswith("kind")]
    assert set(re.findall(r"'(\w+)'", str(check.sqltext))) == set(Kind)  # type: ignore[attr-defined]
