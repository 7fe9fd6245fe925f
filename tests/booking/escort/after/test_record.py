"""The record of an escort goes to the report box: once, from the deeds, in the customer's language."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.engine import Engine

from booking.escort.after import record
from booking.escort.after.record import file_records
from booking.reports import box
from booking.reports.models import Report, ReportVersion
from booking.states import BookingState
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from tests.escorting import Escorted, escorted
from tests.people import NOON
from tests.world import EIGHT, go
from vip.models import Customer

AFTER = EIGHT + timedelta(days=1)


def done() -> Escorted:
    one = escorted()
    one.did("on_the_way", 2)
    one.did("met", 21, by_code=True)
    one.did("note", 30, words="血压药已服")
    one.did("paper", 40, picture=True, words="心电图")
    one.did("cost", 50, cost=(5_050, "CNY", "挂号费"), picture=True)
    one.did("handed_over", 180, words="下周复诊")
    go(one.booking, BookingState.FULFILLED)
    return one


def test_the_record_holds_steps_notes_costs_and_papers_and_is_made_once(db: Engine) -> None:
    one = done()
    assert file_records(now=AFTER) == {"filed": 1}
    assert file_records(now=AFTER) == {}
    (card,) = box.reports(one.me, cursor=None, limit=10, now=AFTER).items
    report = box.report(one.me, card.id, now=AFTER)
    assert report.booking_id == one.booking and report.version == 1
    steps = ("陪同人员：何静", "08:02 已出发", "08:21 已碰面（已核对码）")
    for line in (*steps, "08:30 血压药已服", "08:50 挂号费 50.50 CNY", "下周复诊"):
        assert line in report.conclusion
    assert [paper.media_type for paper in report.papers] == ["application/pdf"] * 3, "its text, the paper, the receipt"
    first = box.document(one.me, card.id, 0, now=AFTER).content
    assert first.startswith(b"%PDF") and b"/DCTDecode" in box.document(one.me, card.id, 1, now=AFTER).content
    with reading() as session:
        lines = session.scalars(select(AuditLine.action).where(AuditLine.subject == card.id)).all()
    assert lines.count("report.delivered") == 1


def test_the_date_is_printed_where_it_is_another_one_and_what_is_doubtful_is_said(db: Engine) -> None:
    one = escorted()
    one.did("met", 24 * 60, doubt="ahead")
    one.did("cost", 60, cost=(5_050, "CNY", "打车"), doubt="after")
    go(one.booking, BookingState.FULFILLED)
    file_records(now=AFTER)
    (card,) = box.reports(one.me, cursor=None, limit=10, now=AFTER).items
    told = box.report(one.me, card.id, now=AFTER).conclusion
    assert "2026-03-11 08:00 已碰面（时间来自手机，可能不准）" in told
    assert "09:00 打车 50.50 CNY（所记时间在其不再负责本次陪同之后）" in told


def test_in_english_for_a_customer_who_reads_it(db: Engine) -> None:
    one = done()
    with transaction() as session:
        session.execute(update(Customer).values(language="en"))
    file_records(now=AFTER)
    (card,) = box.reports(one.me, cursor=None, limit=10, now=AFTER).items
    assert "08:21 Met (code checked)" in box.report(one.me, card.id, now=AFTER).conclusion


def test_none_before_it_is_done_and_none_that_was_deleted_comes_back(db: Engine) -> None:
    one = escorted()
    one.did("handed_over", 180)
    assert file_records(now=AFTER) == {}
    go(one.booking, BookingState.FULFILLED)
    assert file_records(now=AFTER) == {"filed": 1}
    with transaction() as session:
        session.execute(update(ReportVersion).values(wrapped_key=None))
    assert file_records(now=AFTER) == {}


def test_what_a_phone_tells_later_makes_another_version(db: Engine) -> None:
    one = done()
    later = AFTER
    assert file_records(now=later) == {"filed": 1}
    one.did("paper", 100, picture=True, words="CT", received=later + timedelta(minutes=1))
    assert file_records(now=later + timedelta(minutes=2)) == {"filed": 1}
    assert file_records(now=later + timedelta(minutes=3)) == {}
    (card,) = box.reports(one.me, cursor=None, limit=10, now=later).items
    report = box.report(one.me, card.id, now=later)
    assert (report.version, len(report.papers)) == (2, 4)
    with transaction() as session:
        session.execute(update(Report).values(deleted_at=later))
    one.did("note", 101, words="x", received=later + timedelta(minutes=4))
    assert file_records(now=later + timedelta(minutes=5)) == {}, "deleted by its customer"


def test_one_whose_last_worker_was_replaced_has_its_record_too(db: Engine) -> None:
    one = escorted()
    one.did("met", 5)
    one.did("paper", 30, picture=True, words="心电图")
    one.ended("replaced", "desk", NOON)
    go(one.booking, BookingState.FULFILLED)
    assert file_records(now=AFTER) == {"filed": 1}


def test_what_arrives_while_a_record_is_made_makes_no_version_that_says_the_same_for_ever(db: Engine) -> None:
    one = done()
    one.did("note", 190, words="y", received=AFTER + timedelta(seconds=2))  # since the job looked at the clock
    assert file_records(now=AFTER) == {"filed": 1}
    assert file_records(now=AFTER + timedelta(minutes=1)) == {}, "it holds that already"


def test_a_clock_that_is_ahead_leaves_no_deed_out(db: Engine) -> None:
    one = done()
    assert file_records(now=AFTER + timedelta(minutes=10)) == {"filed": 1}
    one.did("note", 190, words="y", received=AFTER + timedelta(minutes=5))
    assert file_records(now=AFTER + timedelta(minutes=11)) == {"filed": 1}
    (card,) = box.reports(one.me, cursor=None, limit=10, now=AFTER).items
    assert "11:10 y" in box.report(one.me, card.id, now=AFTER).conclusion


def test_a_picture_that_comes_while_the_others_are_set_is_in_the_record(
    db: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = done()
    really, arrives = record._papers, [True]

    def papers(*args: Any) -> Any:
        found = really(*args)
        if arrives.pop() if arrives else False:
            one.did("paper", 60, picture=True, received=AFTER - timedelta(hours=1))
        return found

    monkeypatch.setattr(record, "_papers", papers)
    for minute in range(3):
        file_records(now=AFTER + timedelta(minutes=minute))
    (card,) = box.reports(one.me, cursor=None, limit=10, now=AFTER).items
    assert len(box.report(one.me, card.id, now=AFTER).papers) == 4
