"""A provider registers by itself: what is asked, what its link is good for, and what comes of it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import timedelta
from functools import partial
from threading import Barrier

import pytest
from sqlalchemy import func, select

from marketplace.catalog.models import Provider
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading
from marketplace.core.errors import Invalid, NotFound, TooMany
from marketplace.core.sending import email
from marketplace.core.sending.outgoing import Undeliverable
from providers.applying import confirm as confirming
from providers.applying.apply import TWICE, apply
from providers.applying.confirm import confirm, look
from providers.applying.facts import Facts, faults
from providers.applying.letters import APPLICATIONS
from providers.applying.records import LASTS
from providers.staff.letters import LEASE, Post
from tests.concurrency.controls import all_at_once
from tests.desk import PASSWORD, make_member, member
from tests.people import NOON
from tests.providers.applying.applicants import CALLER, CODE, FACTS, asked, letters, registered, stored, token_of
from tests.world import make_offer
from vip.operators import operators
from vip.operators.operators import LoginTaken
from vip.signin import turns
from vip.signin.limits import Caller

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


@pytest.fixture(autouse=True)
def mails(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is e-mail here."""
    monkeypatch.setattr(email, "backend", lambda: object())


def providers() -> list[Provider]:
    with reading() as session:
        return list(session.scalars(select(Provider).order_by(Provider.id)))


@pytest.mark.parametrize(("answers", "adapter"), [("desk", "desk"), ("partner", "partner"), ("system", "partner")])
@pytest.mark.parametrize(
    ("language", "said"), [("zh", "请在 24 小时内打开链接"), ("en", "open the link within 24 hours")]
)
def test_an_organisation_registers_and_its_contact_becomes_the_manager_once(
    answers: str, adapter: str, language: str, said: str
) -> None:
    apply(replace(FACTS, answers=answers, language=language), caller=CALLER, now=NOON)
    assert providers() == []
    [letter] = letters()
    assert letters() == []
    assert (letter.channel, letter.to) == ("email", "fang@example.com") and said in letter.text
    token = token_of(letter)
    assert token not in repr(letter)
    typed = (FACTS.name_zh, FACTS.name_en, FACTS.contact, FACTS.registration)
    assert not any(each in letter.subject + letter.text for each in typed), "it goes to whom the applicant says"
    found = look(token, now=NOON)
    assert (found.provider.en, found.contact) == ("Qihang Checkups", "方敏")
    made = confirm(token, " Fang ", PASSWORD, now=NOON)
    [provider] = providers()
    fang = member("fang")
    assert (fang.public_id, fang.provider_id, fang.role) == (made, provider.id, "manager")
    assert (provider.adapter, provider.base_url, provider.approved_at) == (adapter, "", None)
    assert provider.code.startswith("qihang-checkups-")
    for again in (lambda: look(token, now=NOON), lambda: confirm(token, "other", PASSWORD, now=NOON)):
        with pytest.raises(NotFound):
            again()
    with reading() as session:
        line = session.scalars(select(AuditLine).where(AuditLine.action == "application.confirmed")).one()
    assert (line.actor_kind, line.actor, line.subject) == ("provider", made, provider.public_id)


def test_neither_contact_nor_address_nor_token_is_stored_readable() -> None:
    token = asked()
    row = stored()
    assert row.token_sealed is None and token.encode() not in row.token_hash
    for sealed, plain in ((row.contact_sealed, "方敏"), (row.email_sealed, "fang@example.com")):
        assert sealed is not None and plain.encode() not in sealed


def test_a_link_is_good_for_a_day() -> None:
    token = asked()
    assert look(token, now=NOON + LASTS - timedelta(seconds=1))
    for late in (lambda: look(token, now=NOON + LASTS), lambda: confirm(token, "fang", PASSWORD, now=NOON + LASTS)):
        with pytest.raises(NotFound):
            late()
    assert providers() == []


@pytest.mark.parametrize("token", ["", "x", "\0", "x" * 65, "x" * 10_000])
def test_what_is_no_token_of_ours_opens_nothing(token: str) -> None:
    asked()
    with pytest.raises(NotFound):
        look(token, now=NOON)


def test_a_letter_that_is_not_sent_before_its_link_is_over_is_not_sent() -> None:
    apply(FACTS, caller=CALLER, now=NOON)
    assert letters(NOON + LASTS) == []


def test_an_address_that_is_known_gets_the_same_answer_and_a_letter_of_its_own() -> None:
    registered()
    other = Caller("203.0.113.99")
    assert apply(FACTS, caller=other, now=NOON) is None  # type: ignore[func-returns-value]
    assert apply(replace(FACTS, email="new@example.com"), caller=other, now=NOON) is None  # type: ignore[func-returns-value]
    one, two = letters()
    assert one.text.replace(token_of(one), "") == two.text.replace(token_of(two), "")


def test_who_takes_the_name_of_another_gets_nothing_of_it() -> None:
    real, _offer, _slots = make_offer()
    make_member(real.code, login="owner")
    registered(name_zh=real.name_zh, name_en=real.name_en, country="other", registration="1")
    made = providers()[-1]
    thief = member("fang")
    assert made.id != real.id and made.code != real.code and thief.provider_id == made.id
    assert member("owner").provider_id == real.id


def test_a_login_that_is_taken_leaves_the_link_good() -> None:
    registered()
    token = asked(caller=Caller("203.0.113.8"))
    with pytest.raises(LoginTaken):
        confirm(token, "FANG", PASSWORD, now=NOON)
    with pytest.raises(Invalid) as weak:
        confirm(token, "chen", "short", now=NOON)
    assert weak.value.at == "password" and len(providers()) == 1
    assert confirm(token, "chen", PASSWORD, now=NOON) and len(providers()) == 2


class Free:
    """As many turns as are asked for."""

    def turn(self, _who: str) -> AbstractContextManager[None]:
        """One."""
        return nullcontext()


def open_at_once(token: str, monkeypatch: pytest.MonkeyPatch) -> list[str | Exception]:
    ready, hashed = Barrier(3), operators.new_account

    def chosen(login: str, password: str, name: str) -> operators.NewAccount:
        made = hashed(login, password, name)
        ready.wait(60)
        return made

    monkeypatch.setattr(turns.hashing, "holders", Free())
    monkeypatch.setattr(operators, "new_account", chosen)
    return all_at_once([partial(confirm, token, f"fang{n}", PASSWORD, now=NOON) for n in range(3)])


def test_of_three_who_open_the_link_at_once_one_makes_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    found = open_at_once(asked(), monkeypatch)
    assert sorted(type(one).__name__ for one in found) == ["NotFound", "NotFound", "str"]
    assert len(providers()) == 1


def test_without_the_lock_all_of_them_do(monkeypatch: pytest.MonkeyPatch) -> None:
    together, employ = Barrier(3), confirming.employ

    def looked(*given: object) -> object:
        together.wait(60)
        return employ(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(confirming, "lock", lambda wanted: wanted)
    monkeypatch.setattr(confirming, "employ", looked)
    found = open_at_once(asked(), monkeypatch)
    assert [type(one) for one in found] == [str] * 3


def test_limits_go_by_who_asks_and_say_when_to_go_on() -> None:
    for _ in range(3):
        apply(FACTS, caller=CALLER, now=NOON)
    with pytest.raises(TooMany) as refused:
        apply(FACTS, caller=CALLER, now=NOON)
    wait = timedelta(seconds=refused.value.facts["retry_after"])
    with pytest.raises(TooMany):
        apply(FACTS, caller=CALLER, now=NOON + wait - timedelta(seconds=1))
    apply(FACTS, caller=CALLER, now=NOON + wait)
    apply(FACTS, caller=Caller("203.0.113.8"), now=NOON)


def test_one_who_asks_for_many_addresses_is_stopped_and_nobody_else() -> None:
    for n in range(10):
        apply(replace(FACTS, email=f"f{n}@example.com"), caller=CALLER, now=NOON)
    with pytest.raises(TooMany) as refused:
        apply(replace(FACTS, email="f10@example.com"), caller=CALLER, now=NOON)
    assert refused.value.facts["retry_after"] == 360
    apply(replace(FACTS, email="f10@example.com"), caller=Caller("203.0.113.8"), now=NOON)


def test_without_a_turn_nothing_is_counted_or_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LONGEST_WAIT", 0.01)
    with turns.asking.strangers.turn("another"), pytest.raises(turns.Crowded):
        apply(FACTS, caller=CALLER, now=NOON)
    assert letters() == []


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("name_zh", " ", "required"),
        ("name_en", "x" * 201, "too_long"),
        ("name_en", "a\nb", "bad_characters"),
        ("answers", "open_protocol", "choice"),
        ("country", "US", "choice"),
        ("registration", "", "required"),
        ("registration", "91350100M000100Y4", "credit_code_form"),
        ("registration", "91350100M000100O43", "credit_code_form"),
        ("registration", "91350100M000100Y44", "credit_code_check"),
        ("contact", "x" * 65, "too_long"),
        ("email", "fang", "email"),
        ("email", "fang@example.com\nBcc: a@example.com", "email"),
        ("language", "fr", "choice"),
        ("time_zone", "Moon", "choice"),
    ],
)
def test_each_field_at_fault_is_named(field: str, value: str, reason: str) -> None:
    wrong = faults(replace(FACTS, **{field: value}))
    assert {name: each.facts["reason"] for name, each in wrong.items()} == {field: reason}
    with pytest.raises(Invalid) as refused:
        apply(replace(FACTS, **{field: value}), caller=CALLER, now=NOON)
    assert refused.value.at == field and letters() == []


def test_all_fields_at_fault_are_named_at_once() -> None:
    assert list(faults(Facts(*[""] * 9))) == [
        *("name_zh", "name_en", "answers", "country", "registration", "contact", "email", "language", "time_zone")
    ]


def test_a_credit_code_may_be_typed_as_people_do_and_abroad_a_number_is_any() -> None:
    asked(registration="91350100-m000 100y43")
    assert stored().registration == CODE
    asked(country="other", registration=" hrb 1234 ")
    assert stored().registration == "HRB 1234"


@pytest.mark.parametrize(
    "code", ["91350100M000100Y43", "91110108551385082Q", "91330100799655058B", "91440300708461136T"]
)
def test_every_slip_of_one_character_in_a_credit_code_is_seen(code: str) -> None:
    for at in range(18):
        other = "1" if code[at] != "1" else "2"
        typed = code[:at] + other + code[at + 1 :]
        assert "registration" in faults(replace(FACTS, registration=typed))
    assert faults(replace(FACTS, registration=code)) == {}


def test_without_e_mail_nobody_registers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email, "backend", lambda: None)
    with pytest.raises(Invalid) as refused:
        apply(FACTS, caller=CALLER, now=NOON)
    assert (refused.value.at, refused.value.facts["reason"]) == ("email", "no_email_here")


def test_a_letter_that_fails_is_sent_again_and_an_address_that_cannot_be_given_up() -> None:
    def broken(_post: Post) -> None:
        raise RuntimeError("down")

    def never(_post: Post) -> None:
        raise Undeliverable("no such box")

    apply(FACTS, caller=CALLER, now=NOON)
    assert APPLICATIONS.send_due(lambda: NOON, send=broken) == {"again": 1}
    assert stored().failures == 1 and APPLICATIONS.claim(now=NOON) is None
    later = NOON + LEASE
    assert APPLICATIONS.send_due(lambda: later, send=never) == {"failed": 1}
    assert stored().given_up_at == later and stored().token_sealed is None


def test_nothing_of_a_person_is_in_the_audit() -> None:
    registered()
    with reading() as session:
        lines = [str(each.facts) + each.actor + each.subject for each in session.scalars(select(AuditLine))]
        assert session.scalar(select(func.count()).select_from(AuditLine)) == len(lines)
    assert not [line for line in lines if "fang@" in line or "方敏" in line]


def test_two_clicks_at_once_are_one_application_and_one_letter() -> None:
    came = all_at_once([partial(apply, FACTS, caller=CALLER, now=NOON, request="k1")] * 2)
    assert came == [None, None] and len(letters()) == 1
    apply(FACTS, caller=CALLER, now=NOON + TWICE - timedelta(seconds=1), request="k1")
    assert letters(NOON + TWICE) == []
    apply(replace(FACTS, contact="吴迪"), caller=CALLER, now=NOON, request="k1")
    apply(FACTS, caller=CALLER, now=NOON + TWICE, request="k1")
    assert len(letters(NOON + TWICE)) == 2, "another content, and a letter that may have been lost"
