"""Events are read once each, whatever the order in which they commit, and a long transaction stalls nobody."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from booking.live import reader
from booking.live.place import RESUMABLE, Place, parse
from booking.live.reader import MOST_MISSED, Lost, missed
from tests.booking.live.writing import Reading, add, writers
from tests.conftest import TestDatabase
from tests.people import NOON

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


def test_two_events_that_commit_in_reverse_order_both_arrive_once(worker_database: TestDatabase) -> None:
    with writers(worker_database, 2) as (first, second):
        reading = Reading()
        assert first.write(1) < second.write(2)
        assert reading.poll() == []
        second.commit()
        assert reading.poll() == [2]
        assert reading.poll() == []
        first.commit()
        assert reading.poll() == [1]
        assert [reading.poll() for _ in range(3)] == [[], [], []]


def test_a_cursor_by_id_would_have_lost_the_one_that_commits_late(worker_database: TestDatabase, db: Engine) -> None:
    """The control: what the snapshot is there for."""
    with writers(worker_database, 2) as (first, second):
        first.write(1)
        last = second.write(2)
        second.commit()
        first.commit()
    with db.connect() as connection:
        query = f"SELECT facts->>'n' FROM live_event WHERE id > {last}"
        assert connection.exec_driver_sql(query).all() == []


def test_a_transaction_that_stays_open_holds_up_nobody_and_its_own_event_comes_at_its_end(
    worker_database: TestDatabase,
) -> None:
    with writers(worker_database, 1) as (long,):
        reading = Reading()
        long.write(0)
        for number in range(1, 6):
            add(worker_database, number)
            assert reading.poll() == [number]
        [own] = long.transaction() & set(reading.place.running)  # those of other databases are among them
        long.commit()
        assert reading.poll() == [0]
        assert own not in reading.place.running


def test_what_was_written_before_a_place_and_committed_after_it_is_not_lost(worker_database: TestDatabase) -> None:
    with writers(worker_database, 1) as (writer,):
        writer.write(1)
        reading = Reading()
        writer.commit()
        assert reading.poll() == [1]


def test_what_is_taken_back_is_never_read(worker_database: TestDatabase) -> None:
    reading = Reading()
    with writers(worker_database, 1) as (writer,):
        writer.write(1)
        reading.poll()
    add(worker_database, 2)
    assert reading.poll() == [2]
    assert reading.poll() == []


def test_many_writers_and_a_reader_that_polls_all_the_while(worker_database: TestDatabase) -> None:
    reading = Reading()

    def write(part: int) -> None:
        dice = random.Random(part)
        with writers(worker_database, 3) as mine:
            for number in range(0, 60, 3):
                for place, writer in enumerate(mine):
                    writer.write(part * 1000 + number + place)
                for writer in dice.sample(mine, 3):
                    writer.commit()

    threads = [threading.Thread(target=write, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        reading.poll()
    for thread in threads:
        thread.join()
    reading.poll()
    assert sorted(reading.seen) == sorted(part * 1000 + number for part in range(4) for number in range(60))


def test_events_of_one_reading_are_in_the_order_of_their_ids(worker_database: TestDatabase) -> None:
    reading = Reading()
    with writers(worker_database, 2) as (first, second):
        first.write(1)
        second.write(2)
        first.write(3)
        second.commit()
        first.commit()
    assert reading.poll() == [1, 2, 3]


# Going on later.


def left_behind(place: Place) -> Place:
    """The place as a page brings it back."""
    found = parse(place.text(), now=NOON)
    assert found is not None
    return found


def numbers(since: Place, until: Place, *topics: str) -> list[int] | None:
    found = missed(since, until, topics or ("customer:1",))
    return None if found is None else [each.told["n"] for each in found]


def test_who_comes_back_is_given_what_she_missed_and_no_more(worker_database: TestDatabase) -> None:
    with writers(worker_database, 1) as (long,):
        reading = Reading()
        long.write(0)
        add(worker_database, 1)
        reading.poll()
        page = reading.place
        add(worker_database, 2)
        add(worker_database, 99, topic="customer:2")
        long.commit()
        add(worker_database, 3)
    fresh = reader.begin(now=NOON)  # of another process, which has read nothing before
    assert numbers(left_behind(page), fresh) == [0, 2, 3]
    assert numbers(fresh, fresh) == []


def test_what_is_made_up_for_and_what_is_read_afterwards_meet_without_a_gap(worker_database: TestDatabase) -> None:
    with writers(worker_database, 2) as (first, second):
        page = Reading().place
        first.write(1)
        second.write(2)
        second.commit()
        reading = Reading()
        assert numbers(left_behind(page), reading.place) == [2]
        first.commit()
        assert numbers(left_behind(page), reading.place) == [2], "what the reader itself will tell is left to it"
        assert reading.poll() == [1]


def test_who_missed_too_much_begins_anew(worker_database: TestDatabase) -> None:
    page = reader.begin(now=NOON)
    with writers(worker_database, 1) as (writer,):
        for number in range(MOST_MISSED + 1):
            writer.write(number)
        writer.commit()
    assert numbers(page, reader.begin(now=NOON)) is None


def test_who_was_away_too_long_begins_anew() -> None:
    place = reader.begin(now=NOON)
    assert parse(place.text(), now=NOON + RESUMABLE) == place
    assert parse(place.text(), now=NOON + RESUMABLE + timedelta(seconds=1)) is None


def test_a_place_of_another_count_of_transactions_is_none(worker_database: TestDatabase) -> None:
    place = reader.begin(now=NOON)
    assert missed(replace(place, history="other"), place, ["customer:1"]) is None
    assert missed(replace(place, high=place.high + 1000), place, ["customer:1"]) is None
    for later in (replace(place, history="other"), replace(place, high=place.high + 1000)):
        with pytest.raises(Lost):
            reader.read(later, now=NOON)


def test_the_index_finds_what_is_new(worker_database: TestDatabase, db: Engine) -> None:
    """However many events there are and however long a transaction has been open."""
    with writers(worker_database, 2) as (long, writer):
        long.write(0)
        reading = Reading()
        for number in range(2000):
            writer.write(number)
        writer.commit()
        reading.poll()
        values = {"high": reading.place.high, "running": list(reading.place.running)}
        assert long.transaction() <= set(values["running"]), "a running one has to be looked for"
        with db.connect() as connection:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            plan = connection.exec_driver_sql(f"EXPLAIN {reader._READ}", values).scalars().all()
    assert sum("ix_live_event_xact" in line for line in plan) == 2, "\n".join(plan)
