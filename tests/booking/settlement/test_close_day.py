"""Daily closing statements: made once, after the day in the provider's zone; corrections come later; nothing twice."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import ProgrammingError

from booking.actors import CLOCK, SYSTEM
from booking.models import Booking
from booking.reconcile.run import run_now
from booking.settlement.close_day import end_of_day, make_statements
from booking.settlement.models import ClosingStatement, StatementLine
from booking.settlement.statements import statement, statement_csv, statements
from booking.states import BookingState
from booking.transition import lock_booking, move
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from providers.port import Confirmed, ProviderError
from providers.reported import RemoteBooking
from tests.books import Books
from tests.people import NOON, make_insurer
from tests.world import DAY, FakeAdapter, World, booking_row, connection_to, make_world, one_pass, set_provider
from vip.principal import Principal

pytestmark = pytest.mark.usefixtures("db")

EVENING = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)  # 20:00 in Shanghai
MIDNIGHT = datetime(2026, 3, 10, 16, 0, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    return make_world(quantity=5)


@pytest.fixture
def books() -> Books:
    return Books()


@pytest.fixture
def operator(world: World) -> Principal:
    return Principal("operator", 1, "opr_1", make_insurer().id, 1, "Asia/Shanghai", "admin")


def delivered(world: World, books: Books, reference: str, slot: int = 0, status: str = "fulfilled") -> str:
    public_id = world.submit(slot)
    one_pass(world, FakeAdapter(answers=[Confirmed(reference, 1)]), now=NOON)
    there = world.slots[slot]
    books.put(
        RemoteBooking(
            reference,
            public_id,
            status,
            2,
            service_date=there.service_date,
            starts_at=there.starts_at,  # type: ignore[arg-type]
        )
    )
    return public_id


def read(world: World, books: Books, now: datetime) -> None:
    assert run_now(connection_to(world.provider), books, CLOCK, clock=lambda: now) is not None  # type: ignore[arg-type]


def made() -> list[ClosingStatement]:
    with reading() as session:
        return list(session.scalars(select(ClosingStatement).order_by(ClosingStatement.id)))


def to(public_id: str, state: BookingState, now: datetime) -> None:
    with transaction() as session:
        booking, _ = lock_booking(session, booking_row(public_id).id)
        move(session, booking, state, actor=SYSTEM, now=now)


def skip_to(day: date, world: World) -> None:
    """Let the statements begin the day before `day`: an empty one stands for it."""
    insurer = make_insurer().id
    before = day - timedelta(days=1)
    with transaction() as session:
        session.add(
            ClosingStatement(
                public_id=f"stm_{day}",
                provider_id=world.provider.id,
                insurer_id=insurer,
                day=before,
                time_zone="Asia/Shanghai",
                made_at=NOON,
                content={},
            )
        )


def test_a_day_is_closed_once_it_is_over_and_their_list_was_read(
    world: World, books: Books, operator: Principal
) -> None:
    delivered(world, books, "R-1")
    delivered(world, books, "R-2", 1)
    delivered(world, books, "R-3", 2, "no_show")
    skip_to(DAY, world)
    read(world, books, EVENING)
    assert make_statements(now=MIDNIGHT - timedelta(seconds=1)) == 0
    assert make_statements(now=MIDNIGHT + timedelta(minutes=1)) == 0, "their list was read before the day was over"
    read(world, books, MIDNIGHT + timedelta(minutes=2))
    assert make_statements(now=MIDNIGHT + timedelta(minutes=3)) == 1
    assert make_statements(now=MIDNIGHT + timedelta(minutes=4)) == 0
    found = statement(operator, made()[-1].public_id, most=10)
    content = found.row.content
    assert content["ours"]["states"] == {"fulfilled": 2, "no_show": 1}
    assert content["theirs"]["states"] == {"fulfilled": 2, "no_show": 1}
    assert content["ours"]["money"] == content["theirs"]["money"] == {"CNY": 256000}
    assert (content["balance"], content["open"]["count"]) == ({"CNY": 0}, 0)
    assert found.money == {"CNY": 256000} and found.units == content["ours"]["units"]
    assert found.corrected == {} and found.total == len(found.lines)


def test_what_changes_after_the_close_is_a_correction_in_the_next_one(
    world: World, books: Books, operator: Principal
) -> None:
    late, wrong = delivered(world, books, "R-1", 0, "confirmed"), delivered(world, books, "R-2", 1)
    skip_to(DAY, world)
    read(world, books, MIDNIGHT + timedelta(minutes=1))
    make_statements(now=MIDNIGHT + timedelta(minutes=2))
    first = made()[-1]
    assert statement(operator, first.public_id, most=9).money == {"CNY": 128000}
    to(late, BookingState.FULFILLED, MIDNIGHT + timedelta(hours=3))
    to(wrong, BookingState.ENTERED_IN_ERROR, MIDNIGHT + timedelta(hours=3))
    books.change("R-1", status="fulfilled")
    next_day = MIDNIGHT + timedelta(days=1, minutes=1)
    read(world, books, next_day)
    assert make_statements(now=next_day) == 1
    found = statement(operator, made()[-1].public_id, most=9)
    assert (found.money, found.corrected, found.corrected_units) == ({}, {"CNY": 0}, 0)
    assert sorted((line.amount_minor, line.units, line.correction) for line in found.lines) == [
        (-128000, -1, True),
        (128000, 1, True),
    ]
    with reading() as session:
        assert session.get_one(ClosingStatement, first.id).content == first.content
        total = session.scalar(select(text("sum(amount_minor)")).select_from(StatementLine))
    assert total == 128000, "the lines' sum is what the bookings are worth"


def test_a_difference_shows_in_the_balance(world: World, books: Books, operator: Principal) -> None:
    public_id = delivered(world, books, "R-1")
    skip_to(DAY, world)
    read(world, books, EVENING)
    books.change("R-1", status="cancelled")
    books.put(RemoteBooking("R-9", None, "fulfilled", 1, service_date=DAY))
    read(world, books, MIDNIGHT + timedelta(minutes=1))
    make_statements(now=MIDNIGHT + timedelta(minutes=2))
    content = made()[-1].content
    assert content["balance"] == {"CNY": -128000} and content["theirs"]["unmatched"] == 1
    assert content["open"] == {"count": 2, "units": -1, "money": {"CNY": -128000}}
    assert booking_row(public_id).state.value == "fulfilled"


def test_a_provider_that_cannot_be_read_gets_its_statement_a_day_later(world: World, books: Books) -> None:
    delivered(world, books, "R-1")
    skip_to(DAY, world)
    books.broken_page = 0
    with pytest.raises(ProviderError):
        read(world, books, MIDNIGHT)
    assert make_statements(now=MIDNIGHT + timedelta(hours=23, minutes=59)) == 0
    assert make_statements(now=MIDNIGHT + timedelta(hours=24)) == 1
    content = made()[-1].content
    assert content["theirs"] is None and content["balance"] is None


@pytest.mark.parametrize(
    ("adapter", "waits"), [("desk", timedelta()), ("partner", timedelta()), ("open_protocol", timedelta(hours=24))]
)
def test_where_no_list_is_ever_read_there_is_a_first_statement_all_the_same(
    world: World, books: Books, adapter: str, waits: timedelta
) -> None:
    """At the end of the day where the provider answers here, else after its list was waited for in vain."""
    public_id = delivered(world, books, "R-1")
    set_provider(world.provider, adapter=adapter)
    with transaction() as session:
        session.execute(update(Booking).where(Booking.public_id == public_id).values(service_date=NOON.date()))
    over = end_of_day(NOON.date(), world.provider.time_zone)
    assert make_statements(now=over + waits - timedelta(minutes=1)) == 0
    assert make_statements(now=over + waits) == 1
    assert [row.day for row in made()] == [NOON.date()]


def test_days_that_were_missed_are_closed_one_by_one(world: World, books: Books) -> None:
    delivered(world, books, "R-1")
    skip_to(DAY, world)
    read(world, books, MIDNIGHT + timedelta(days=3))
    assert make_statements(now=MIDNIGHT + timedelta(days=3, minutes=1)) == 4
    assert [row.day for row in made()][1:] == [DAY + timedelta(days=n) for n in range(4)]
    assert [row.content["ours"]["states"] for row in made()[1:]] == [{"fulfilled": 1}, {}, {}, {}]


def test_before_the_first_booking_there_is_nothing_to_close(world: World, books: Books) -> None:
    assert make_statements(now=NOON) == 0
    delivered(world, books, "R-1")
    read(world, books, NOON)
    assert make_statements(now=NOON + timedelta(hours=1)) == 0, "today is not over"


@pytest.mark.parametrize(
    ("zone", "day", "over"),
    [
        ("Asia/Shanghai", date(2026, 12, 31), datetime(2026, 12, 31, 16, 0, tzinfo=UTC)),
        ("America/New_York", date(2026, 3, 7), datetime(2026, 3, 8, 5, 0, tzinfo=UTC)),
        ("America/New_York", date(2026, 3, 8), datetime(2026, 3, 9, 4, 0, tzinfo=UTC)),  # 23 hours
        ("America/New_York", date(2026, 11, 1), datetime(2026, 11, 2, 5, 0, tzinfo=UTC)),  # 25 hours
        ("Australia/Lord_Howe", date(2026, 4, 4), datetime(2026, 4, 4, 13, 0, tzinfo=UTC)),
        ("Australia/Lord_Howe", date(2026, 4, 5), datetime(2026, 4, 5, 13, 30, tzinfo=UTC)),  # 24½ hours
        ("America/New_York", date(2028, 2, 29), datetime(2028, 3, 1, 5, 0, tzinfo=UTC)),
    ],
)
def test_when_a_day_is_over(zone: str, day: date, over: datetime) -> None:
    assert end_of_day(day, zone) == over


def test_the_day_of_a_provider_in_new_york_ends_there(world: World, books: Books) -> None:
    set_provider(world.provider, time_zone="America/New_York")
    delivered(world, books, "R-1")
    with transaction() as session:
        session.execute(update(Booking).values(service_date=date(2026, 3, 8)))
    skip_to(date(2026, 3, 8), world)
    over = datetime(2026, 3, 9, 4, 0, tzinfo=UTC)  # the clocks went forward that morning
    books.change("R-1", service_date=date(2026, 3, 8))
    read(world, books, over)
    assert make_statements(now=over - timedelta(seconds=1)) == 0
    assert make_statements(now=over) == 1
    assert (made()[-1].day, made()[-1].time_zone) == (date(2026, 3, 8), "America/New_York")


def test_a_statement_cannot_be_rewritten(world: World, books: Books) -> None:
    delivered(world, books, "R-1")
    skip_to(DAY, world)
    read(world, books, MIDNIGHT)
    make_statements(now=MIDNIGHT)
    for command in (
        "UPDATE closing_statement SET content = '{}'",
        "DELETE FROM closing_statement",
        "UPDATE statement_line SET units = 0",
        "DELETE FROM statement_line",
    ):
        with pytest.raises(ProgrammingError), transaction() as session:
            session.execute(text(command))


def test_the_list_and_the_table_belong_to_the_insurer(world: World, books: Books, operator: Principal) -> None:
    delivered(world, books, "=R-1")
    skip_to(DAY, world)
    read(world, books, MIDNIGHT)
    make_statements(now=MIDNIGHT)
    page = statements(operator, cursor=None, limit=1)
    assert page.items[0].day == DAY and page.next is not None
    assert len(statements(operator, cursor=page.next, limit=5).items) == 1
    assert statements(operator, cursor=None, limit=5, provider="nobody").items == []
    name, content = statement_csv(operator, page.items[0].id)
    rows: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(content.removeprefix("\ufeff"))))
    assert name == f"statement-{world.provider.code}-2026-03-10.csv"
    assert (rows[0]["kind"], rows[0]["amount_minor"], rows[0]["currency"]) == ("delivered", "128000", "CNY")
    assert rows[0]["provider_reference"] == "'=R-1", "no spreadsheet takes it for a formula"
    stranger = Principal("operator", 2, "opr_2", operator.insurer_id + 1, 2, "UTC", "admin")
    for other in (stranger, world.principal):
        with pytest.raises(NotFound):
            statement(other, page.items[0].id, most=1)
    assert statements(stranger, cursor=None, limit=5).items == []


def test_a_provider_that_answers_here_has_no_list_of_its_own_to_wait_for(world: World) -> None:
    set_provider(world.provider, adapter="desk")
    public_id = world.submit()
    with transaction() as session:
        booking, _ = lock_booking(session, booking_row(public_id).id)
        for state in (BookingState.CONFIRMED, BookingState.FULFILLED):
            move(session, booking, state, actor=SYSTEM, now=EVENING)
    assert make_statements(now=MIDNIGHT) == 1
    with reading() as session:
        assert session.scalars(select(StatementLine.units)).all() == [1]
        made = session.scalars(select(ClosingStatement)).one()
    assert (made.day, made.content["theirs"]) == (DAY, None)
