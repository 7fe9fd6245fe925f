"""Invitations: whom they reach, how long and how often they are good, and what stays of them."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import timedelta
from functools import partial
from threading import Barrier, BrokenBarrierError

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError

from marketplace.catalog.models import Provider
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from providers.staff import administration, invitations, post
from providers.staff.invitations import (
    MOST_BEFORE_APPROVAL,
    InvitedBefore,
    TooManyInvitations,
    accept,
    invite,
    look,
    open_invitations,
    withdraw,
)
from providers.staff.models import MemberInvitation
from providers.staff.records import LASTS
from tests.concurrency.controls import all_at_once
from tests.desk import PASSWORD, account, make_member, member
from tests.people import NOON, make_insurer
from tests.providers.staff.invitations import MAIL, NEW, NUMBER, Letters, audited, invited, sent, stored
from tests.world import make_offer
from vip.models import Operator
from vip.operators import account_changes, operators
from vip.operators.operators import LoginTaken
from vip.principal import Member, MemberRole
from vip.signin import turns

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]


@pytest.mark.parametrize(
    ("to", "channel", "address", "masked"),
    [(NUMBER, "sms", "+8613900001111", "139****1111"), (f" {MAIL} ", "email", MAIL, "c***@example.com")],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_who_is_invited_gets_a_link_in_that_language_and_becomes_a_member_once(
    fang: Member, letters: Letters, to: str, channel: str, address: str, masked: str, language: str
) -> None:
    asked = invite(fang, to, "front_desk", language, now=NOON)
    [line] = open_invitations(fang, now=NOON)
    assert (line.public_id, line.to, line.role, line.state) == (asked, masked, "front_desk", "to_send")
    assert sent(letters) == {"sent": 1} and sent(letters) == {}
    [letter] = letters.all
    assert (letter.channel, letter.to, letter.key) == (channel, address, asked)
    assert ("邀请您加入" in letter.text) == (language == "zh") and ("invites you" in letter.text) == (language == "en")
    assert letter.token not in repr(letter) if hasattr(letter, "token") else letters.token not in repr(letter)
    [line] = open_invitations(fang, now=NOON)
    assert line.state == "sent" and look(letters.token, now=NOON).role == "front_desk"
    made = accept(letters.token, " Chen ", PASSWORD, "陈可", now=NOON)
    chen = member("chen")
    assert (chen.public_id, chen.provider_id, chen.role) == (made, fang.provider_id, "front_desk")
    assert open_invitations(fang, now=NOON) == []
    for again in (lambda: look(letters.token, now=NOON), lambda: accept(letters.token, "x", NEW, "X", now=NOON)):
        with pytest.raises(NotFound):
            again()
    assert audited("invitation.made") == [("provider", fang.public_id, asked)]
    assert audited("invitation.accepted") == [("provider", made, asked)]


def test_a_provider_without_an_approval_is_not_named_to_strangers(fang: Member, letters: Letters) -> None:
    with transaction() as session:
        session.execute(
            text("UPDATE provider SET approved_at = NULL, name_zh = '账户被锁', name_en = 'Account locked'")
        )
    for language, said in (("zh", "有服务机构邀请您加入"), ("en", "A provider invites you")):
        invited(fang, letters, MAIL, language)
        letter = letters.all[-1]
        assert said in letter.text and said.split("邀")[0] in letter.subject
        assert not any(name in letter.subject + letter.text for name in ("账户被锁", "Account locked"))


def test_neither_address_nor_token_is_stored_readable_and_both_go(fang: Member, letters: Letters) -> None:
    invite(fang, NUMBER, "front_desk", "zh", now=NOON)
    before = stored()
    sent(letters)
    after, token = stored(), letters.token
    for row in (before, after):
        held = b"".join(value for value in vars(row).values() if isinstance(value, bytes))
        assert token.encode() not in held and b"13900001111" not in held
    assert before.token_sealed is not None and after.token_sealed is None and after.to_sealed is not None
    accept(token, "chen", PASSWORD, "陈可", now=NOON)
    assert stored().to_sealed is None


def test_an_address_is_forgotten_when_the_invitation_is_over(fang: Member, letters: Letters) -> None:
    invited(fang, letters)
    assert post.forget_over(now=NOON + LASTS - timedelta(seconds=1)) == 0 and stored().to_sealed is not None
    assert post.forget_over(now=NOON + LASTS) == 1 and stored().to_sealed is None


def test_a_link_is_good_for_seven_days(fang: Member, letters: Letters) -> None:
    token = invited(fang, letters)
    assert look(token, now=NOON + LASTS - timedelta(seconds=1))
    with pytest.raises(NotFound):
        look(token, now=NOON + LASTS)
    with pytest.raises(NotFound):
        accept(token, "chen", PASSWORD, "陈可", now=NOON + LASTS)
    assert open_invitations(fang, now=NOON + LASTS) == []


@pytest.mark.parametrize("before", [True, False], ids=["before it is sent", "after"])
def test_an_invitation_that_was_taken_back_opens_nothing(fang: Member, letters: Letters, before: bool) -> None:
    asked = invite(fang, NUMBER, "front_desk", "zh", now=NOON)
    if not before:
        sent(letters)
    withdraw(fang, asked, now=NOON)
    assert sent(letters) == {} and stored().to_sealed is None and open_invitations(fang, now=NOON) == []
    if not before:
        with pytest.raises(NotFound):
            accept(letters.token, "chen", PASSWORD, "陈可", now=NOON)
    with pytest.raises(NotFound):
        withdraw(fang, asked, now=NOON)
    assert audited("invitation.withdrawn") == [("provider", fang.public_id, asked)]


@pytest.mark.parametrize("act", ["end", "demote"])
def test_what_a_manager_asked_is_over_when_she_may_ask_no_more(fang: Member, letters: Letters, act: str) -> None:
    with reading() as session:
        code = session.execute(text("SELECT code FROM provider WHERE id = :id"), {"id": fang.provider_id}).scalar_one()
    wu = member(make_member(code, login="wu"))
    token = invited(fang, letters)
    if act == "end":
        administration.end_service(wu, fang.public_id, now=NOON)
    else:
        administration.change_role(wu, fang.public_id, "clinician", now=NOON)
    assert open_invitations(wu, now=NOON) == []
    with pytest.raises(NotFound):
        accept(token, "chen", PASSWORD, "陈可", now=NOON)
    if act == "end":
        administration.return_to_service(wu, fang.public_id, now=NOON)
    else:
        administration.change_role(wu, fang.public_id, "manager", now=NOON)
    assert open_invitations(wu, now=NOON) == [], "it does not come back with her"
    with pytest.raises(NotFound):
        accept(token, "chen", PASSWORD, "陈可", now=NOON)
    assert stored().to_sealed is None
    assert audited("invitation.withdrawn") == [("provider", wu.public_id, stored().public_id)]


def test_what_a_manager_asked_stays_when_she_is_made_what_she_is(fang: Member, letters: Letters) -> None:
    with reading() as session:
        code = session.execute(text("SELECT code FROM provider WHERE id = :id"), {"id": fang.provider_id}).scalar_one()
    wu = member(make_member(code, login="wu"))
    invited(fang, letters)
    administration.change_role(wu, fang.public_id, "manager", now=NOON)
    administration.return_to_service(wu, fang.public_id, now=NOON)
    assert len(open_invitations(wu, now=NOON)) == 1


def test_a_command_brings_no_invitation_back(fang: Member, letters: Letters) -> None:
    make_insurer()  # whose operators the command knows by login, too
    token = invited(fang, letters)
    account_changes.end_service("fang", now=NOON)
    administration.resume_by_command("fang", now=NOON)
    assert open_invitations(fang, now=NOON) == [] and stored().to_sealed is None
    with pytest.raises(NotFound):
        accept(token, "chen", PASSWORD, "陈可", now=NOON)
    assert audited("invitation.withdrawn") == [("system", "command", stored().public_id)]


def test_a_command_for_who_never_left_ends_no_invitation(fang: Member, letters: Letters) -> None:
    make_insurer()
    invited(fang, letters)
    administration.resume_by_command("fang", now=NOON)
    assert len(open_invitations(fang, now=NOON)) == 1


def fill(fang: Member, free: int) -> None:
    """Open invitations, until `free` may be made besides. Copies of one: how fast she may send is another limit."""
    invite(fang, NUMBER, "front_desk", "zh", now=NOON)
    with transaction() as session:
        one = stored()
        for number in range(invitations.MOST_OPEN - free - 1):
            its_own = {"public_id": f"inv_{number:020}", "token_hash": b"%032d" % number}
            same = {c.key: getattr(one, c.key) for c in MemberInvitation.__table__.columns if c.key != "id"}
            session.add(MemberInvitation(**same | its_own))


@pytest.mark.parametrize(("language", "words"), [("zh", "尚未核实"), ("en", "have not confirmed who")])
def test_a_provider_that_is_not_approved_invites_few_and_by_email_alone_and_the_letter_says_so(
    fang: Member, letters: Letters, language: str, words: str
) -> None:
    invited(fang, letters, MAIL, language)
    assert words not in letters.all[-1].text
    with transaction() as session:
        session.execute(update(Provider).where(Provider.id == fang.provider_id).values(approved_at=None))
    with pytest.raises(Invalid) as refused:
        invite(fang, NUMBER, "front_desk", language, now=NOON)
    assert (refused.value.at, refused.value.facts["reason"]) == ("to", "email_before_approval")
    for number in range(MOST_BEFORE_APPROVAL - 1):
        invited(fang, letters, f"chen{number}@example.com", language)
        assert words in letters.all[-1].text
    with pytest.raises(TooManyInvitations) as many:
        invite(fang, "one-more@example.com", "front_desk", language, now=NOON)
    assert many.value.facts["most"] == MOST_BEFORE_APPROVAL


def test_so_many_invitations_are_open_and_no_more(fang: Member) -> None:
    fill(fang, 0)
    with pytest.raises(TooManyInvitations) as refused:
        invite(fang, MAIL, "front_desk", "zh", now=NOON)
    assert refused.value.facts["most"] == invitations.MOST_OPEN == 50
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(MemberInvitation)) == invitations.MOST_OPEN
    withdraw(fang, f"inv_{0:020}", now=NOON)
    invite(fang, MAIL, "front_desk", "zh", now=NOON)


def test_two_clicks_at_once_send_one_letter(fang: Member, letters: Letters) -> None:
    asked = all_at_once([partial(invite, fang, NUMBER, "front_desk", "zh", now=NOON, request="k1")] * 2)
    assert len(set(asked)) == 1 and [line.public_id for line in open_invitations(fang, now=NOON)] == asked[:1]
    assert sent(letters) == {"sent": 1} and len(audited("invitation.made")) == 1
    assert invite(fang, NUMBER, "front_desk", "zh", now=NOON, request="k1") == asked[0], "after it was sent, too"
    assert sent(letters) == {}


def test_another_address_role_form_or_member_is_another_invitation(fang: Member) -> None:
    wu = member(make_member(_code(fang), login="wu"))
    others = [
        invite(who, to, role, "zh", now=NOON, request=request)
        for who, to, role, request in (
            (fang, MAIL, "front_desk", "k1"),
            (fang, NUMBER, "front_desk", "k1"),
            (fang, NUMBER, "clinician", "k1"),
            (fang, MAIL, "front_desk", "k2"),
            (wu, MAIL, "front_desk", "k1"),
        )
    ]
    assert len(set(others)) == 5


def test_a_form_whose_invitation_was_taken_back_says_so_and_sends_nothing(fang: Member, letters: Letters) -> None:
    withdraw(fang, invite(fang, NUMBER, "front_desk", "zh", now=NOON, request="k1"), now=NOON)
    with pytest.raises(InvitedBefore):
        invite(fang, NUMBER, "front_desk", "zh", now=NOON, request="k1")
    assert sent(letters) == {} and open_invitations(fang, now=NOON) == []


def _code(who: Member) -> str:
    with reading() as session:
        return session.get_one(Provider, who.provider_id).code


def two_for_the_last_place(fang: Member, monkeypatch: pytest.MonkeyPatch, patience: float) -> list[str]:
    """What two invitations at once come to; neither goes on before both have counted, or so many seconds are over since
    one waits for the other."""
    fill(fang, 1)
    both, seal = Barrier(2), invitations.crypto.seal_master

    def later(plain: str, record: str) -> bytes:
        with suppress(BrokenBarrierError):
            both.wait(patience)
        return seal(plain, record)

    monkeypatch.setattr(invitations.crypto, "seal_master", later)
    works = [partial(invite, fang, to, "front_desk", "zh", now=NOON) for to in (MAIL, "wu@example.com")]
    return sorted(type(each).__name__ for each in all_at_once(works))


def test_two_at_once_do_not_both_take_the_last_place(fang: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations.limits, "take", lambda *given, **named: None)  # its own rows would line them up
    assert two_for_the_last_place(fang, monkeypatch, 1) == ["TooManyInvitations", "str"]


def test_without_that_lock_they_do(fang: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations.limits, "take", lambda *given, **named: None)
    monkeypatch.setattr(invitations, "in_turn", lambda session, provider_id: None)
    assert two_for_the_last_place(fang, monkeypatch, 30) == ["str", "str"]


class Free:
    """Turns that nobody waits for, as if each came to a process of its own."""

    def turn(self, who: str) -> AbstractContextManager[None]:
        """Now."""
        return nullcontext()


def open_the_link_at_once(token: str, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What three come to who have all chosen a password when the first one goes on."""
    ready, hashed = Barrier(3), operators.new_account

    def chosen(login: str, password: str, name: str) -> operators.NewAccount:
        made = hashed(login, password, name)
        ready.wait(60)
        return made

    monkeypatch.setattr(turns.hashing, "holders", Free())
    monkeypatch.setattr(operators, "new_account", chosen)
    return all_at_once([partial(accept, token, f"chen{n}", PASSWORD, "陈可", now=NOON) for n in range(3)])


def test_of_three_who_open_the_link_at_once_one_becomes_a_member(
    fang: Member, letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = open_the_link_at_once(invited(fang, letters), monkeypatch)
    assert sorted(type(one).__name__ for one in found) == ["NotFound", "NotFound", "str"]
    assert len(administration.members_of(fang)) == 2


def test_without_the_lock_all_of_them_do(fang: Member, letters: Letters, monkeypatch: pytest.MonkeyPatch) -> None:
    together, employ = Barrier(3), invitations.employ

    def looked(provider_id: int, role: MemberRole) -> Operator:
        together.wait(60)
        return employ(provider_id, role)

    monkeypatch.setattr(invitations, "lock", lambda wanted: wanted)
    monkeypatch.setattr(invitations, "employ", looked)
    found = open_the_link_at_once(invited(fang, letters), monkeypatch)
    assert [type(one) for one in found] == [str] * 3


@pytest.mark.parametrize(
    "values",
    ["accepted_at = now()", "accepted_at = now(), withdrawn_at = now(), member_id = 1", "sent_at = now()"],
    ids=["no member", "two ends", "token left"],
)
def test_the_database_refuses_what_an_invitation_cannot_be(fang: Member, values: str) -> None:
    invite(fang, NUMBER, "front_desk", "zh", now=NOON)
    with pytest.raises(IntegrityError), transaction() as session:
        session.execute(text(f"UPDATE member_invitation SET {values}"))


def test_a_login_that_somebody_has_and_a_weak_password_leave_the_link_good(fang: Member, letters: Letters) -> None:
    token = invited(fang, letters)
    with pytest.raises(LoginTaken):
        accept(token, "FANG", PASSWORD, "陈可", now=NOON)
    for login, password, name, at in (
        ("", NEW, "陈可", "login"),
        ("chen", "short", "陈可", "password"),
        ("chen", NEW, "", "name"),
    ):
        with pytest.raises(Invalid) as refused:
            accept(token, login, password, name, now=NOON)
        assert refused.value.at == at
    assert accept(token, "chen", NEW, "陈可", now=NOON) == account("chen").public_id


def test_a_member_without_the_duty_and_another_provider_find_no_invitation(fang: Member) -> None:
    asked = invite(fang, NUMBER, "front_desk", "zh", now=NOON)
    with reading() as session:
        code = session.execute(text("SELECT code FROM provider WHERE id = :id"), {"id": fang.provider_id}).scalar_one()
    desk = member(make_member(code, "front_desk"))
    other, _offer, _slots = make_offer()
    stranger = member(make_member(other.code, login="stranger"))
    for who in (desk, stranger):
        with pytest.raises(NotFound):
            withdraw(who, asked, now=NOON)
    for look_at in (lambda: open_invitations(desk, now=NOON), lambda: invite(desk, MAIL, "manager", "zh", now=NOON)):
        with pytest.raises(NotFound):
            look_at()
    assert open_invitations(stranger, now=NOON) == []


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "x" * 5000, "\0"])
def test_what_is_no_token_finds_nothing(fang: Member, token: str) -> None:
    with pytest.raises(NotFound):
        look(token, now=NOON)
