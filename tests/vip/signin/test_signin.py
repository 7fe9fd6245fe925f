"""Signing in by phone and one-time code."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, text, update

from marketplace.core import crypto
from marketplace.core.audit import AuditLine
from marketplace.core.config import ConfigError, settings
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound, Refusal, TooMany, Unauthenticated
from marketplace.core.sending import sms
from marketplace.core.sending.sms import InBackground, PrintSms
from tests.people import NOON, OTHER_PHONE, PHONE, SmsBox, make_customer, make_insurer, signed_in
from tests.statements import statements_sent
from vip.models import Customer, SignInCode, SignInSession
from vip.signin import authentication, codes, signin

pytestmark = pytest.mark.usefixtures("db", "settings_read_anew")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def settings_read_anew() -> Iterator[None]:
    """What a test changes of the environment ends with it."""
    yield
    settings.cache_clear()


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def answer(phone: str, code: str) -> tuple[type[Refusal], dict[str, object]]:
    with pytest.raises(Refusal) as refused:
        signin.sign_in(phone, code, channel="web", now=NOON)
    return type(refused.value), refused.value.facts


def test_the_code_that_was_sent_signs_in() -> None:
    customer, box = make_customer(), SmsBox()
    sent = signin.send_code("138-0000-0011", now=NOON, gateway=box)
    assert (sent.expires_at, sent.resend_after_seconds) == (NOON + 5 * MINUTE, 60)
    done = signin.sign_in(PHONE, box.code_for(PHONE), channel="web", now=NOON + MINUTE)
    principal = authentication.authenticate(done.token, now=NOON + MINUTE)
    assert (principal.kind, principal.id, principal.public_id) == ("customer", customer.id, customer.public_id)
    assert (principal.insurer_id, principal.time_zone) == (customer.insurer_id, "Asia/Shanghai")
    assert done.customer_public_id == customer.public_id


def test_a_code_typed_with_full_width_digits_and_spaces_counts() -> None:
    make_customer()
    box = SmsBox()
    signin.send_code(PHONE, now=NOON, gateway=box)
    typed = " ".join(chr(ord(digit) + 0xFEE0) for digit in box.code_for(PHONE))
    assert signin.sign_in(PHONE, typed, channel="api", now=NOON).token


def test_a_code_signs_in_once() -> None:
    make_customer()
    box = SmsBox()
    signin.send_code(PHONE, now=NOON, gateway=box)
    signin.sign_in(PHONE, box.code_for(PHONE), channel="web", now=NOON)
    with pytest.raises(codes.CodeEnded):
        signin.sign_in(PHONE, box.code_for(PHONE), channel="web", now=NOON)


def test_a_code_ends_after_five_minutes() -> None:
    make_customer()
    box = SmsBox()
    signin.send_code(PHONE, now=NOON, gateway=box)
    with pytest.raises(codes.CodeEnded):
        signin.sign_in(PHONE, box.code_for(PHONE), channel="web", now=NOON + 5 * MINUTE)


def test_the_right_code_no_longer_counts_after_five_wrong_ones() -> None:
    make_customer()
    box = SmsBox()
    signin.send_code(PHONE, now=NOON, gateway=box)
    code = box.code_for(PHONE)
    left = [answer(PHONE, wrong(code))[1]["tries_left"] for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    assert answer(PHONE, code) == (TooMany, {"retry_after": 720})


def test_who_asked_five_times_within_an_hour_is_told_when_to_come_back() -> None:
    make_customer()
    box = SmsBox()
    for minute in range(5):
        signin.send_code(PHONE, now=NOON + minute * MINUTE, gateway=box)
    with pytest.raises(TooMany) as refused:
        signin.send_code(PHONE, now=NOON + 5 * MINUTE, gateway=box)
    assert refused.value.facts["retry_after"] == 7 * 60
    assert len(box.texts) == 5
    signin.send_code(PHONE, now=NOON + 12 * MINUTE, gateway=box)
    assert len(box.texts) == 6


def test_an_unknown_phone_gets_the_same_answers_and_no_text() -> None:
    make_customer()
    stranger, box = OTHER_PHONE, SmsBox()
    assert signin.send_code(PHONE, now=NOON, gateway=box) == signin.send_code(stranger, now=NOON, gateway=box)
    assert [to for to, _ in box.texts] == ["+8613800000011"]
    code = wrong(box.code_for(PHONE))
    for _ in range(7):
        assert answer(PHONE, code) == answer(stranger, code)
    for _ in range(4):
        assert signin.send_code(PHONE, now=NOON, gateway=box) == signin.send_code(stranger, now=NOON, gateway=box)
    refusals = []
    for phone in (PHONE, stranger):
        with pytest.raises(TooMany) as refused:
            signin.send_code(phone, now=NOON, gateway=box)
        refusals.append(refused.value.facts)
    assert refusals[0] == refusals[1]


def test_even_the_right_code_of_an_unknown_phone_is_a_wrong_code(monkeypatch: pytest.MonkeyPatch) -> None:
    make_insurer()
    monkeypatch.setattr("vip.signin.codes.secrets.randbelow", lambda below: 123456)
    signin.send_code(OTHER_PHONE, now=NOON, gateway=SmsBox())
    assert answer(OTHER_PHONE, "123456") == (codes.WrongCode, {"tries_left": 4})


def test_a_known_and_an_unknown_phone_cost_the_same_statements(db: Engine) -> None:
    make_customer()
    with statements_sent() as known:
        signin.send_code(PHONE, now=NOON, gateway=SmsBox())
    with statements_sent() as unknown:
        signin.send_code(OTHER_PHONE, now=NOON, gateway=SmsBox())
    assert known == unknown != []


def test_codes_and_tokens_are_stored_hashed_only() -> None:
    make_customer()
    box = SmsBox()
    signin.send_code(PHONE, now=NOON, gateway=box)
    code = box.code_for(PHONE)
    done = signin.sign_in(PHONE, code, channel="web", now=NOON)
    with reading() as session:
        kept = session.execute(text("SELECT c::text, s::text FROM sign_in_code c, sign_in_session s")).one()
        assert session.scalars(select(SignInSession.token_hash)).one() == crypto.token_hash(done.token)
        stored = session.scalars(select(SignInCode.code_hash)).one()
    assert done.token not in kept[1] and code.encode() not in stored and len(stored) == 32


def test_a_blocked_customer_cannot_sign_in_and_her_sessions_stop() -> None:
    customer, box = make_customer(), SmsBox()
    signin.send_code(PHONE, now=NOON, gateway=box)
    token = signin.issue_token(PHONE, NOON).token
    with transaction() as session:
        session.execute(update(Customer).where(Customer.id == customer.id).values(blocked_at=NOON))
    assert answer(PHONE, box.code_for(PHONE))[0] is codes.WrongCode
    with pytest.raises(Unauthenticated):
        authentication.authenticate(token, now=NOON)
    signin.send_code(PHONE, now=NOON, gateway=box)
    assert len(box.texts) == 1


def test_the_session_presented_at_sign_in_ends() -> None:
    make_customer()
    box = SmsBox()
    old = signin.issue_token(PHONE, NOON).token
    signin.send_code(PHONE, now=NOON, gateway=box)
    new = signin.sign_in(PHONE, box.code_for(PHONE), channel="web", now=NOON, previous_token=old).token
    with pytest.raises(Unauthenticated):
        authentication.authenticate(old, now=NOON)
    assert authentication.authenticate(new, now=NOON).kind == "customer"


def test_a_session_ends_after_thirty_days_however_much_it_is_used() -> None:
    make_customer()
    token = signin.issue_token(PHONE, NOON).token
    last = NOON + timedelta(days=30) - timedelta(seconds=1)
    for day in (10, 20, 29):
        authentication.authenticate(token, now=NOON + timedelta(days=day))
    assert authentication.authenticate(token, now=last).kind == "customer"
    with pytest.raises(Unauthenticated):
        authentication.authenticate(token, now=last + timedelta(seconds=1))


@pytest.mark.parametrize(("setting", "days"), [(None, 14), ("3", 3)])
def test_a_session_that_stands_unused_for_the_days_of_the_setting_is_over(
    setting: str | None, days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_idle_limit(monkeypatch, "CUSTOMER_IDLE_DAYS", setting)
    make_customer()
    used, unused = (signin.issue_token(PHONE, NOON).token for _ in range(2))
    nearly = timedelta(days=days) - timedelta(seconds=1)
    who = authentication.authenticate(used, now=NOON + nearly)
    assert len(signin.sessions(who, NOON + nearly)) == 2
    assert authentication.authenticate(used, now=NOON + 2 * nearly).kind == "customer"
    assert len(signin.sessions(who, NOON + 2 * nearly)) == 1
    for token, now in ((unused, NOON + timedelta(days=days)), (used, NOON + 3 * nearly + timedelta(seconds=1))):
        with pytest.raises(Unauthenticated):
            authentication.authenticate(token, now=now)


def test_the_use_of_a_session_is_written_once_in_a_tenth_of_what_it_may_stand_unused() -> None:
    make_customer()
    token, tenth = signin.issue_token(PHONE, NOON).token, timedelta(days=14) / 10
    written = []
    for passed in (tenth - timedelta(seconds=1), tenth, tenth * 1.9, tenth * 2):
        with statements_sent() as seen:
            authentication.authenticate(token, now=NOON + passed)
        written.append(any(line.lstrip().startswith("UPDATE") for line in seen))
    assert written == [False, True, False, True]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPERATOR_IDLE_MINUTES", "0"),
        ("OPERATOR_IDLE_MINUTES", "1441"),
        ("ESCORT_IDLE_MINUTES", "0"),
        ("ESCORT_IDLE_MINUTES", "1441"),
        ("CUSTOMER_IDLE_DAYS", "0"),
        ("CUSTOMER_IDLE_DAYS", "367"),
        ("CUSTOMER_IDLE_DAYS", "a week"),
    ],
)
def test_a_limit_that_cannot_be_meant_is_refused_at_start(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match=name):
        set_idle_limit(monkeypatch, name, value)


def set_idle_limit(monkeypatch: pytest.MonkeyPatch, name: str, value: str | None) -> None:
    """As the process would be started with that setting, or without it."""
    if value is not None:
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    settings()


@pytest.mark.parametrize("token", ["", "x", "\0", "\ud800", "x" * 1_000_000, "好"])
def test_a_token_nobody_gave_is_unauthenticated(token: str) -> None:
    with pytest.raises(Unauthenticated):
        authentication.authenticate(token, now=NOON)


def test_authenticating_takes_one_query(db: Engine) -> None:
    make_customer()
    token = signin.issue_token(PHONE, NOON).token
    with statements_sent() as seen:
        authentication.authenticate(token, now=NOON)
    assert len(seen) == 1


def test_signing_out_ends_this_session_only() -> None:
    make_customer()
    here, there = signed_in(), signin.issue_token(PHONE, NOON).token
    signin.sign_out(here, NOON)
    assert [one.current for one in signin.sessions(authentication.authenticate(there, now=NOON), NOON)] == [True]


def test_signing_out_everywhere_ends_all_of_ones_own_sessions() -> None:
    make_customer()
    make_customer(OTHER_PHONE)
    stranger = signin.issue_token(OTHER_PHONE, NOON).token
    mine = [signin.issue_token(PHONE, NOON).token for _ in range(3)]
    assert signin.sign_out_everywhere(authentication.authenticate(mine[0], now=NOON), NOON) == 3
    for token in mine:
        with pytest.raises(Unauthenticated):
            authentication.authenticate(token, now=NOON)
    assert authentication.authenticate(stranger, now=NOON).kind == "customer"
    with reading() as session:
        line = session.scalars(select(AuditLine).where(AuditLine.action == "customer.signed_out_everywhere")).one()
    assert line.facts == {"sessions": 3}


def test_one_session_of_the_list_can_be_ended_but_nobody_elses() -> None:
    make_customer()
    make_customer(OTHER_PHONE)
    me, stranger = signed_in(), signed_in(OTHER_PHONE)
    lost = signin.issue_token(PHONE, NOON).token
    newest = signin.sessions(me, NOON)[0]
    assert not newest.current
    with pytest.raises(NotFound):
        signin.end_session(stranger, newest.public_id, NOON)
    for unknown in ("ses_00000000000000000000", "x", "\0", "\ud800"):
        with pytest.raises(NotFound):
            signin.end_session(me, unknown, NOON)
    signin.end_session(me, newest.public_id, NOON)
    with pytest.raises(Unauthenticated):
        authentication.authenticate(lost, now=NOON)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345x", "١٢٣٤٥٦", "\0" * 6, "\ud800" * 6, "1" * 1_000_000])
def test_what_is_no_code_is_refused_with_its_field(code: str) -> None:
    with pytest.raises(Invalid) as refused:
        signin.sign_in(PHONE, code, channel="web", now=NOON)
    assert refused.value.at == "code"


def test_tokens_without_a_code_are_for_development_only(monkeypatch: pytest.MonkeyPatch) -> None:
    make_customer()
    with pytest.raises(NotFound):
        signin.issue_token(OTHER_PHONE, NOON)
    production = type("Production", (), {"development": False, "sms_backend": "print"})()
    monkeypatch.setattr(signin, "settings", lambda: production)
    with pytest.raises(signin.DevelopmentOnly):
        signin.issue_token(PHONE, NOON)


def test_codes_are_printed_in_development_and_never_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    PrintSms(shown).send("+8613800000011", "code 123456")
    assert shown.getvalue() == "SMS to +8613800000011: code 123456\n"
    for name in ("print", "", "no.such.module:Gateway", "marketplace.core.sending.sms:Nothing"):
        production = type("Production", (), {"development": False, "sms_backend": name})()
        monkeypatch.setattr(sms, "settings", lambda production=production: production)
        with pytest.raises(ConfigError):
            sms.backend.__wrapped__()
    assert settings().development


def test_a_gateway_that_refuses_does_not_reach_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def send(self, phone: str, text: str, *, key: str = "") -> None:
            raise ConnectionError(phone)

    said: list[str] = []

    class Log:
        def __getattr__(self, level: str) -> Callable[..., None]:
            return lambda event, **fields: said.append(f"{level} {event} {fields}")

    monkeypatch.setattr(sms, "log", Log())
    gateway = InBackground(Broken(), threads=1)
    gateway.send("+8613800000011", "code")
    gateway.close()
    assert len(said) == 1
    assert "ConnectionError" in said[0]
    assert "13800000011" not in said[0]


@pytest.mark.parametrize(
    "typed", ["480213", "480 213", "\u200b480\u00a0213\u202c", "\ufeff４８０２１３\u2060", "\u202a480213\u202c\n"]
)
def test_a_code_is_taken_as_people_paste_it(typed: str) -> None:
    assert codes.clean(typed) == "480213"
