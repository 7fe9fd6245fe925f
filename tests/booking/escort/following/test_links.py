"""The family's links: what they show, when they end, and who is told nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.engine import Engine

from booking.escort.following.follow import WRONG_BY_CALLER, find_link, follow
from booking.escort.following.links import (
    MOST_LINKS,
    NewLink,
    NothingToFollow,
    TooManyFollowers,
    end_link,
    links_of,
    make_link,
)
from booking.escort.following.models import EscortLink
from booking.idempotency import Repeatable, forget_keys
from booking.models import Booking
from booking.states import BookingState
from marketplace.catalog.english.surnames import given_name
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound, TooMany
from tests.escorting import Escorted, escorted
from tests.people import NOON, make_customer, signed_in
from tests.world import EIGHT, go
from vip.models import Customer
from vip.signin.limits import Caller

BROTHER = NewLink("哥哥")
END_OF_DAY = datetime(2026, 3, 10, 16, tzinfo=UTC)
"""Midnight after the tenth of March in Shanghai."""


def token_of(one: Escorted, new: NewLink = BROTHER, now: datetime = NOON) -> str:
    return make_link(one.me, one.booking, new, now=now).token


def found(token: str, now: datetime = NOON) -> bool:
    try:
        find_link(token, now=now)
    except NotFound:
        return False
    return True


def test_a_link_shows_the_steps_and_nothing_else(db: Engine) -> None:
    one = escorted()
    one.did("on_the_way", 1)
    one.did("note", 2, words="血压药已服")
    one.did("paper", 3, picture=True, words="心电图")
    one.did("cost", 4, cost=(5_000, "CNY", "挂号费"))
    one.did("handed_over", 5, words="一切顺利")
    plain = follow(token_of(one), now=NOON)
    assert [(it.what, it.at) for it in plain.steps if it.at] == [
        ("on_the_way", EIGHT + timedelta(minutes=1)),
        ("handed_over", EIGHT + timedelta(minutes=5)),
    ]
    shown = repr(vars(plain))
    assert plain.for_whom == "哥哥" and plain.notes == () and plain.name == "静宜"
    for hidden in ("沈静宜", "血压药", "心电图", "挂号费", "一切顺利", "何静", "13900000099", "轮椅", "wheelchair"):
        assert hidden not in shown
    with_notes = follow(token_of(one, replace(BROTHER, with_notes=True)), now=NOON)
    assert [(it.at, it.words) for it in with_notes.notes] == [(EIGHT + timedelta(minutes=2), "血压药已服")]
    for hidden in ("心电图", "挂号费", "一切顺利"):
        assert hidden not in repr(vars(with_notes))


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("沈静宜", "静宜"), ("李静", "静"), ("欧阳娜", "娜"), ("司马相如", "相如"), ("张李美玉", "美玉"),
        ("LIU Ying", ""), ("LiuYing", ""), ("Ying Liu", ""), ("迪丽热巴·买买提", ""), ("王", ""), ("", ""),
    ],
)  # fmt: skip
def test_no_surname_is_shown(name: str, given: str) -> None:
    assert given_name(name) == given


def test_a_token_is_stored_as_a_hash_alone_and_the_name_sealed(db: Engine) -> None:
    one = escorted(sent=False)
    token = token_of(one)
    with reading() as session:
        row = session.scalars(select(EscortLink)).one()
    assert token.encode() not in row.token_hash and "哥哥".encode() not in (row.name_sealed or b"")


@pytest.mark.parametrize(
    ("days_after", "ends"), [(0, END_OF_DAY), (1, END_OF_DAY + timedelta(days=1))], ids=["same day", "day after"]
)
def test_a_link_ends_with_its_day(db: Engine, days_after: int, ends: datetime) -> None:
    one = escorted(sent=False)
    token = token_of(one, NewLink("哥哥", days_after))
    assert found(token, ends - timedelta(seconds=1)) and not found(token, ends)
    assert [(it.state, it.expires_at) for it in links_of(one.me, one.booking, now=ends)] == [("expired", ends)]


def test_a_link_ends_earlier_where_the_booking_is_moved_to_an_earlier_day(db: Engine) -> None:
    one = escorted(sent=False)
    token = token_of(one)
    with transaction() as session:
        session.execute(update(Booking).values(service_date=date(2026, 3, 9)))
    assert not found(token, END_OF_DAY - timedelta(days=1))


def test_unknown_ended_and_expired_links_and_those_of_a_blocked_customer_look_alike(db: Engine) -> None:
    one = escorted(sent=False)
    ended, blocked = token_of(one), token_of(one)
    end_link(one.me, one.booking, links_of(one.me, one.booking, now=NOON)[1].id, now=NOON)
    answers = []
    for token, now in ((ended, NOON), ("x" * 43, NOON), ("", NOON), ("密", NOON), (blocked, END_OF_DAY)):
        with pytest.raises(NotFound) as refused:
            find_link(token, now=now)
        answers.append((refused.value.code, refused.value.facts))
        with pytest.raises(NotFound):
            follow(token, now=now)
    assert found(blocked)
    with transaction() as session:
        session.execute(update(Customer).values(blocked_at=NOON))
    assert not found(blocked)
    assert len({repr(each) for each in answers}) == 1


def test_each_look_is_recorded_and_shown_to_the_customer_and_what_a_page_asks_by_itself_is_none(db: Engine) -> None:
    one = escorted()
    first, second = token_of(one), token_of(one, NewLink("嫂子"))
    find_link(first, now=NOON)
    follow(first, now=NOON)
    follow(first, now=NOON + timedelta(minutes=1), look=False)
    follow(first, now=NOON + timedelta(minutes=2))
    later, earlier = links_of(one.me, one.booking, now=NOON)
    assert (earlier.name, list(earlier.looks)) == ("哥哥", [NOON + timedelta(minutes=2), NOON])
    assert (later.name, list(later.looks)) == ("嫂子", [])
    assert found(second)


def test_there_are_a_few_at_a_time(db: Engine) -> None:
    one = escorted(sent=False)
    for _number in range(MOST_LINKS):
        token_of(one)
    with pytest.raises(TooManyFollowers):
        token_of(one)
    end_link(one.me, one.booking, links_of(one.me, one.booking, now=NOON)[0].id, now=NOON)
    token_of(one)


@pytest.mark.parametrize(
    ("new", "field", "reason"),
    [
        (NewLink("  "), "name", "required"),
        (NewLink("长" * 31), "name", "too_long"),
        (NewLink("a\x00"), "name", "bad_characters"),
        (NewLink("哥哥", 2), "days_after", "not_offered"),
    ],
)
def test_what_is_wrong_is_named(new: NewLink, field: str, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        make_link(None, "bkg_x", new, now=NOON)  # type: ignore[arg-type]
    assert (refused.value.at, refused.value.facts["reason"]) == (field, reason)


def test_there_is_nothing_to_follow_of_what_is_over_or_does_not_take_place(db: Engine) -> None:
    one = escorted(sent=False)
    with pytest.raises(NothingToFollow):
        token_of(one, now=END_OF_DAY)
    token_of(one, NewLink("哥哥", 1), now=END_OF_DAY)
    go(one.booking, BookingState.CANCELLED)
    with pytest.raises(NothingToFollow):
        token_of(one)


def test_another_customer_finds_neither_the_booking_nor_its_links(db: Engine) -> None:
    one = escorted(sent=False)
    token_of(one)
    link = links_of(one.me, one.booking, now=NOON)[0].id
    make_customer("13800000031")
    stranger = signed_in("13800000031")
    for attack in (
        lambda: make_link(stranger, one.booking, BROTHER, now=NOON),
        lambda: links_of(stranger, one.booking, now=NOON),
        lambda: end_link(stranger, one.booking, link, now=NOON),
    ):
        with pytest.raises(NotFound):
            attack()
    assert links_of(one.me, one.booking, now=NOON)[0].state == "open"


def test_a_link_is_ended_at_its_own_booking_alone(db: Engine) -> None:
    one = escorted(sent=False)
    token = token_of(one)
    other = one.made.hold(1)
    go(other, BookingState.AWAITING_PROVIDER)
    with pytest.raises(NotFound):
        end_link(one.me, other, links_of(one.me, one.booking, now=NOON)[0].id, now=NOON)
    assert found(token) and links_of(one.me, other, now=NOON) == []


def test_who_names_links_that_are_none_is_slowed_down_and_who_has_one_is_not(db: Engine) -> None:
    one = escorted(sent=False)
    token, guesser = token_of(one), Caller("203.0.113.7")
    for number in range(WRONG_BY_CALLER.capacity):
        with pytest.raises(NotFound):
            find_link(f"guess-{number}", now=NOON, caller=guesser)
    with pytest.raises(TooMany):
        find_link("guess", now=NOON, caller=guesser)
    find_link(token, now=NOON, caller=guesser)
    with pytest.raises(NotFound):
        find_link("guess", now=NOON, caller=Caller("203.0.113.8"))


def test_a_form_that_is_sent_again_when_its_key_is_forgotten_shows_the_same_link(db: Engine) -> None:
    one = escorted(sent=False)
    sent = Repeatable(one.me.public_id, "escort_link:1", b"x" * 32)
    made = make_link(one.me, one.booking, BROTHER, sent, now=NOON)
    later = NOON + timedelta(days=3)
    assert forget_keys(now=later) > 0
    for _time in range(2):
        again = make_link(one.me, one.booking, BROTHER, sent, now=later)
        assert (again.link.id, again.token) == (made.link.id, made.token)
    assert len(links_of(one.me, one.booking, now=later)) == 1
