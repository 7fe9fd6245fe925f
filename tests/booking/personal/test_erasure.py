"""Erasure: what may go is nowhere in a full dump, what must stay goes in its time, and a kill changes nothing."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, select, text

from booking.messages.calendar import new_feed, open_feed
from booking.notices.notify import notify
from booking.personal.erase import (
    BOOKS,
    Stays,
    UnderWay,
    erase,
    erase_by_command,
    erase_customer,
    finish_erasures,
    preview,
    years_after,
)
from booking.personal.export import ask_copy, make_copies
from booking.personal.models import Erasure, PersonalExport
from booking.personal.opening import opened
from booking.personal.register import Retention
from booking.personal.scope import Scope, of_customer, of_person
from booking.personal.tables.every import OF_CUSTOMERS
from booking.reports.fetch import announce
from marketplace.core.config import settings
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound, Unauthenticated
from marketplace.core.sending import sms
from tests.booking.personal.planting.life import Life
from tests.conftest import TestDatabase
from tests.people import NOON, SmsBox, make_customer, signed_in
from tests.processes import run_program
from tests.reports import content, fetch, listed
from tests.world import make_world
from vip.customers.family import remove_member
from vip.models import Beneficiary, Customer
from vip.operators.operators import create_admin, sign_in_operator
from vip.signin.authentication import authenticate
from vip.signin.codes import WrongCode
from vip.signin.signin import RECENT, SignInAgain, issue_token, send_code, sign_in

Lives = Callable[[], tuple[Life, Life]]

LAST_VISIT = date(2026, 3, 10)
AFTER_PROCESS = datetime(2029, 3, 11, 4, tzinfo=UTC)
AFTER_MEDICAL = datetime(2041, 3, 11, 4, tzinfo=UTC)


@pytest.fixture
def dump(superuser: str) -> Callable[[], str]:
    """Everything that is in the database, as pg_dump writes it."""

    def made() -> str:
        pg_dump = Path("/usr/lib/postgresql/15/bin/pg_dump")
        return subprocess.run(
            [pg_dump, "--inserts", superuser], check=True, capture_output=True, text=True, timeout=120
        ).stdout

    return made


def goes_with(life: Life, *classes: Retention) -> dict[tuple[str, str], str]:
    """What was planted in columns that end with these classes."""
    columns = {
        (table.name, column)
        for table in OF_CUSTOMERS
        for column, it in table.personal.items()
        if table.rows_end in classes or (it.retention in classes and it.ends)
    }
    return {where: value for where, value in life.values.items() if where in columns}


def hits(dumped: str, values: dict[tuple[str, str], str]) -> list[tuple[str, str]]:
    """The planted values that are in the dump, as text or as bytes."""
    return [where for where, value in values.items() if value in dumped or value.encode().hex() in dumped]


def sealed_bytes(connection: Connection, life: Life) -> dict[tuple[str, str], str]:
    """Her fingerprints, sealed contact data and contact keys as a dump shows them, in hexadecimal."""
    found = connection.execute(
        text(
            "SELECT encode(phone_index, 'hex'), encode(phone_sealed, 'hex') FROM customer WHERE id = :customer"
            " UNION ALL SELECT encode(id_number_index, 'hex'), encode(phone_sealed, 'hex') FROM beneficiary"
            " WHERE customer_id = :customer AND relation = 'father'"
            " UNION ALL SELECT encode(k.wrapped_key, 'hex'), encode(k.wrapped_key, 'hex') FROM person_key k"
            " JOIN beneficiary b ON b.id = k.beneficiary_id WHERE b.customer_id = :customer AND k.retention = 'contact'"
        ),
        {"customer": life.customer},
    ).all()
    return {(f"row {number}", str(place)): value for number, row in enumerate(found) for place, value in enumerate(row)}


def test_after_an_erasure_a_full_dump_holds_nothing_of_what_may_go(
    lives: Lives, dump: Callable[[], str], owner_connection: Connection
) -> None:
    hers, theirs = lives()
    ask_copy(hers.world.principal, now=NOON)
    make_copies(now=NOON)
    at_once = goes_with(hers, Retention.CONTACT) | sealed_bytes(owner_connection, hers)
    sealed = {"phone_sealed", "id_number_sealed", "number_sealed", "email_sealed", "sealed", "0", "1"}
    before = hits(dump(), at_once)
    assert len(at_once) > 20
    # what is sealed is not readable before either, except as its own bytes
    assert {where for where in at_once if where not in before} <= {w for w in at_once if w[1] in sealed}

    stays = erase(hers.world.principal, now=NOON)

    assert stays == (Stays("process", date(2029, 3, 10)), Stays("medical", date(2041, 3, 10)), Stays(BOOKS, None))
    dumped = dump()
    assert hits(dumped, at_once) == []
    others = goes_with(theirs, Retention.CONTACT)
    assert set(hits(dumped, others)) == {where for where in others if where[1] not in sealed}, "another's is untouched"
    assert "1988-04-12" in dumped, "the other's"
    days = text("SELECT DISTINCT birth_date FROM beneficiary WHERE customer_id = :customer")
    assert owner_connection.execute(days, {"customer": hers.customer}).scalars().all() == [date(1900, 1, 1)]


def test_what_must_stay_goes_when_its_time_is_over(
    lives: Lives, dump: Callable[[], str], owner_connection: Connection
) -> None:
    hers, theirs = lives()
    process, medical = goes_with(hers, Retention.PROCESS), goes_with(hers, Retention.MEDICAL)
    erase(hers.world.principal, now=NOON)
    assert finish_erasures(now=AFTER_PROCESS - timedelta(days=1)) == {}
    assert ("proposal", "reason") in hits(dump(), process)

    assert finish_erasures(now=AFTER_PROCESS) == {"ended": 1}
    assert hits(dump(), process) == []
    assert keys_left(owner_connection, hers) == {"medical"}

    assert finish_erasures(now=AFTER_MEDICAL) == {"ended": 1}
    dumped = dump()
    assert hits(dumped, process | medical) == [] and keys_left(owner_connection, hers) == set()
    left = owner_connection.execute(
        text(
            "SELECT count(*) FILTER (WHERE wrapped_key IS NOT NULL), max(length(content_sealed)) FROM report_version v"
            " JOIN report r ON r.id = v.report_id WHERE r.customer_id = :c"
        ),
        {"c": hers.customer},
    ).one()
    assert tuple(left) == (0, 0)
    assert finish_erasures(now=AFTER_MEDICAL) == {}
    assert keys_left(owner_connection, theirs) == {"contact", "process", "medical"}


def test_the_books_still_add_up_and_name_nobody(lives: Lives, owner_connection: Connection) -> None:
    hers, _theirs = lives()
    before = owner_connection.execute(text("SELECT count(*), sum(id) FROM entitlement_entry")).one()
    audit = owner_connection.execute(text("SELECT count(*) FROM audit_line")).scalar_one()
    erase(hers.world.principal, now=NOON)
    assert owner_connection.execute(text("SELECT count(*), sum(id) FROM entitlement_entry")).one() == before
    lines = owner_connection.execute(
        text("SELECT action, subject, facts FROM audit_line ORDER BY id OFFSET :n"), {"n": audit}
    ).all()
    me = hers.world.principal.public_id
    assert [(line.action, line.subject) for line in lines] == [("erasure.begun", me), ("erasure.ended", me)]


def test_a_record_that_must_stay_says_whose_it_is_to_nobody_but_a_command(lives: Lives) -> None:
    hers, _theirs = lives()
    with transaction() as session:
        session.execute(text("UPDATE beneficiary SET name = '沈静宜' WHERE customer_id = :c"), {"c": hers.customer})
    erase(hers.world.principal, now=NOON)
    with reading() as session:
        person = session.scalars(
            select(Beneficiary).where(Beneficiary.customer_id == hers.customer).order_by(Beneficiary.id)
        ).first()
        assert person is not None and person.record_sealed is not None
        whose = opened(session, "record", "record_sealed", person.id, person.record_sealed)
    assert whose == {"name": "沈静宜", "sex": "female", "birth_date": "1988-04-12"}


def test_somebody_without_results_leaves_no_record_behind(db: Engine) -> None:
    customer = make_customer()
    assert erase(signed_in(), now=NOON) == (Stays(BOOKS, None),)
    with reading() as session:
        assert session.scalars(select(Beneficiary.record_sealed)).all() == [None]
        row = session.get_one(Customer, customer.id)
        done = session.scalars(select(Erasure)).one()
    assert (row.name, row.phone_sealed, row.language) == ("", b"", None)
    assert done.contact_done_at == done.process_done_at == done.medical_done_at == NOON


def test_the_phone_is_a_strangers_afterwards(db: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    make_customer("13800000021")
    texts = SmsBox()
    monkeypatch.setattr(sms, "backend", lambda: texts)
    principal = signed_in("13800000021")
    erase(principal, now=NOON)
    hers = send_code("13800000021", now=NOON)
    stranger = send_code("13800000077", now=NOON)
    assert (hers, texts.texts) == (stranger, [])
    answers = []
    for phone in ("13800000021", "13800000077"):
        with pytest.raises(WrongCode) as refused:
            sign_in(phone, "000000", channel="web", now=NOON)
        answers.append(refused.value.facts)
    assert answers[0] == answers[1]
    again = make_customer("13800000021")
    assert again.public_id != principal.public_id, "she may come back as somebody new"


def test_no_session_device_link_or_calendar_opens_anything_afterwards(db: Engine) -> None:
    world = make_world()
    token, feed = issue_token("13800000021", NOON).token, new_feed(world.principal, now=NOON)
    erase(world.principal, now=NOON)
    with pytest.raises(Unauthenticated):
        authenticate(token, now=NOON)
    with pytest.raises(NotFound):
        open_feed(feed, now=NOON)


def test_a_booking_under_way_is_named_and_nothing_is_deleted(db: Engine) -> None:
    world = make_world()
    booking = world.submit()
    with pytest.raises(UnderWay) as refused:
        erase(world.principal, now=NOON)
    assert refused.value.facts["ids"] == [booking] and refused.value.facts["bookings"].startswith("AX")
    with pytest.raises(UnderWay):
        preview(world.principal)
    with reading() as session:
        assert session.get_one(Customer, world.customer.id).name == "沈静宜"
        assert session.scalars(select(Erasure)).all() == []


def test_an_open_dispute_is_under_way_too(lives: Lives, owner_connection: Connection) -> None:
    hers, _theirs = lives()
    owner_connection.execute(text("UPDATE dispute SET state = 'open', closed_at = NULL"))
    with pytest.raises(UnderWay) as refused:
        erase(hers.world.principal, now=NOON)
    assert refused.value.facts["ids"] == [hers.bookings[0]]


def test_only_who_has_just_signed_in_can_erase(db: Engine) -> None:
    make_customer()
    with pytest.raises(SignInAgain):
        erase(signed_in(), now=NOON + timedelta(minutes=16))


def test_a_relative_is_erased_once_she_is_removed_and_nobody_else(
    lives: Lives, dump: Callable[[], str], owner_connection: Connection
) -> None:
    hers, _theirs = lives()
    me = hers.world.principal
    with pytest.raises(NotFound):
        erase(me, now=NOON, person=hers.father)
    remove_member(me, hers.father, NOON, in_use=lambda _session, _person: False)
    assert preview(me, person=hers.father)[-1] == Stays(BOOKS, None)
    stays = erase(me, now=NOON, person=hers.father)
    assert stays == (Stays("process", date(2029, 3, 10)), Stays("medical", date(2041, 3, 10)), Stays(BOOKS, None))
    dumped = dump()
    contact = hits(dumped, goes_with(hers, Retention.CONTACT))
    assert ("customer", "name") in contact and ("notification", "kind") in contact
    people = owner_connection.execute(
        text("SELECT relation, name, phone_sealed IS NULL FROM beneficiary WHERE customer_id = :c ORDER BY id"),
        {"c": hers.customer},
    ).all()
    assert [tuple(row) for row in people] == [("self", "hers-beneficiary-name", True), ("father", "", True)]
    with pytest.raises(NotFound):
        erase(signed_in("13800000022"), now=NOON, person=hers.father)
    assert erase_by_command(hers.father, now=NOON) == stays, "as after a backup was restored"


def test_no_copy_of_the_customers_data_keeps_a_relative_who_is_erased(lives: Lives) -> None:
    hers, theirs = lives()
    for life in (hers, theirs):
        ask_copy(life.world.principal, now=NOON)
    assert make_copies(now=NOON)["failed"] == 0
    remove_member(hers.world.principal, hers.father, NOON, in_use=lambda _session, _person: False)
    erase(hers.world.principal, now=NOON, person=hers.father)
    with reading() as session:
        left = set(session.scalars(select(PersonalExport.customer_id)))
    assert left == {theirs.customer}


def test_who_is_erased_is_notified_of_nothing_more(lives: Lives) -> None:
    hers, theirs = lives()
    erase(hers.world.principal, now=NOON)
    with transaction() as session:
        told = [notify(session, life.customer, "report_overdue", "bkg_x", now=NOON) for life in (hers, theirs)]
    assert told == [False, True]


def test_reports_that_come_later_are_not_fetched(lives: Lives) -> None:
    hers, _theirs = lives()
    erase(hers.world.principal, now=NOON)
    late = listed(hers.world, hers.bookings[0], 2, "hers-0")
    with transaction() as session:
        announce(session, hers.world.provider.id, late, now=NOON)
    assert fetch(hers.world, content(late), now=NOON) == {}


def test_an_administrator_erases_by_console_and_an_agent_does_not(db: Engine) -> None:
    customer = make_customer()
    create_admin("admin", "a long password", "Admin", now=NOON)
    admin = authenticate(sign_in_operator("admin", "a long password", now=NOON).token, now=NOON)
    with pytest.raises(NotFound):
        erase_customer(replace(admin, role="agent"), customer.public_id, now=NOON)
    with pytest.raises(SignInAgain):  # a session that somebody left open
        erase_customer(admin, customer.public_id, now=NOON + RECENT + timedelta(seconds=1))
    assert erase_customer(admin, customer.public_id, now=NOON) == (Stays(BOOKS, None),)
    assert erase_customer(admin, customer.public_id, now=NOON) == (Stays(BOOKS, None),), "again is the same"
    with reading() as session:
        lines = session.execute(
            text("SELECT actor_kind, action FROM audit_line WHERE action LIKE 'erasure%' ORDER BY id")
        ).all()
    assert [tuple(line) for line in lines] == [("operator", "erasure.begun"), ("system", "erasure.ended")] + [
        ("system", "erasure.ended")
    ] * 2


@pytest.mark.parametrize("at", ["destroy", "overwrite", "_end_what_goes_on", "_store_whose_record"])
def test_killed_in_the_middle_and_repeated_it_ends_the_same(
    lives: Lives, worker_database: TestDatabase, dump: Callable[[], str], owner_connection: Connection, at: str
) -> None:
    hers, _theirs = lives()
    at_once = goes_with(hers, Retention.CONTACT) | sealed_bytes(owner_connection, hers)
    program = f"""
import os, signal
from datetime import datetime
from booking.personal import erase
done = erase.{at}
def killed(*given, **more):
    done(*given, **more)
    os.kill(os.getpid(), signal.SIGKILL)
erase.{at} = killed
erase.erase_by_command({hers.world.principal.public_id!r}, now=datetime.fromisoformat({NOON.isoformat()!r}))
"""
    assert run_program(program, worker_database.environment) == -signal.SIGKILL
    with reading() as session:
        assert session.scalars(select(Erasure.contact_done_at)).one() is None, "decided, and not done"
    assert finish_erasures(now=NOON) == {"ended": 1}
    assert hits(dump(), at_once) == []
    assert erase_by_command(hers.world.principal.public_id, now=NOON)[0] == Stays("process", date(2029, 3, 10))


def test_without_periods_everything_goes_at_once(
    lives: Lives, dump: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hers, _theirs = lives()
    monkeypatch.setenv("RETENTION_PROCESS_YEARS", "0")
    monkeypatch.setenv("RETENTION_MEDICAL_YEARS", "0")
    settings.cache_clear()
    try:
        assert erase(hers.world.principal, now=NOON) == (Stays(BOOKS, None),)
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    assert hits(dump(), goes_with(hers, *Retention)) == []


def test_a_period_that_begins_on_a_leap_day_ends_in_march() -> None:
    assert years_after(date(2028, 2, 29), 3) == date(2031, 3, 1)
    assert (years_after(None, 3), years_after(LAST_VISIT, 0)) == (None, None)


def keys_left(connection: Connection, life: Life) -> set[str]:
    return set(
        connection.execute(
            text(
                "SELECT k.retention FROM person_key k JOIN beneficiary b ON b.id = k.beneficiary_id"
                " WHERE b.customer_id = :c AND k.wrapped_key IS NOT NULL"
            ),
            {"c": life.customer},
        ).scalars()
    )


@pytest.mark.parametrize("scope", [of_customer(7), of_person(7)], ids=["customer", "person"])
def test_no_condition_of_the_register_reads_a_whole_table(db: Engine, scope: Scope) -> None:
    """With sequential scans made dear, a plan that still has one had no index to go by."""
    small = ("sign_in_code", "erasure")  # a day's codes; one row for each erasure
    with transaction() as session:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        for table in OF_CUSTOMERS:
            if table.name in small:
                continue
            query = f"EXPLAIN SELECT FROM {table.name} t WHERE {scope.where(table)}"
            plan = "\n".join(session.execute(text(query), scope.values).scalars())
            assert "Seq Scan" not in plan, f"{table.name}\n{plan}"
