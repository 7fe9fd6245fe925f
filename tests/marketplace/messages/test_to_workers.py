"""Those who are asked to go somewhere are told so by SMS: once each, by day, and nobody's name with it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from booking.changes.cancel import cancel
from booking.escort.assign import accept, ask, decline, replace
from booking.escort.assigning.answer_time import notify_from
from booking.escort.at_desk.asked import asks_of
from booking.escort.models import EscortAssignment, EscortLetter, EscortWorker
from booking.escort.records import phone_record
from booking.twins.book import book_for_test
from marketplace.catalog.markets import LIVE
from marketplace.catalog.models import Provider
from marketplace.core import crypto
from marketplace.core.config import ROOT
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from marketplace.core.sending.outgoing import Undeliverable
from marketplace.messages.to_workers import WORKERS
from providers.staff.letters import LEASE, TRIES, Post
from tests.booking.escort.staff import DESK, EIGHT, Staff, add_operator, add_worker, after, assignments, make_staff
from tests.booking.twins.stage import with_twin
from tests.desk import make_member, member
from tests.people import NOON
from tests.world import booking_row

pytestmark = pytest.mark.usefixtures("db")

HER_PHONE = "+8613900000088"


class Phone:
    """The gateway: what it was given, and what it says to it."""

    def __init__(self) -> None:
        self.all: list[Post] = []
        self.trouble: Exception | None = None

    def __call__(self, it: Post) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.all.append(it)

    def due(self, now: datetime = NOON) -> dict[str, int]:
        """Send what is due."""
        return WORKERS.send_due(lambda: now, send=self)


@pytest.fixture
def phone() -> Phone:
    return Phone()


def with_phone(staff: Staff, **more: Any) -> EscortWorker:
    public_id = new_id("esw")
    sealed = crypto.seal_master(HER_PHONE, phone_record(public_id))
    return staff.add(public_id=public_id, phone_sealed=sealed, **more)


def told(staff: Staff, booking: str) -> list[str]:
    """What the desk sees became of the messages, of the newest question first."""
    return [each.told for each in asks_of(member(make_member(staff.provider.code, login=new_id("mei"))), booking)]


def test_who_is_asked_is_told_where_and_when_and_until_when_she_may_answer(phone: Phone) -> None:
    staff = make_staff(0)
    worker, booking = with_phone(staff), staff.book()
    asked = staff.ask(booking, worker)
    assert phone.due() == {"sent": 1} and phone.due(after(minutes=1)) == {}
    (sent,) = phone.all
    assert (sent.channel, sent.to, sent.key) == ("sms", HER_PHONE, f"{asked}_asked")
    assert "杭州市" in sent.text and "3 月 10 日 周二 08:00" in sent.text and "请联系您的机构答复" in sent.text
    due = assignments(booking)[0].answer_due_at
    assert f"请在 {due.astimezone(EIGHT.tzinfo):%H:%M} 前答复" in sent.text
    known = booking_row(booking)
    for private in ("沈静宜", "陆明", "心内科", "杭州示范总院", known.reference, booking, asked):
        assert private not in sent.text


def test_who_answers_on_her_own_page_is_led_there_and_in_english_where_she_speaks_nothing_else(phone: Phone) -> None:
    staff = make_staff(0)
    account = make_member(staff.provider.code, login="he", role="escort")
    worker = with_phone(staff, member_id=member(account).id, languages=["english"])
    staff.ask(staff.book(), worker)
    phone.due()
    assert "You are asked to go: 杭州市, Tue 10 March, 08:00." in phone.all[0].text
    assert phone.all[0].text.endswith("/desk/escort")


def test_who_has_no_phone_is_sent_nothing_and_her_desk_sees_it(phone: Phone) -> None:
    staff = make_staff(1)
    booking = staff.book()
    staff.ask(booking)
    assert phone.due() == {} and told(staff, booking) == ["no_phone"]


def test_in_test_mode_nobodys_phone_rings(phone: Phone) -> None:
    staff = make_staff(0)
    stage = with_twin(staff.made.world)
    booking = book_for_test(stage.twin.id, stage.offer.public_id, None, 1, NOON)
    with transaction() as session:
        twin = session.get_one(Provider, stage.twin.id)
        manager = add_operator(staff.provider)  # at a twin's desk are the people of the live provider
        session.add(manager)
        session.flush()
    public_id = new_id("esw")
    sealed = crypto.seal_master(HER_PHONE, phone_record(public_id))
    looked_at = {"papers": False, "papers_checked_at": NOON, "papers_checked_by": manager.id}
    worker = add_worker(twin, public_id=public_id, phone_sealed=sealed, **looked_at)
    asked = ask(twin.id, booking, worker.public_id, actor=DESK, now=NOON)
    replace(twin.id, booking, "ill", actor=DESK, now=NOON)
    assert phone.due() == {} and phone.all == []
    with reading() as session:
        assert session.scalars(select(EscortLetter)).all() == [], asked


def test_the_trigger_knows_the_live_market_by_its_number() -> None:
    said = (ROOT / "booking" / "escort" / "escort_worker_notified.sql").read_text()
    assert f"AND p.market = {LIVE};" in said


def test_her_desk_sees_whether_the_message_went_out(phone: Phone) -> None:
    staff = make_staff(0)
    worker, booking = with_phone(staff), staff.book()
    asked = staff.ask(booking, worker)
    assert told(staff, booking) == ["waits"]
    phone.due()
    assert told(staff, booking) == ["sent"]
    accept(worker.id, asked, now=after(minutes=1))
    assert told(staff, booking) == [""]


def test_a_gateway_in_trouble_keeps_nobody_from_being_asked_and_is_tried_again(phone: Phone) -> None:
    staff = make_staff(0)
    worker, booking = with_phone(staff), staff.book()
    staff.ask(booking, worker)
    phone.trouble = RuntimeError(HER_PHONE)
    assert phone.due() == {"again": 1} and assignments(booking)[0].state == "asked"
    phone.trouble = None
    assert phone.due(after(seconds=29)) == {} and phone.due(after(seconds=30)) == {"sent": 1}


def test_a_number_that_can_not_be_reached_is_given_up_at_once_and_others_after_six_tries(phone: Phone) -> None:
    staff = make_staff(0)
    booking = staff.book()
    staff.ask(booking, with_phone(staff))
    phone.trouble = Undeliverable("no such number")
    assert phone.due() == {"failed": 1} and told(staff, booking) == ["failed"]
    other = staff.book(1)
    staff.ask(other, with_phone(staff))
    phone.trouble = RuntimeError()
    with transaction() as session:
        row = session.scalars(select(EscortLetter).where(EscortLetter.given_up_at.is_(None))).one()
        row.failures = TRIES - 1
    assert phone.due() == {"failed": 1}


def test_a_worker_that_dies_with_a_message_leaves_it_to_the_next_under_the_same_key(phone: Phone) -> None:
    staff = make_staff(0)
    booking = staff.book()
    asked = staff.ask(booking, with_phone(staff))
    assert WORKERS.claim(now=NOON) is not None, "and dies: the question stands"
    assert assignments(booking)[0].state == "asked" and phone.due(NOON + LEASE - timedelta(seconds=1)) == {}
    assert phone.due(NOON + LEASE) == {"sent": 1} and phone.all[0].key == f"{asked}_asked"


def test_who_has_answered_before_it_went_out_is_not_asked_again(phone: Phone) -> None:
    staff = make_staff(0)
    yes, no = with_phone(staff), with_phone(staff)
    accept(yes.id, staff.ask(staff.book(), yes), now=NOON)
    decline(no.id, staff.ask(staff.book(1), no), now=NOON)
    assert phone.due() == {"gone": 2} and phone.due(after(hours=1)) == {} and phone.all == []


def test_a_question_whose_time_is_over_is_not_asked(phone: Phone) -> None:
    staff = make_staff(0)
    booking = staff.book()
    staff.ask(booking, with_phone(staff))
    assert phone.due(assignments(booking)[0].answer_due_at) == {"gone": 1}


def test_who_is_replaced_after_her_yes_is_told_that_she_is_not_needed(phone: Phone) -> None:
    staff = make_staff(0)
    worker, booking = with_phone(staff), staff.book()
    asked = staff.ask(booking, worker)
    phone.due()
    accept(worker.id, asked, now=NOON)
    replace(staff.provider.id, booking, "desk", actor=DESK, now=after(minutes=5))
    assert phone.due(after(minutes=5)) == {"sent": 1} and phone.due(after(hours=1)) == {}
    assert "您不用去了" in phone.all[1].text and phone.all[1].key == f"{asked}_not_needed"


def test_whose_booking_is_cancelled_is_told_where_she_may_have_read_that_she_is_asked(phone: Phone) -> None:
    staff = make_staff(0)
    principal = staff.made.world.principal
    read, unread = staff.book(), staff.book(1)
    staff.ask(read, with_phone(staff))
    phone.due()
    staff.ask(unread, with_phone(staff))
    for booking in (read, unread):
        cancel(principal, booking, now=after(minutes=1))
        assert assignments(booking)[0].state == "withdrawn"
    assert phone.due(after(minutes=1)) == {"sent": 1}
    assert [each.key for each in phone.all] == [
        f"{assignments(read)[0].public_id}_{what}" for what in ("asked", "not_needed")
    ]


def test_what_is_being_sent_while_it_is_taken_back_is_followed_by_the_other_message(phone: Phone) -> None:
    staff = make_staff(0)
    booking = staff.book()
    staff.ask(booking, with_phone(staff))
    claimed = WORKERS.claim(now=NOON)
    replace(staff.provider.id, booking, "desk", actor=DESK, now=NOON)
    assert claimed is not None and phone.due() == {"sent": 1} and "不用去了" in phone.all[0].text


@pytest.mark.parametrize(
    ("at", "outcome"), [("21:59", "sent"), ("22:00", "waits"), ("07:59", "waits"), ("08:00", "sent")]
)
def test_what_is_days_away_waits_for_the_morning(phone: Phone, at: str, outcome: str) -> None:
    staff = make_staff(0, firm=True)
    now = datetime.fromisoformat(f"2026-03-05T{at}:00+08:00")
    booking = staff.book(now=now)
    staff.ask(booking, with_phone(staff), now=now)
    assert phone.due(now) == {outcome: 1}
    if outcome == "waits":
        morning = datetime.fromisoformat(f"2026-03-0{6 if at == '22:00' else 5}T08:00:00+08:00")
        assert phone.due(morning - timedelta(seconds=1)) == {} and phone.due(morning) == {"sent": 1}


def test_what_is_for_tomorrow_or_must_be_answered_in_the_night_does_not_wait() -> None:
    zone, night = "Asia/Shanghai", datetime.fromisoformat("2026-03-09T23:00:00+08:00")
    assert notify_from(EIGHT, night, zone=zone) == night
    later, morning = EIGHT + timedelta(days=3), datetime.fromisoformat("2026-03-10T08:00:00+08:00")
    assert notify_from(later, night, zone=zone) == morning
    assert notify_from(later, night, zone=zone, answer_due_at=morning) == night
    assert notify_from(later, night, zone=zone, answer_due_at=morning + timedelta(minutes=15)) == morning


def test_a_phone_that_is_forgotten_meanwhile_is_sent_nothing(phone: Phone) -> None:
    staff = make_staff(0)
    worker = with_phone(staff)
    staff.ask(staff.book(), worker)
    with transaction() as session:
        session.get_one(EscortWorker, worker.id).phone_sealed = None
    assert phone.due() == {"gone": 1}


def test_one_message_a_question_even_where_the_row_is_written_again() -> None:
    staff = make_staff(0)
    worker, booking = with_phone(staff), staff.book()
    staff.ask(booking, worker)
    with transaction() as session:
        session.get_one(EscortAssignment, assignments(booking)[0].id).travel_seconds += 60
    with reading() as session:
        assert len(session.scalars(select(EscortLetter)).all()) == 1
