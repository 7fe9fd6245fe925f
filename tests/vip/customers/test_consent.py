"""Consent: whose reports need it, how it is asked for and given, and what happens without it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from booking.reports.box import report, reports
from booking.reports.fetch import announce
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound, TooMany
from tests.people import NOON, PHONE, SmsBox, consents, make_customer, signed_in
from tests.reports import LATER, content, deliver, fetch, listed, report_row
from tests.world import World, make_world
from vip.customers import consent
from vip.customers.consent import (
    ConsentMissing,
    ConsentNotNeeded,
    ask_consent,
    ask_withdrawal,
    give_consent,
    may_show,
    withdraw_by_phone,
    withdraw_consent,
)
from vip.customers.family import NewMember, add_member
from vip.models import Beneficiary
from vip.principal import Principal
from vip.signin.codes import CodeEnded, WrongCode

pytestmark = pytest.mark.usefixtures("db")

HIS_PHONE = "13900000055"


@pytest.fixture
def me() -> Principal:
    make_customer()
    return signed_in()


def add(me: Principal, born: date = date(1955, 5, 1), relation: str = "father", name: str = "沈伯年") -> str:
    """A relative; the public id."""
    return add_member(me, NewMember(relation, name, "male", born), NOON).public_id


def state(me: Principal, public_id: str) -> str:
    return consent.consents(me, NOON)[public_id].state


def agree(me: Principal, public_id: str, box: SmsBox, phone: str = HIS_PHONE) -> None:
    """He is sent a code and passes it on."""
    ask_consent(me, public_id, phone, now=NOON, gateway=box)
    give_consent(me, public_id, phone, box.code_for(phone), now=NOON)


def fathers_world() -> tuple[World, str]:
    """A world whose bookings are the father's, and his public id; the mother has agreed, which says nothing of him."""
    world = make_world(quantity=4)
    consents(add_member(world.principal, NewMember("mother", "林月华", "female", date(1957, 3, 2)), NOON).public_id)
    father = add(world.principal)
    with reading() as session:
        world.beneficiary = session.scalars(select(Beneficiary).where(Beneficiary.public_id == father)).one()
    return world, father


# --- who needs it ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        (date(2008, 3, 2), "missing"),  # 18 on the day
        (date(2008, 3, 3), "not_needed"),  # the day before her birthday
        (date(2020, 1, 1), "not_needed"),
        (date(1955, 5, 1), "missing"),
    ],
)
def test_adults_are_asked_and_children_are_not(me: Principal, born: date, expected: str) -> None:
    child = add(me, born, "son")
    assert state(me, child) == expected
    with reading() as session:
        assert _shown(session, child) is (expected == "not_needed")


def _shown(session: Session, public_id: str, now: object = NOON) -> bool | None:
    person = session.scalars(select(Beneficiary.id).where(Beneficiary.public_id == public_id)).one()
    return session.scalar(select(may_show(literal(person), now)))  # type: ignore[arg-type]


def test_she_comes_of_age_at_midnight_where_the_insurer_is(me: Principal) -> None:
    son = add(me, date(2008, 3, 3), "son")
    midnight = NOON + timedelta(hours=12)  # 16:00 UTC is midnight in Shanghai
    with reading() as session:
        assert _shown(session, son, midnight - timedelta(seconds=1)) is True
        assert _shown(session, son, midnight) is False


@pytest.mark.parametrize(("today", "adult"), [(date(2026, 2, 27), False), (date(2026, 2, 28), True)])
def test_who_is_born_on_29_february_comes_of_age_on_the_28th(today: date, adult: bool) -> None:
    assert consent.is_adult(date(2008, 2, 29), today) is adult


def test_the_customer_herself_needs_none(me: Principal) -> None:
    (own,) = consent.consents(me, NOON).values()
    assert own.state == "not_needed"
    with pytest.raises(ConsentNotNeeded):
        ask_consent(me, own.beneficiary_id, HIS_PHONE, now=NOON, gateway=SmsBox())


# --- how it is given -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("沈伯年", "沈伯年"),
        ("买买提·艾力", "买买提·艾力"),
        ("Mary-Jane O'Neil", "Mary-Jane O'Neil"),
        ("https://prize.example/win", "https prize example"),
        ("中奖请拨 400-123-4567", "中奖请拨 - -"),
        ("恭喜" * 30, "恭喜" * 10),
    ],
)
def test_a_text_to_a_stranger_carries_no_link_and_no_number_in_place_of_a_name(
    me: Principal, name: str, shown: str
) -> None:
    box = SmsBox()
    ask_consent(me, add(me, name=name), HIS_PHONE, now=NOON, gateway=box)
    ((_, words),) = box.texts
    assert f"查看{shown}的健康报告" in words


def test_the_text_says_who_asks_for_what_and_its_code_is_the_consent(me: Principal) -> None:
    father, box = add(me), SmsBox()
    ask_consent(me, father, HIS_PHONE, now=NOON, gateway=box)
    ((to, words),) = box.texts
    assert to == "+8613900000055"
    assert "沈静宜" in words and "健康报告" in words and "同意" in words
    assert state(me, father) == "missing", "asking is not agreeing"
    given = give_consent(me, father, HIS_PHONE, box.code_for(HIS_PHONE), now=NOON)
    assert (given.state, given.given_at, given.method) == ("given", NOON, "phone_code")
    assert state(me, father) == "given"
    with pytest.raises(ConsentNotNeeded):
        ask_consent(me, father, HIS_PHONE, now=NOON, gateway=box)
    with reading() as session:
        (line,) = session.scalars(select(AuditLine).where(AuditLine.action == "consent.given")).all()
    assert (line.subject, line.facts) == (father, {"purpose": "reports", "method": "phone_code"})


def test_her_own_phone_proves_nothing(me: Principal) -> None:
    with pytest.raises(Invalid) as refused:
        ask_consent(me, add(me), PHONE, now=NOON, gateway=SmsBox())
    assert refused.value.facts == {"reason": "own_phone"}


def test_a_code_counts_for_the_person_it_was_asked_for_alone(me: Principal) -> None:
    father, mother, box = add(me), add(me, relation="mother"), SmsBox()
    ask_consent(me, father, HIS_PHONE, now=NOON, gateway=box)
    with pytest.raises(CodeEnded):
        give_consent(me, mother, HIS_PHONE, box.code_for(HIS_PHONE), now=NOON)
    assert state(me, mother) == "missing"


def test_wrong_and_late_codes_give_nothing(me: Principal) -> None:
    father, box = add(me), SmsBox()
    ask_consent(me, father, HIS_PHONE, now=NOON, gateway=box)
    right = box.code_for(HIS_PHONE)
    with pytest.raises(WrongCode):
        give_consent(me, father, HIS_PHONE, "000000" if right != "000000" else "111111", now=NOON)
    with pytest.raises(CodeEnded):
        give_consent(me, father, HIS_PHONE, right, now=NOON + timedelta(minutes=5))
    with pytest.raises(CodeEnded):
        give_consent(me, father, "13900000056", right, now=NOON)
    assert state(me, father) == "missing"


def test_a_customer_cannot_have_texts_sent_to_strangers_all_day(me: Principal) -> None:
    father, box = add(me), SmsBox()
    for number in range(10):
        ask_consent(me, father, f"139000001{number:02d}", now=NOON, gateway=box)
    with pytest.raises(TooMany):
        ask_consent(me, father, "13900000199", now=NOON, gateway=box)
    assert len(box.texts) == 10
    ask_consent(me, father, "13900000199", now=NOON + timedelta(hours=1, seconds=1), gateway=box)


def test_somebody_elses_family_is_not_there(me: Principal) -> None:
    father = add(me)
    make_customer("13800000077")
    other = signed_in("13800000077")
    for attempt in (
        lambda: ask_consent(other, father, HIS_PHONE, now=NOON, gateway=SmsBox()),
        lambda: give_consent(other, father, HIS_PHONE, "123456", now=NOON),
        lambda: withdraw_consent(other, father, now=NOON),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert father not in consent.consents(other, NOON)


# --- what it rules ---------------------------------------------------------------------------------------------------


def test_without_consent_a_report_waits_and_with_it_the_report_comes() -> None:
    world, father = fathers_world()
    public_id = world.submit()
    remote = listed(world, public_id)
    from_provider = content(remote)
    with transaction() as session:
        announce(session, world.provider.id, remote, now=NOON)
    assert fetch(world, from_provider) == {}, "not even asked for"
    assert report_row().failures == 0
    agree(world.principal, father, SmsBox())
    assert fetch(world, from_provider) == {"stored": 1}
    assert report(world.principal, report_row().public_id, now=LATER).beneficiary_id == father


def test_a_withdrawn_consent_hides_what_was_there_and_a_new_one_shows_it_again() -> None:
    world, father = fathers_world()
    consents(father)
    public_id = deliver(world, world.submit())
    withdraw_consent(world.principal, father, now=LATER)
    withdraw_consent(world.principal, father, now=LATER)
    assert reports(world.principal, cursor=None, limit=9, now=LATER).items == []
    with pytest.raises(ConsentMissing) as refused:
        report(world.principal, public_id, now=LATER)
    assert refused.value.facts == {"beneficiary_id": father}
    agree(world.principal, father, SmsBox())
    assert [card.id for card in reports(world.principal, cursor=None, limit=9, now=LATER).items] == [public_id]


def test_she_takes_it_back_herself_by_the_phone_she_agreed_with(me: Principal) -> None:
    father, mother, box = add(me), add(me, relation="mother"), SmsBox()
    agree(me, father, box)
    agree(me, mother, box, "13900000066")
    ask_withdrawal(HIS_PHONE, now=NOON, gateway=box)
    code = box.code_for(HIS_PHONE)
    with pytest.raises(CodeEnded):
        withdraw_by_phone("13900000066", code, now=NOON)
    assert withdraw_by_phone(HIS_PHONE, code, now=NOON) == 1
    assert (state(me, father), state(me, mother)) == ("missing", "given")
    with pytest.raises(CodeEnded):
        withdraw_by_phone(HIS_PHONE, code, now=NOON)


def test_a_phone_that_agreed_to_nothing_gets_no_text_and_the_same_answer(me: Principal) -> None:
    father, box = add(me), SmsBox()
    agree(me, father, box)
    sent = len(box.texts)
    assert ask_withdrawal("13900000077", now=NOON, gateway=box) == ask_withdrawal(HIS_PHONE, now=NOON, gateway=box)
    assert len(box.texts) == sent + 1


def test_without_consent_one_can_still_book() -> None:
    world, _father = fathers_world()
    assert world.submit()
