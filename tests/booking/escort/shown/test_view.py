"""What a customer sees of an escort, stage by stage."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.engine import Engine

from booking.escort.following.follow import follow
from booking.escort.following.links import NewLink, links_of, make_link
from booking.escort.shown.pictures import VIEWED, paper
from booking.escort.shown.view import VIEWED as OPENED
from booking.escort.shown.view import escort, escort_mark
from booking.models import Booking
from booking.ratings.models import Rating
from booking.states import BookingState
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from tests.escorting import CODE, SAFE_WORD, another, escorted
from tests.people import NOON, make_customer, signed_in
from tests.world import EIGHT, booking_row, go, make_world
from vip.customers.consent import ConsentMissing
from vip.customers.family import NewMember, add_member
from vip.models import Beneficiary


def test_before_somebody_is_found_it_says_until_when_an_answer_was_promised(db: Engine) -> None:
    one = escorted(confirmed=False, sent=False)
    seen = escort(one.me, one.booking, now=NOON)
    assert seen.stage == "looking" and seen.worker is None
    assert seen.looking_until == booking_row(one.booking).answer_due_at is not None
    assert (seen.safe_word, seen.code, seen.awaited) == ("", "", None)
    go(one.booking, BookingState.CONFIRMED)
    assert escort(one.me, one.booking, now=NOON).looking_until == EIGHT


def test_who_comes_with_safe_word_and_code_and_then_the_steps(db: Engine) -> None:
    one = escorted()
    seen = escort(one.me, one.booking, now=NOON)
    assert seen.worker is not None
    assert (seen.stage, seen.worker.name, seen.worker.staff_number) == ("coming", "何静", "HZ 0427")
    assert (seen.worker.done, seen.worker.stars, seen.worker.papers_checked_at) == (0, None, None)
    assert (seen.safe_word, seen.code) == (SAFE_WORD, CODE)
    one.did("on_the_way", 2)
    one.did("arrived", 20, position="within")
    one.did("note", 30, words="走路不需要搀扶")
    one.did("cost", 40, cost=(5_000, "CNY", "挂号费"))
    seen = escort(one.me, one.booking, now=NOON)
    assert seen.stage == "under_way"
    done = [(it.what, it.at, it.position) for it in seen.steps if it.state == "done"]
    assert done == [
        ("on_the_way", EIGHT + timedelta(minutes=2), None),
        ("arrived", EIGHT + timedelta(minutes=20), "within"),
    ]
    assert [it.what for it in seen.steps if it.state == "now"] == ["met"]
    assert [it.words for it in seen.notes] == ["走路不需要搀扶"]
    assert [(it.what, it.amount_minor, it.receipt) for it in seen.costs] == [("挂号费", 5_000, None)]


def test_deeds_stand_in_their_numbers_order_however_they_arrived(db: Engine) -> None:
    one = escorted()
    late = EIGHT + timedelta(hours=3)
    one.did("on_the_way", 2, received=late)
    one.did("met", 20, received=late - timedelta(hours=1))
    assert [it.what for it in escort(one.me, one.booking, now=NOON).steps][:2] == ["on_the_way", "met"]


def test_a_worker_who_was_replaced_is_told_plainly(db: Engine) -> None:
    one = escorted()
    one.did("on_the_way", 1)
    one.ended("replaced", "late", EIGHT)
    seen = escort(one.me, one.booking, now=NOON)
    assert (seen.stage, seen.worker, seen.safe_word) == ("looking", None, "")
    one.send("周岚")
    seen = escort(one.me, one.booking, now=NOON)
    assert seen.worker is not None and seen.worker.name == "周岚" and seen.stage == "coming"
    assert [(it.name, it.cause, it.at) for it in seen.replaced] == [("何静", "late", EIGHT)]
    assert [it.what for it in seen.steps][:3] == ["on_the_way", "replaced", "on_the_way"]


def test_who_was_only_asked_is_nobodys_news(db: Engine) -> None:
    one = escorted(sent=False)
    one.send("没空", state="declined", cause="declined")
    seen = escort(one.me, one.booking, now=NOON)
    assert seen.stage == "looking" and not seen.replaced and "没空" not in repr(seen)


def test_what_was_done_for_another_date_is_not_told_and_what_is_doubtful_is(db: Engine) -> None:
    one = escorted()
    for kind, said in (("note", {"words": "旧"}), ("cost", {"cost": (5, "CNY", "旧")}), ("paper", {"picture": True})):
        one.did(kind, 1, **said)
    one.did("handed_over", 200, words="旧")
    one.ended("withdrawn", "moved")
    one.send("周岚")
    one.did("signed", received=EIGHT - timedelta(days=3))
    seen = escort(one.me, one.booking, now=NOON)
    assert [it.what for it in seen.steps if it.state == "now"] == ["on_the_way"], "a slip of the hand ends nothing"
    one.ended("withdrawn", "moved")
    one.send("秦月")
    seen = escort(one.me, one.booking, now=NOON)
    assert (seen.notes, seen.costs, seen.papers, seen.handed_over, seen.stage) == ((), (), (), "", "coming")
    one.did("met", 5, doubt="ahead")
    one.did("cost", 9, cost=(99_900, "CNY", "打车"), doubt="after")
    seen = escort(one.me, one.booking, now=NOON)
    assert [it.doubt for it in (seen.steps[0], *seen.costs)] == ["ahead", "after"]


def test_safe_word_and_code_are_gone_once_it_is_over(db: Engine) -> None:
    one = escorted()
    one.did("handed_over", 90, words="药已交给林女士")
    assert escort(one.me, one.booking, now=NOON).stage == "handed_over"
    go(one.booking, BookingState.FULFILLED)
    seen = escort(one.me, one.booking, now=NOON)
    assert (seen.stage, seen.safe_word, seen.code, seen.handed_over) == ("done", "", "", "药已交给林女士")
    assert seen.worker is not None and seen.worker.done == 1


def test_an_average_is_shown_from_three_ratings_on(db: Engine) -> None:
    one = escorted(slots=25, quantity=3)
    escorts = [one, another(one, 8), another(one, 16)]
    for each, stars, shown in zip(escorts, (5, 4, 4), (None, None, 4.3), strict=True):
        go(each.booking, BookingState.FULFILLED)
        with transaction() as session:
            session.add(Rating(booking_id=booking_row(each.booking).id, stars=stars, at=NOON, changed_at=NOON))
        worker = escort(one.me, one.booking, now=NOON).worker
        assert worker is not None and worker.stars == shown
    assert (worker.done, worker.ratings) == (3, 3)


def test_the_mark_moves_with_each_thing_that_the_page_shows(db: Engine) -> None:
    one = escorted(sent=False)
    marks = [escort_mark(one.me, one.booking)]
    for happens in (
        lambda: one.send(),
        lambda: one.did("on_the_way"),
        lambda: one.ended("replaced", "ill"),
        lambda: go(one.booking, BookingState.CANCELLED),
    ):
        happens()
        marks.append(escort_mark(one.me, one.booking))
    assert len(set(marks)) == len(marks)
    assert escort_mark(one.me, one.booking) == marks[-1]


def test_a_paper_is_opened_by_its_customer_alone_and_each_look_is_a_line_of_the_audit(db: Engine) -> None:
    one = escorted()
    picture = one.did("paper", 10, picture=True, words="心电图")
    assert [(it.id, it.words) for it in escort(one.me, one.booking, now=NOON).papers] == [(picture, "心电图")]
    assert looks() == []
    assert paper(one.me, one.booking, picture, now=NOON).startswith(b"\xff\xd8\xff")
    assert looks() == [(one.me.public_id, picture)]
    make_customer("13800000031")
    other = one.made.hold(1)
    go(other, BookingState.AWAITING_PROVIDER)
    for who, booking in ((signed_in("13800000031"), one.booking), (one.me, other)):
        with pytest.raises(NotFound):
            paper(who, booking, picture, now=NOON)
    assert len(looks()) == 1


def test_an_adults_paper_waits_for_her_consent(db: Engine) -> None:
    one = escorted()
    picture = one.did("paper", 10, picture=True)
    mother = add_member(one.me, NewMember("mother", "林素琴", "female", date(1953, 9, 3)), NOON)
    with transaction() as session:
        her = select(Beneficiary.id).where(Beneficiary.public_id == mother.public_id).scalar_subquery()
        session.execute(update(Booking).values(beneficiary_id=her))
    with pytest.raises(ConsentMissing):
        paper(one.me, one.booking, picture, now=NOON)
    assert looks() == []


def test_what_the_escort_wrote_of_an_adult_is_shown_as_papers_are_and_each_opening_is_recorded(db: Engine) -> None:
    one = escorted()
    one.did("note", 1, words="走得慢")
    one.did("paper", 2, picture=True, words="病理")
    one.did("cost", 3, cost=(5_000, "CNY", "化疗药"))
    one.did("consulted", 4, words="要化疗")
    one.did("handed_over", 5, words="下周化疗")
    token = make_link(one.me, one.booking, NewLink("哥哥", with_notes=True), now=NOON).token
    mine = escort(one.me, one.booking, now=NOON)
    escort(one.me, one.booking, now=NOON, look=False)
    assert (mine.handed_over, mine.consent_of) == ("下周化疗", "") and opened() == [one.me.public_id]
    assert [it.words for it in follow(token, now=NOON).notes] == ["走得慢"]
    for steps in (mine.steps, follow(token, now=NOON).steps):
        assert [(it.what, it.words) for it in steps if it.words] == [("consulted", "要化疗")], "under its step"
    with transaction() as session:
        person = session.get_one(Beneficiary, booking_row(one.booking).beneficiary_id)
        person.relation = "mother_in_law"
    hidden = escort(one.me, one.booking, now=NOON)
    assert (hidden.notes, hidden.handed_over, hidden.consent_of) == ((), "", person.public_id)
    assert ([it.words for it in hidden.papers], [(it.what, it.amount_minor) for it in hidden.costs]) == (
        [""],
        [("", 5_000)],
    )
    seen = follow(token, now=NOON)
    assert "化疗" not in repr((hidden.steps, [it.words for it in (*hidden.steps, *seen.steps)]))
    assert seen.notes == () and opened() == [one.me.public_id]


def test_what_is_no_escort_or_somebody_elses_is_not_there(db: Engine) -> None:
    one = escorted(sent=False)
    held = one.made.hold(1)
    make_customer("13800000031")
    checkup = make_world(phone="13800000032")
    attempts = (
        (signed_in("13800000031"), one.booking),
        (one.me, held),
        (checkup.principal, checkup.submit()),
        (one.me, "bkg_unknown"),
    )
    for who, booking in attempts:
        with pytest.raises(NotFound):
            escort(who, booking, now=NOON)
    assert links_of(one.me, one.booking, now=NOON) == []


def opened() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(AuditLine.actor).where(AuditLine.action == OPENED)))


def looks() -> list[tuple[str, str]]:
    with reading() as session:
        rows = session.execute(select(AuditLine.actor, AuditLine.facts).where(AuditLine.action == VIEWED))
        return [(row.actor, row.facts["picture"]) for row in rows]


def test_of_one_that_is_opened_again_who_goes_now_is_shown_and_her_word(db: Engine) -> None:
    one = escorted()
    one.did("met", 5)
    go(one.booking, BookingState.FULFILLED, BookingState.IN_SERVICE)
    one.send("周岚")
    seen = escort(one.me, one.booking, now=NOON)
    assert one.assignment is not None and seen.worker is not None
    assert (seen.worker.name, seen.code) == ("周岚", CODE)
