"""Places in the event feed, after the database was dumped and restored into another cluster or was promoted."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from click.testing import Result
from flask.testing import FlaskCliRunner
from sqlalchemy import Connection, text

from booking.answering import events, feed_history
from booking.answering.event_cursor import decode
from booking.answering.feed_history import CursorOutlived, HeldBack, lines_of_before
from booking.webhooks import endpoints, health
from booking.webhooks.make import make_deliveries
from marketplace import cli
from marketplace.app import create_app
from marketplace.core import clock, release
from marketplace.core.config import settings
from marketplace.core.database import db as database
from marketplace.core.database import released
from marketplace.core.database.db import reading, transaction
from marketplace.core.release import NumbersDiffer
from marketplace.development.database import DevDatabase
from marketplace.development.embedded.postgres import SUPERUSER
from marketplace.development.embedded.programs import RunAs
from tests.booking.webhooks.hooks import add, rows, write_line
from tests.people import NOON
from tests.providers.partner_api.answering import answering_world, requested
from tests.world import World

URL = "https://hooks.example/"


@pytest.fixture
def original(own_server: DevDatabase, monkeypatch: pytest.MonkeyPatch) -> Iterator[DevDatabase]:
    """A server of the test's own that has counted many transactions."""
    use(own_server, monkeypatch)
    yield own_server
    monkeypatch.undo()
    settings.cache_clear()
    database.forget_engines()
    released.note(held_back=False)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[DevDatabase]:
    """Another cluster, new."""
    with DevDatabase(tmp_path / "other", ephemeral=True, fsync=False) as made:
        yield made


def use(server: DevDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", server.database_url)
    monkeypatch.setenv("DATABASE_OWNER_URL", server.owner_url)
    settings.cache_clear()
    database.forget_engines()


def count_on(transactions: int) -> None:
    """Let the cluster count so many transactions more."""
    each = "PERFORM pg_current_xact_id(); COMMIT;"
    with database.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"DO $$ BEGIN FOR _ IN 1..{transactions} LOOP {each} END LOOP; END $$")


def restore(original: DevDatabase, other: DevDatabase) -> None:
    """Dump the one into the other."""
    server = original.server
    user = RunAs(server.user)
    dump = other.server.folder / "dump"
    for program, *words in (
        ("pg_dump", "-Fc", "-f", str(dump), "-d", server.url(SUPERUSER, "anxiang")),
        ("pg_restore", "-1", "-d", other.server.url(SUPERUSER, "anxiang"), str(dump)),
    ):
        done = user.run(str(server.programs / program), *words)
        assert done.returncode == 0, done.stderr
    dump.unlink()


def read_all(world: World, cursor: str | None) -> tuple[list[int], str]:
    """The versions behind a cursor by pages of two, and the cursor of the end."""
    found: list[int] = []
    while True:
        page = events.events(world.provider.id, cursor=cursor, limit=2)
        found += [each.booking.version for each in page.items]
        cursor = page.next
        if not page.more:
            return found, cursor


def write(booking: str, *versions: int) -> None:
    for version in versions:
        with transaction() as session:
            write_line(session.connection(), booking, version)


def run(*words: str) -> Result:
    return commands().invoke(args=list(words))


@cache
def commands() -> FlaskCliRunner:
    app = create_app()
    cli.install(app)
    return app.test_cli_runner()


@pytest.mark.every_postgres
def test_a_dump_in_another_cluster_refuses_the_cursors_of_before_and_loses_no_webhook(
    original: DevDatabase, other: DevDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    count_on(3000)
    world = answering_world()
    booking = requested(world)
    endpoint, idle = add(world, URL), add(world, URL, "booking.cancelled")
    write(booking, 10, 11)
    make_deliveries(now=NOON)
    _, outlived = read_all(world, None)
    write(booking, 12, 13)  # not made into deliveries before the dump
    restore(original, other)
    write(booking, 14)  # lost with the original

    use(other, monkeypatch)
    assert release.look()
    with pytest.raises(HeldBack):
        events.events(world.provider.id, cursor=None, limit=2)
    write(booking, 20)  # a page of the copy was used before anybody released it
    with pytest.raises(NumbersDiffer):
        release.release(now=clock.now(), nothing_lost=True, lines_before=lines_of_before)
    released_by = run("installation", "release")
    assert released_by.output == "Released.\n", released_by.output

    with reading() as session:
        here = feed_history.current(session)
        skipped, _, _ = events.read(session, world.provider.id, decode(outlived, world.provider.id), 50, here)
    write(booking, 21)
    assert skipped == [], "the control: to the cursor of before, what was written here lies in the past"
    with pytest.raises(CursorOutlived) as refused:
        events.events(world.provider.id, cursor=outlived, limit=2)
    write(booking, 22)
    assert read_all(world, refused.value.facts["next"])[0] == [22]
    everything, end = read_all(world, None)
    assert sorted(everything) == [20, 21, 22], "what was before the restore is in the list of bookings"
    write(booking, 23)
    assert read_all(world, end)[0] == [23]

    made = [row.version for row in rows()]
    assert make_deliveries(now=NOON)["made"] == 6
    assert [row.version for row in rows()] == [*made, 12, 13, 20, 21, 22, 23]
    assert make_deliveries(now=NOON) == {"made": 0}
    write(booking, 24)
    assert make_deliveries(now=NOON) == {"made": 1}
    assert health.recovered(now=NOON) == {world.provider.code: 2}
    assert health.recovered(now=NOON + health.SHOWN) == {}
    assert {endpoints.one(world.provider.id, each.id).state for each in (endpoint, idle)} == {"active"}


def test_an_endpoint_that_was_paused_over_two_restores_misses_nothing(
    original: DevDatabase, other: DevDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count_on(3000)
    world = answering_world()
    booking = requested(world)
    endpoint = add(world, URL)
    make_deliveries(now=NOON)
    place = (world.provider.id, endpoint.id, URL, endpoint.event_types)
    endpoints.change(*place, "paused", by=hooks_by(), now=NOON)
    write(booking, 10)
    restore(original, other)
    use(other, monkeypatch)
    assert run("installation", "release").exit_code == 0
    write(booking, 11)
    with DevDatabase(tmp_path / "third", ephemeral=True, fsync=False) as third:
        restore(other, third)
        use(third, monkeypatch)
        assert run("installation", "release").exit_code == 0
        write(booking, 12)
        endpoints.change(*place, "active", by=hooks_by(), now=NOON)
        make_deliveries(now=NOON)
        assert [row.version for row in rows()] == [10, 11, 12]
        database.forget_engines()


def hooks_by() -> endpoints.By:
    return endpoints.By("operator", "test")


@pytest.mark.every_postgres
@pytest.mark.usefixtures("db")
class TestTimelines:
    """The same cluster on another timeline: restored to a moment, or promoted."""

    @pytest.fixture(autouse=True)
    def as_before(self) -> Iterator[None]:
        """The process forgets."""
        yield
        released.note(held_back=False)

    def promote(self) -> None:
        """As if the database released last had been on another timeline."""
        with transaction() as session:
            session.execute(
                text(
                    "INSERT INTO installation_release (at, cluster, timeline, history)"
                    f" SELECT now(), c.cluster, '00000009', '' FROM ({released.CURRENT}) AS c"
                )
            )

    @pytest.mark.parametrize("nothing_lost", [False, True])
    def test_a_cursor_is_good_over_a_release_only_where_nothing_was_lost(self, nothing_lost: bool) -> None:
        world = answering_world()
        booking = requested(world)
        add(world, URL)
        seen, cursor = read_all(world, None)
        assert seen == [2]
        self.promote()
        with pytest.raises(HeldBack):
            read_all(world, cursor)
        words = ["--nothing-lost"] if nothing_lost else []
        assert run("installation", "release", *words).output == "Released.\n"
        write(booking, 10)
        if nothing_lost:
            assert read_all(world, cursor)[0] == [10]
        else:
            with pytest.raises(CursorOutlived):
                read_all(world, cursor)
            assert read_all(world, None)[0] == [2, 10], "the numbers go on: all of it is there"
        assert make_deliveries(now=NOON)["made"] == 1
        told = {} if nothing_lost else {world.provider.code: 1}
        assert health.recovered(now=NOON) == told, "what was told of the lost transactions is not so any more"
        write(booking, 11)
        assert make_deliveries(now=NOON + health.SHOWN)["made"] == 1
        assert health.recovered(now=NOON + health.SHOWN) == {}, "once"

    def test_lines_that_were_restored_into_a_cluster_that_is_little_ahead_are_not_taken_for_its_own(
        self, owner_connection: Connection
    ) -> None:
        """Whatever restores them has a number just above theirs, as a part of their own transaction would."""
        booking = requested(answering_world())
        write(booking, 10, 11)
        with reading() as session:
            last = session.scalar(text("SELECT max(id) FROM booking_history"))
            assert lines_of_before(session) is None, "the control"
        again = "UPDATE booking_history SET booking_id = booking_id"  # new rows by one transaction, as by a restore
        trigger = "ALTER TABLE booking_history {} TRIGGER USER"
        for which in (f" WHERE id = {last}", ""):  # one line that was restored, or all of them
            owner_connection.exec_driver_sql(f"{trigger.format('DISABLE')}; {again}{which}; {trigger.format('ENABLE')}")
            with reading() as session:
                assert lines_of_before(session) == last
        write(booking, 12)  # while the copy was held back: its own
        with reading() as session:
            assert lines_of_before(session) == last

    def test_a_cluster_that_goes_on_counting_has_no_lines_of_before(self) -> None:
        requested(answering_world())
        with reading() as session:
            assert lines_of_before(session) is None
