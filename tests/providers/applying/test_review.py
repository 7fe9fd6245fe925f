"""An operator's word about an application, what customers may be offered before and after it, and what is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import null, select

from booking.offers import availability
from booking.offers.at_desk import offer_lines
from booking.offers.bookable import judge
from booking.refusals import OfferClosed
from marketplace.catalog.models import Offer, Provider
from marketplace.catalog.new_provider import add_provider
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import asking_in, reading, transaction
from marketplace.core.errors import Invalid, NotFound, Unauthenticated
from marketplace.core.sending import email
from providers.applying.forget import CONTACT, UNCONFIRMED, UNUSED, forget_applications
from providers.applying.letters import APPLICATIONS
from providers.applying.own import Again, ApplicationClosed, own_application, send_again
from providers.applying.review import (
    ApplicationDecided,
    application,
    applications,
    approve,
    ask_back,
    decline,
    waiting,
)
from providers.conformance.certificates.issue import give_provisional, lock_provider, mark_offers
from tests.concurrency.controls import all_at_once
from tests.desk import PASSWORD, make_member, member
from tests.people import NOON
from tests.providers.applying.applicants import CODE, asked, letters, registered, stored
from tests.world import World, make_offer, make_world, set_provider
from vip.operators.operators import WrongPassword, sign_in_operator
from vip.operators.sign_in_steps import OperatorSignedIn
from vip.principal import Member, Principal
from vip.signin.authentication import authenticate_member
from vip.signin.signin import RECENT, SignInAgain

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.every_postgres]

SAID = Again("desk", "cn", CODE, "")


@pytest.fixture(autouse=True)
def mails(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is e-mail here."""
    monkeypatch.setattr(email, "backend", lambda: object())


def provider_of(application_id: int | None) -> Provider:
    with reading() as session:
        return session.scalars(select(Provider).where(Provider.id == application_id)).one()


def audited(action: str) -> list[tuple[str, str]]:
    with reading() as session:
        lines = session.scalars(select(AuditLine).where(AuditLine.action == action).order_by(AuditLine.id))
        return [(line.actor, line.subject) for line in lines]


def mark(world: World) -> None:
    """Write down what is given out, as the decision does."""
    with transaction() as session:
        give_provisional(session, world.provider.id, now=NOON)
        mark_offers(session, lock_provider(session, world.provider.id))


def test_before_the_approval_nobody_sees_or_books_what_it_sells_and_afterwards_they_do(lin: Principal) -> None:
    world: World = make_world()
    with transaction() as session:
        session.execute(Provider.__table__.update().values(approved_at=null()))  # type: ignore[attr-defined]
    mark(world)
    with reading() as session:
        offer = session.scalars(select(Offer)).one()
        verdict = judge(asking_in(session), slot_id=world.slots[0].id, offer_id=offer.id, now=NOON)
    assert verdict.reason == "offer_closed"
    with pytest.raises(OfferClosed):
        world.hold()
    [line] = offer_lines(world.provider.id, cursor=None, limit=5, now=NOON).items
    assert not line.on_sale and not line.bookable and not line.ended and not line.approved
    with pytest.raises(NotFound):
        availability.offer(world.offer.public_id, now=NOON)
    set_provider(world.provider, approved_at=NOON)
    mark(world)
    assert world.hold()
    [line] = offer_lines(world.provider.id, cursor=None, limit=5, now=NOON).items
    assert line.on_sale and line.bookable and availability.offer(world.offer.public_id, now=NOON)


def test_one_that_an_operator_makes_is_approved() -> None:
    add_provider("qihang", "启航", "Qihang", adapter="desk", time_zone="Asia/Shanghai", actor="x", now=NOON)
    with reading() as session:
        assert session.scalars(select(Provider.approved_at)).one() == NOON


def test_an_administrator_approves_and_the_applicant_is_told_in_her_language(lin: Principal) -> None:
    public_id = registered(language="zh")
    assert waiting(lin) == 1
    [line] = applications(lin, "new", cursor=None, limit=5).items
    assert line.public_id == public_id and applications(lin, "approved", cursor=None, limit=5).items == []
    seen = application(lin, public_id)
    assert (seen.contact, seen.email, seen.open) == ("方敏", "fang@example.com", True)
    approve(lin, public_id, now=NOON)
    provider = provider_of(stored().provider_id)
    assert provider.approved_at == NOON and waiting(lin) == 0
    [letter] = letters()
    assert letter.to == "fang@example.com" and "已通过审核" in letter.text and letters() == []
    assert audited("application.approved") == [(lin.public_id, provider.public_id)]
    for again in (approve, partial(decline, reason="x"), partial(ask_back, question="x")):
        with pytest.raises(ApplicationDecided):
            again(lin, public_id, now=NOON)
    with pytest.raises(ApplicationClosed):
        send_again(member("fang"), SAID, now=NOON)


def test_one_that_is_declined_may_still_sign_in_and_is_sent_in_again(lin: Principal) -> None:
    public_id = registered()
    decline(lin, public_id, " The licence has ended. ", now=NOON)
    [letter] = letters()
    assert "The licence has ended." in letter.text and "declined" in letter.text
    fang = member("fang")
    own = own_application(fang)
    assert (own.state, own.note) == ("declined", "The licence has ended.")
    assert provider_of(fang.provider_id).approved_at is None
    send_again(fang, replace(SAID, answers="partner", reply="A new one is here."), now=NOON)
    seen = application(lin, public_id)
    assert (seen.line.state, seen.reply, seen.line.answers) == ("new", "A new one is here.", "partner")
    assert provider_of(fang.provider_id).adapter == "partner"
    ask_back(lin, public_id, "Which one?", now=NOON + timedelta(minutes=1))
    [letter] = letters(NOON + timedelta(minutes=1))
    assert "Which one?" in letter.text and own_application(fang).state == "returned"
    approve(lin, public_id, now=NOON + timedelta(minutes=2))
    assert provider_of(fang.provider_id).approved_at is not None


def test_a_newer_letter_overtakes_one_that_is_being_sent(lin: Principal) -> None:
    public_id = registered()
    ask_back(lin, public_id, "Which one?", now=NOON)
    slow = APPLICATIONS.claim(now=NOON)
    assert slow is not None
    approve(lin, public_id, now=NOON)
    assert APPLICATIONS.deliver(slow, lambda _post: None, lambda: NOON) == "overtaken"
    [letter] = letters()
    assert "is approved" in letter.text


@pytest.mark.parametrize("text", ["", " ", "x" * 1001])
def test_a_reason_is_needed_and_not_endless(lin: Principal, text: str) -> None:
    public_id = registered()
    for say, field in ((decline, "reason"), (ask_back, "question")):
        with pytest.raises(Invalid) as refused:
            say(lin, public_id, text, now=NOON)
        assert refused.value.at == field
    assert stored().state == "new"


ACTS: list[Callable[..., object]] = [
    approve,
    lambda who, one, now: decline(who, one, "x", now=now),
    lambda who, one, now: ask_back(who, one, "x", now=now),
]


@pytest.mark.parametrize("act", ACTS)
def test_who_does_not_run_providers_finds_nothing(lin: Principal, act: Callable[..., object]) -> None:
    public_id = registered()
    agent = replace(lin, role="agent")
    for look in (
        lambda: act(agent, public_id, now=NOON),
        lambda: application(agent, public_id),
        lambda: applications(agent, "", cursor=None, limit=5),
        lambda: waiting(agent),
    ):
        with pytest.raises(NotFound):
            look()
    with pytest.raises(SignInAgain):
        act(lin, public_id, now=NOON + RECENT + timedelta(seconds=1))
    assert stored().state == "new"


@pytest.mark.parametrize("act", ACTS)
def test_one_that_nobody_confirmed_and_one_that_there_is_not_look_alike(
    lin: Principal, act: Callable[..., object]
) -> None:
    asked()
    for public_id in (stored().public_id, "app_00000000000000000000", "x"):
        with pytest.raises(NotFound):
            act(lin, public_id, now=NOON)
        with pytest.raises(NotFound):
            application(lin, public_id)
    assert applications(lin, "", cursor=None, limit=5).items == []
    with pytest.raises(NotFound):
        applications(lin, "asked", cursor=None, limit=5)


def test_of_two_words_at_once_one_counts(lin: Principal) -> None:
    public_id = registered()
    found = all_at_once([partial(approve, lin, public_id, now=NOON), partial(decline, lin, public_id, "No.", now=NOON)])
    assert sorted(type(one).__name__ for one in found) == ["ApplicationDecided", "NoneType"]
    assert len(audited("application.approved") + audited("application.declined")) == 1


def test_what_may_be_the_same_organisation_is_hinted_at(lin: Principal) -> None:
    add_provider("old", "启航 体检", "Other", adapter="desk", time_zone="Asia/Shanghai", actor="x", now=NOON)
    registered()
    twin = registered("chen", email="chen@example.com", name_zh="别的", name_en="Else")
    assert [(each.number, each.state) for each in application(lin, twin).alike] == [(True, "new")]
    third = registered("wu", email="wu@example.com", country="other", registration="1")
    found = {(each.number, each.state) for each in application(lin, third).alike}
    assert found == {(False, ""), (False, "new")}


def test_a_list_goes_on(lin: Principal) -> None:
    made = [registered(f"fang{n}", email=f"f{n}@example.com") for n in range(3)]
    first = applications(lin, "", cursor=None, limit=2)
    rest = applications(lin, "", cursor=first.next, limit=2)
    assert [it.public_id for it in (*first.items, *rest.items)] == made[::-1] and rest.next is None


def test_only_a_manager_of_a_provider_that_registered_finds_its_application() -> None:
    registered()
    fang = member("fang")
    make_member(provider_of(fang.provider_id).code, "front_desk", login="desk")
    other, _offer, _slots = make_offer()
    make_member(other.code, login="owner")
    for who in (member("desk"), member("owner")):
        for look in (lambda who=who: own_application(who), lambda who=who: send_again(who, SAID, now=NOON)):
            with pytest.raises(NotFound):
                look()
    assert own_application(fang).state == "new"


def steps(who: Member) -> dict[str, bool]:
    return {each.what: each.done for each in own_application(who).steps}


def test_what_is_missing_to_be_on_sale_goes_by_who_answers(lin: Principal) -> None:
    registered(answers="desk")
    fang = member("fang")
    missing = {"profile": True, "place": False, "offer": False, "system": True, "certificate": True, "approval": False}
    assert steps(fang) == missing
    assert [each.what for each in own_application(fang).steps if not each.needed] == ["certificate"]
    send_again(fang, replace(SAID, answers="partner"), now=NOON)
    assert steps(fang) == {**missing, "system": False, "certificate": False}, "a program is certified too"
    send_again(fang, replace(SAID, answers="system"), now=NOON)
    assert steps(fang) == {**missing, "system": False, "certificate": False}
    assert all(each.needed for each in own_application(fang).steps)
    set_provider(provider_of(fang.provider_id), adapter="open_protocol")
    assert steps(fang) == {**missing, "certificate": False}
    send_again(fang, replace(SAID, answers="desk"), now=NOON)
    assert provider_of(fang.provider_id).adapter == "open_protocol", "what is connected stays"
    approve(lin, stored().public_id, now=NOON)
    assert steps(fang)["approval"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"answers": "fhir"}, "answers"),
        ({"country": "x"}, "country"),
        ({"registration": "1"}, "registration"),
        ({"reply": "x" * 1001}, "reply"),
    ],
)
def test_what_cannot_be_sent_in_is_named(changes: dict[str, str], field: str) -> None:
    registered()
    with pytest.raises(Invalid) as refused:
        send_again(member("fang"), replace(SAID, **changes), now=NOON)
    assert refused.value.at == field


def test_what_nobody_confirmed_is_forgotten_after_a_week() -> None:
    registered()
    asked(email="other@example.com")
    week = NOON + UNCONFIRMED
    assert forget_applications(now=week)["unconfirmed"] == 0
    assert forget_applications(now=week + timedelta(seconds=1))["unconfirmed"] == 1
    assert stored().state == "new"


def test_what_nobody_used_for_half_a_year_is_ended_with_its_accounts_unless_it_is_approved(lin: Principal) -> None:
    kept = registered("kept", email="kept@example.com")
    approve(lin, kept, now=NOON)
    registered("used", email="used@example.com")
    gone = registered("gone", email="gone@example.com")
    used = sign_in_operator("used", PASSWORD, NOON + timedelta(days=1), employer="provider")
    token = sign_in_operator("gone", PASSWORD, NOON, employer="provider")
    assert isinstance(used, OperatorSignedIn) and isinstance(token, OperatorSignedIn)
    late = NOON + UNUSED
    assert forget_applications(now=late - timedelta(seconds=1))["unused"] == 0
    assert forget_applications(now=late)["unused"] == 1
    row = stored()
    assert (row.public_id, row.state, row.email_sealed, row.contact_sealed) == (gone, "forgotten", None, None)
    with pytest.raises(WrongPassword):
        sign_in_operator("gone", PASSWORD, late, employer="provider")
    with pytest.raises(Unauthenticated):
        authenticate_member(token.token, now=NOON)
    with pytest.raises(NotFound):
        application(lin, gone)
    assert isinstance(sign_in_operator("kept", PASSWORD, late, employer="provider"), OperatorSignedIn)


def test_whom_we_wrote_to_is_forgotten_half_a_year_after_the_last_word(lin: Principal) -> None:
    public_id = registered()
    approve(lin, public_id, now=NOON)
    assert forget_applications(now=NOON + CONTACT - timedelta(seconds=1))["contacts"] == 0
    assert forget_applications(now=NOON + CONTACT)["contacts"] == 1
    seen = application(lin, public_id)
    assert (seen.contact, seen.email, seen.line.state) == ("", "", "approved")
