"""The copy of everything about a customer: complete against the register, and nothing of anybody else in it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text, update

from booking.personal import export
from booking.personal.bundle import rows_of
from booking.personal.export import ask_copy, copies, forget_copies, make_copies, open_copy, write_copy
from booking.personal.models import PersonalExport, PersonalExportPart
from booking.personal.opening import UNREADABLE
from booking.personal.scope import to_show
from booking.personal.tables.every import OF_CUSTOMERS
from booking.reports.delete import delete_report
from booking.reports.fetch import announce
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound, TooMany
from tests.booking.personal.planting.life import Life
from tests.people import NOON, PHONE, make_customer, signed_in
from tests.reports import PDF, content, fetch, listed
from vip.customers.consent import withdraw_consent
from vip.models import Beneficiary
from vip.principal import Principal
from vip.signin.signin import SignInAgain

Lives = Callable[[], tuple[Life, Life]]


def fetched(principal: Principal) -> zipfile.ZipFile:
    """A new copy, prepared and given out."""
    asked = ask_copy(principal, now=NOON)
    assert make_copies(now=NOON) == {"made": 1, "failed": 0}
    return zipfile.ZipFile(io.BytesIO(b"".join(open_copy(principal, asked.id, now=NOON).parts)))


def everything(copy: zipfile.ZipFile) -> bytes:
    return b"\n".join(copy.read(name) for name in copy.namelist())


def file(copy: zipfile.ZipFile, name: str) -> Any:
    return json.loads(copy.read(f"{name}.json"))


def test_every_personal_column_of_hers_is_in_her_copy_with_its_value(lives: Lives) -> None:
    hers, _theirs = lives()
    copy = fetched(hers.world.principal)
    for table in OF_CUSTOMERS:
        rows = file(copy, table.file)
        for column, it in table.exported():
            if (table.name, column) not in NOT_IN_THIS_LIFE and table.name not in ("erasure", "personal_export"):
                assert any(row[it.name] not in (None, "", [], {}, UNREADABLE) for row in rows), (table.name, column)
    content = everything(copy).decode(errors="replace")
    assert len(hers.values) > 55
    assert [where for where, value in hers.values.items() if value not in content] == []


NOT_IN_THIS_LIFE = {
    ("customer", "blocked_at"),
    ("customer", "erased_at"),
    ("beneficiary", "removed_at"),
    ("beneficiary", "erased_at"),
    ("beneficiary", "record_sealed"),
    ("person_key", "destroyed_at"),
    ("person_key", "retention"),
    ("consent", "withdrawn_at"),
    ("consent", "withdrawn_by"),
    ("sign_in_session", "ended_at"),
    ("booking", "hold_expires_at"),
    ("booking", "answer_due_at"),
    ("booking", "report_due_at"),
    ("conversation", "first_answer_at"),
    ("booking_history", "from_state"),
    ("report", "deleted_at"),
    ("report_share", "max_views"),
    ("report_share", "revoked_at"),
}
"""What is empty for a customer who lives on and has not withdrawn anything; every other column must hold a value."""


def test_nothing_of_another_customer_is_in_it(lives: Lives) -> None:
    hers, theirs = lives()
    content = everything(fetched(hers.world.principal)).decode(errors="replace")
    assert [
        where for where, value in theirs.values.items() if value in content and value not in hers.values.values()
    ] == []
    assert "theirs" not in content


def test_it_holds_the_papers_of_reports_as_they_were_delivered(lives: Lives) -> None:
    hers, _theirs = lives()
    copy = fetched(hers.world.principal)
    papers = [name for name in copy.namelist() if name.startswith("papers/")]
    assert sorted(papers) == sorted(f"papers/{report}/v1-1.pdf" for report in hers.reports)
    assert copy.read(papers[0]) == PDF


def test_it_holds_the_pictures_of_consultations_and_escorts(lives: Lives) -> None:
    hers, _theirs = lives()
    copy = fetched(hers.world.principal)
    pictures = [name for name in copy.namelist() if name.startswith("pictures/")]
    assert [name.split("/")[1][:4] for name in pictures] == ["pic_", "epi_"]
    assert all(name.endswith(".jpg") and copy.read(name) == b"hers-large" for name in pictures)


def test_each_version_of_a_report_in_it_is_a_line_each_time_it_is_given_out(lives: Lives) -> None:
    hers, theirs = lives()
    asked = ask_copy(hers.world.principal, now=NOON)
    make_copies(now=NOON)
    delete_report(hers.world.principal, hers.reports[1], now=NOON)  # the copy has it still
    for _time in range(2):
        open_copy(hers.world.principal, asked.id, now=NOON)
    actor = ("customer", hers.world.principal.public_id, {"version": 1})
    assert [copied(report) for report in (*hers.reports, *theirs.reports)] == [[actor] * 2] * 2 + [[]] * 2


def test_a_version_that_came_after_the_copy_was_made_is_no_line(lives: Lives) -> None:
    hers, _theirs = lives()
    asked = ask_copy(hers.world.principal, now=NOON)
    make_copies(now=NOON)
    late = listed(hers.world, hers.bookings[0], 2, "hers-0")
    with transaction() as session:
        announce(session, hers.world.provider.id, late, now=NOON)
    fetch(hers.world, content(late), now=NOON)
    open_copy(hers.world.principal, asked.id, now=NOON)
    assert [facts for *_, facts in copied(hers.reports[0])] == [{"version": 1}]
    fetched(hers.world.principal)
    assert [facts for *_, facts in copied(hers.reports[0])] == [{"version": 1}, {"version": 1}, {"version": 2}]


def test_a_copy_that_is_written_to_a_file_is_a_line_for_each_version_too(lives: Lives) -> None:
    hers, _theirs = lives()
    write_copy(hers.world.principal.public_id, io.BytesIO(), now=NOON)
    assert [copied(report) for report in hers.reports] == [[("system", "command", {"version": 1})]] * 2


def copied(report: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Who was given the report in a copy, and which version."""
    with reading() as session:
        lines = session.scalars(
            select(AuditLine).where(AuditLine.subject == report, AuditLine.action == "report.copied")
        ).all()
    return [(it.actor_kind, it.actor, it.facts) for it in sorted(lines, key=lambda it: it.id)]


def test_an_adult_who_takes_her_consent_back_is_not_in_it(lives: Lives) -> None:
    hers, _theirs = lives()
    withdraw_consent(hers.world.principal, hers.father, now=NOON)
    copy = fetched(hers.world.principal)
    content = everything(copy).decode(errors="replace")
    assert "hers-conclusion-0" in content and "hers-conclusion-1" not in content
    assert not any(hers.reports[1] in name for name in copy.namelist())


def test_a_copy_made_before_the_consent_was_taken_back_is_not_given_out(lives: Lives) -> None:
    hers, _theirs = lives()
    asked = ask_copy(hers.world.principal, now=NOON)
    make_copies(now=NOON)
    withdraw_consent(hers.world.principal, hers.father, now=NOON)
    with pytest.raises(NotFound):
        open_copy(hers.world.principal, asked.id, now=NOON)


class TestOfOneCustomer:
    """What needs no whole life."""

    @pytest.fixture(autouse=True)
    def _customer(self, db: Engine) -> None:
        make_customer()

    def test_a_value_that_cannot_be_opened_stops_nothing(self) -> None:
        principal = signed_in()
        with transaction() as session:
            session.execute(update(Beneficiary).values(phone_sealed=b"rubbish that is longer than a nonce"))
        assert file(fetched(principal), "family")[0]["phone"] == UNREADABLE

    def test_asking_twice_makes_one_copy_and_asking_often_is_refused(self) -> None:
        principal = signed_in()
        first = ask_copy(principal, now=NOON)
        assert ask_copy(principal, now=NOON) == first
        for _again in range(2):
            make_copies(now=NOON)
            ask_copy(principal, now=NOON)
        make_copies(now=NOON)
        with pytest.raises(TooMany):
            ask_copy(principal, now=NOON)

    def test_only_who_has_just_signed_in_gets_it(self) -> None:
        principal = signed_in()
        asked = ask_copy(principal, now=NOON)
        make_copies(now=NOON)
        late = NOON + timedelta(minutes=16)
        with pytest.raises(SignInAgain) as refused:
            open_copy(principal, asked.id, now=late)
        assert refused.value.facts == {"within": 15}
        assert b"".join(open_copy(signed_in(now=late), asked.id, now=late).parts)

    def test_it_is_nobody_elses(self) -> None:
        asked = ask_copy(signed_in(), now=NOON)
        make_copies(now=NOON)
        make_customer("13800000099")
        with pytest.raises(NotFound):
            open_copy(signed_in("13800000099"), asked.id, now=NOON)

    def test_each_time_it_is_given_out_is_one_line_of_the_audit(self) -> None:
        principal = signed_in()
        asked = ask_copy(principal, now=NOON)
        make_copies(now=NOON)
        for _time in range(2):
            open_copy(principal, asked.id, now=NOON)
        with reading() as session:
            lines = session.scalars(select(AuditLine).where(AuditLine.action.like("%copy%"))).all()
        assert [(it.action, it.subject, it.facts) for it in lines] == [
            ("customer.copy_fetched", principal.public_id, {"copy": asked.id})
        ] * 2

    def test_it_ends_after_a_week_and_its_key_with_it(self) -> None:
        principal = signed_in()
        asked = ask_copy(principal, now=NOON)
        make_copies(now=NOON)
        over = NOON + timedelta(days=7)
        assert forget_copies(now=over - timedelta(seconds=1)) == 0
        assert [it.state for it in copies(principal, now=NOON)] == ["ready"]
        assert copies(principal, now=over) == []
        with pytest.raises(NotFound):
            open_copy(signed_in(now=over), asked.id, now=over)
        assert forget_copies(now=over) == 1
        with reading() as session:
            left = [session.scalar(select(func.count()).select_from(it)) for it in (PersonalExport, PersonalExportPart)]
        assert left == [0, 0]

    def test_a_maker_that_was_killed_is_followed_by_another(self) -> None:
        principal = signed_in()
        ask_copy(principal, now=NOON)
        assert export._claim(NOON) is not None
        assert make_copies(now=NOON) == {"made": 0, "failed": 0}
        later = NOON + timedelta(minutes=11)
        assert make_copies(now=later) == {"made": 1, "failed": 0}
        assert [it.state for it in copies(principal, now=later)] == ["ready"]

    def test_who_lost_the_claim_stores_nothing(self) -> None:
        ask_copy(signed_in(), now=NOON)
        slow = export._claim(NOON)
        later = NOON + timedelta(minutes=11)
        assert slow is not None and export._claim(later) is not None
        assert export._make(slow, later) == 0
        with reading() as session:
            assert session.scalar(select(func.count()).select_from(PersonalExportPart)) == 0

    def test_one_that_always_breaks_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        principal = signed_in()
        ask_copy(principal, now=NOON)

        def broken(*_given: object, **_more: object) -> None:
            raise ValueError("no")

        monkeypatch.setattr(export, "write_bundle", broken)
        for hour in range(5):
            assert make_copies(now=NOON + timedelta(hours=hour)) == {"made": 0, "failed": 1}
        assert [it.state for it in copies(principal, now=NOON + timedelta(hours=6))] == ["failed"]

    def test_one_that_kills_its_maker_is_given_up_and_the_next_is_made(self) -> None:
        principal = signed_in()
        ask_copy(principal, now=NOON)
        at = NOON
        for _ in range(export.TRIES):
            assert export._claim(at) is not None
            at += timedelta(minutes=11)
        assert make_copies(now=at) == {"made": 0, "failed": 1}
        assert [it.state for it in copies(principal, now=at)] == ["failed"]
        assert make_copies(now=at + timedelta(minutes=11)) == {"made": 0, "failed": 0}

    def test_it_is_stored_sealed_and_in_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(export, "PART", 500)
        copy = fetched(signed_in())
        assert file(copy, "customer")[0]["name"] == "沈静宜"
        with reading() as session:
            parts = session.scalars(select(PersonalExportPart.sealed)).all()
        assert len(parts) > 1 and not any(b"PK" in part[:40] for part in parts)

    def test_whoever_runs_the_installation_can_write_it_to_a_file(self) -> None:
        principal, to = signed_in(), io.BytesIO()
        write_copy(principal.public_id, to, now=NOON)
        assert file(zipfile.ZipFile(to), "customer")[0]["phone"] == f"+86{PHONE}"
        with reading() as session:
            assert (
                session.scalar(text("SELECT actor FROM audit_line WHERE action = 'customer.copy_written'")) == "command"
            )
        with pytest.raises(NotFound):
            write_copy("cus_00000000000000000000", to, now=NOON)


def test_every_condition_of_the_register_is_understood_by_the_database(db: object) -> None:
    with reading() as session:
        for table in OF_CUSTOMERS:
            assert rows_of(session, table, to_show(1, [1])) == [], table.name
