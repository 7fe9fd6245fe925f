"""What every purpose keeps to for which a code or a password is tried: it locks nobody out, and goes by turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import text

from booking.messages import settings as message_settings
from booking.personal import erase, export
from marketplace.core.database.db import reading
from marketplace.core.errors import Refusal, TooMany
from tests.people import NOON, OTHER_PHONE, PHONE, SmsBox, make_customer, signed_in
from tests.tries import ATTACKERS, CALLERS, EMAIL, NEW_PHONE, OWNER, PURPOSES, MailBox, Tries, customers, lin
from vip.customers import change_phone, consent
from vip.customers.family import NewMember, add_member
from vip.operators import account_changes, administration, operators, sign_in_steps
from vip.operators.sign_in_steps import NextStep, OperatorSignedIn
from vip.signin import codes, limits, signin, turns
from vip.signin.authentication import authenticate
from vip.signin.limits import Limit
from vip.signin.signin import SignInAgain
from vip.signin.turns import Crowded, Queues

pytestmark = pytest.mark.usefixtures("db", "cheap")
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
MOST = 100

every_purpose = pytest.mark.parametrize("purpose", PURPOSES, ids=lambda it: it.__name__)


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Passwords whose comparing takes no time."""
    monkeypatch.setattr(operators, "HASHING", "pbkdf2:sha256:1")
    operators._nobodys_hash.cache_clear()
    yield
    operators._nobodys_hash.cache_clear()


def until_refused(tries: Tries, who: str, now: datetime) -> int:
    """She tries until a limit refuses her; the seconds after which she may come back."""
    for _ in range(MOST):
        try:
            tries.wrong(who, now)
        except TooMany as refusal:
            return int(refusal.facts["retry_after"])
        except tries.refused:
            pass
    pytest.fail("nothing refuses her")


def outcome(attempt: Callable[[], object]) -> type[Refusal] | None:
    try:
        attempt()
    except Refusal as refusal:
        return type(refusal)
    return None


def buckets() -> list[tuple[bytes, float]]:
    with reading() as session:
        return [tuple(row) for row in session.execute(text("SELECT key_hash, tokens FROM rate_bucket ORDER BY 1"))]


@every_purpose
def test_wrong_tries_from_elsewhere_keep_the_owner_out_of_nothing(purpose: Callable[[], Tries]) -> None:
    tries = purpose()
    for attacker in ATTACKERS:
        assert until_refused(tries, attacker, tries.since) > 0
    assert outcome(lambda: tries.right(OWNER, tries.since)) is None


@every_purpose
def test_who_tries_too_often_is_let_in_again_at_the_second_that_the_refusal_names_and_buckets_are_forgotten(
    purpose: Callable[[], Tries],
) -> None:
    tries = purpose()
    wait = until_refused(tries, ATTACKERS[0], tries.since)
    again = tries.since + wait * SECOND
    assert outcome(lambda: tries.wrong(ATTACKERS[0], again - SECOND)) is TooMany
    assert outcome(lambda: tries.wrong(ATTACKERS[0], again)) in tries.refused
    stored = len(buckets())
    assert stored > 0
    assert limits.forget_buckets(now=again + limits.KEPT + SECOND) == stored and buckets() == []


@every_purpose
def test_when_wrong_tries_of_all_rise_there_is_an_alarm_and_no_refusal(
    purpose: Callable[[], Tries], monkeypatch: pytest.MonkeyPatch
) -> None:
    tries, said = purpose(), list[str]()
    monkeypatch.setattr(codes.log, "warning", lambda event, **facts: said.append(event))
    monkeypatch.setattr(codes, "WRONG_IN_ALL", Limit(1, 1))
    for who in ATTACKERS:
        assert outcome(lambda who=who: tries.wrong(who, tries.since)) in tries.refused  # type: ignore[misc]
    assert said == ["guessing.rises"], "once in ten minutes"
    assert outcome(lambda: tries.right(OWNER, tries.since)) is None


# --- turns -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for long."""
    monkeypatch.setattr(turns, "LONGEST_WAIT", 0.01)


def taken(queues: Queues) -> ExitStack:
    """Somebody else has every turn of these queues."""
    held = ExitStack()
    for each in (queues.strangers, queues.holders, queues.known):
        held.enter_context(each.turn("somebody else"))
    return held


@every_purpose
@pytest.mark.usefixtures("impatient")
def test_a_try_takes_its_turn_and_without_one_costs_nothing(purpose: Callable[[], Tries]) -> None:
    tries = purpose()
    with suppress(Refusal):  # a step before the one that is meant is behind her
        tries.wrong(OWNER, tries.since)
    before = buckets()
    with taken(tries.queue):
        assert outcome(lambda: tries.right(OWNER, tries.since)) is Crowded
    assert buckets() == before
    assert outcome(lambda: tries.right(OWNER, tries.since)) is None


def ask_to_sign_in(box: SmsBox) -> Callable[[str, datetime], object]:
    make_customer()
    return lambda who, now: signin.send_code(PHONE, now=now, gateway=box, caller=CALLERS[who])


def ask_to_withdraw(box: SmsBox) -> Callable[[str, datetime], object]:
    make_customer()
    me = signed_in()
    mother = add_member(me, NewMember("mother", "沈阿宝", "female", date(1955, 5, 1)), NOON).public_id
    first = SmsBox()
    consent.ask_consent(me, mother, NEW_PHONE, now=NOON, gateway=first)
    consent.give_consent(me, mother, NEW_PHONE, first.code_for(NEW_PHONE), now=NOON)
    return lambda who, now: consent.ask_withdrawal(NEW_PHONE, now=now, gateway=box, caller=CALLERS[who])


def ask_a_relative(box: SmsBox) -> Callable[[str, datetime], object]:
    people = customers()
    relatives = {
        who: add_member(one, NewMember("mother", "沈阿宝", "female", date(1955, 5, 1)), NOON).public_id
        for who, one in people.items()
    }
    return lambda who, now: consent.ask_consent(
        people[who], relatives[who], NEW_PHONE, now=now, gateway=box if who == OWNER else SmsBox()
    )


def ask_to_change_phone(box: SmsBox) -> Callable[[str, datetime], object]:
    people = customers()
    return lambda who, now: change_phone.start_phone_change(
        people[who], NEW_PHONE, now=now, gateway=box if who == OWNER else SmsBox()
    )


def ask_to_confirm_email(box: SmsBox) -> Callable[[str, datetime], object]:
    people, hers = customers(), MailBox(box)
    return lambda who, now: message_settings.give_email(
        people[who], EMAIL, now=now, gateway=hers if who == OWNER else MailBox()
    )


ASKING = (ask_to_sign_in, ask_to_withdraw, ask_a_relative, ask_to_change_phone, ask_to_confirm_email)
every_asking = pytest.mark.parametrize("asking", ASKING, ids=lambda it: it.__name__)


@every_asking
def test_codes_of_one_account_are_spaced_by_a_minute(
    asking: Callable[[SmsBox], Callable[[str, datetime], object]],
) -> None:
    box = SmsBox()
    ask = asking(box)
    ask(OWNER, NOON)
    sent = len(box.texts)
    assert sent > 0
    refused = outcome(lambda: ask(OWNER, NOON + 59 * SECOND))
    assert len(box.texts) == sent
    assert refused is (TooMany if asking is ask_to_confirm_email else None), "by phone the answer is the same"
    for attacker in ATTACKERS:
        outcome(lambda who=attacker: ask(who, NOON + 59 * SECOND))  # type: ignore[misc]
    ask(OWNER, NOON + 60 * SECOND)
    assert len(box.texts) == 2 * sent


@every_asking
def test_asking_too_often_is_refused_to_who_asks(asking: Callable[[SmsBox], Callable[[str, datetime], object]]) -> None:
    ask = asking(SmsBox())
    for attacker in ATTACKERS:
        times = [NOON + number * MINUTE for number in range(6)]
        refusals = [outcome(lambda who=attacker, now=now: ask(who, now)) for now in times]  # type: ignore[misc]
        assert refusals == [None] * 5 + [TooMany]
    assert outcome(lambda: ask(OWNER, NOON + 6 * MINUTE)) is None


@every_asking
@pytest.mark.usefixtures("impatient")
def test_a_code_is_sent_by_turns_too_and_asking_without_one_costs_nothing(
    asking: Callable[[SmsBox], Callable[[str, datetime], object]],
) -> None:
    box = SmsBox()
    ask = asking(box)
    before = buckets()
    with taken(turns.asking):
        assert outcome(lambda: ask(OWNER, NOON)) is Crowded
    assert buckets() == before and box.texts == []
    ask(OWNER, NOON)
    assert box.texts


@pytest.mark.usefixtures("impatient")
def test_a_password_is_hashed_by_turns_too_when_an_operator_is_made_and_when_she_chooses_her_own() -> None:
    lin()
    found = operators.sign_in_operator("lin", "a long enough secret", NOON)
    assert isinstance(found, OperatorSignedIn)
    admin = authenticate(found.token, now=NOON)
    with taken(turns.hashing):
        assert outcome(lambda: administration.add_operator(admin, "wu", "吴", "agent", now=NOON)) is Crowded
    wu = administration.add_operator(admin, "wu", "吴", "agent", now=NOON)
    step = operators.sign_in_operator("wu", wu.password, NOON)
    assert isinstance(step, NextStep)
    with taken(turns.hashing):
        chosen = outcome(lambda: account_changes.choose_password(step.ticket, "another river, another boat", now=NOON))
        assert chosen is Crowded
    account_changes.choose_password(step.ticket, "another river, another boat", now=NOON)


@pytest.mark.usefixtures("impatient")
def test_the_first_device_is_set_up_by_turns_too(monkeypatch: pytest.MonkeyPatch) -> None:
    lin()
    monkeypatch.setattr(sign_in_steps, "_missing", lambda operator, shown: "device")
    step = operators.sign_in_operator("lin", "a long enough secret", NOON)
    assert isinstance(step, NextStep)
    sealed = sign_in_steps.offer_device(step.ticket, now=NOON).sealed
    with taken(turns.trying):
        assert outcome(lambda: sign_in_steps.set_up_device(step.ticket, sealed, "000000", now=NOON)) is Crowded


# --- what is confirmed without a code --------------------------------------------------------------------------------


def test_an_erasure_is_confirmed_by_a_new_sign_in_however_often_an_old_session_tried() -> None:
    make_customer()
    old, late = signed_in(), NOON + signin.RECENT + SECOND
    assert {outcome(lambda: erase.erase(old, now=late)) for _ in range(MOST)} == {SignInAgain}
    assert outcome(lambda: erase.erase(signed_in(now=late), now=late)) is None


def test_copies_that_others_ask_for_keep_nobody_from_hers() -> None:
    make_customer(PHONE)
    make_customer(OTHER_PHONE)
    me, other = signed_in(PHONE), signed_in(OTHER_PHONE)
    for _ in range(MOST):
        outcome(lambda: export.ask_copy(other, now=NOON))
    assert outcome(lambda: export.ask_copy(me, now=NOON)) is None
