"""Customers whom their insurer's app brings: by a token or a link, once, their own insurer alone, and never so far that
a stolen phone could do what can't be undone."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound, TooMany, Unauthenticated
from tests.people import NOON, OTHER_PHONE, PHONE, make_customer, signed_in
from tests.vip.insurers.app import AUDIENCE, THEIRS, InsurersApp, end, insurers_app, later, signed
from vip import phones
from vip.insurers import bring
from vip.insurers.assertions import BadAssertion
from vip.insurers.bring import EACH_CUSTOMER, LinkOver
from vip.models import Customer
from vip.signin import authentication, signin
from vip.signin.limits import NOBODY
from vip.signin.signin import LIFETIME_BROUGHT, SignedIn, SignInAgain

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def customer() -> Customer:
    """The holder of the policy `p-1`."""
    return make_customer()


@pytest.fixture
def ours(customer: Customer) -> InsurersApp:
    """Her insurer's app."""
    return insurers_app()


def exchange(app: InsurersApp, token: str = "", **claims: object) -> SignedIn:
    return bring.exchange(app.bringer, token or signed(**claims), audience=AUDIENCE, now=NOON)


def opened(token: str, now: object = NOON, previous: str | None = None) -> SignedIn:
    return bring.open_link(token, previous_token=previous, now=now).signed_in


def alive(made: SignedIn) -> bool:
    try:
        authentication.authenticate(made.token, now=NOON)
    except Unauthenticated:
        return False
    return True


def lines(*actions: str) -> list[tuple[str, str, str, object]]:
    with reading() as session:
        rows = session.scalars(select(AuditLine).where(AuditLine.action.in_(actions)).order_by(AuditLine.id)).all()
    return [(row.action, row.actor_kind, row.actor, row.facts.get("by")) for row in rows]


def test_an_app_brings_its_customer_by_a_token_for_hours_and_never_as_a_sign_in_of_the_last_minutes(
    customer: Customer, ours: InsurersApp
) -> None:
    made = exchange(ours)
    assert made.customer_public_id == customer.public_id
    assert made.expires_at == NOON + LIFETIME_BROUGHT < NOON + signin.LIFETIME
    her = authentication.authenticate(made.token, now=NOON)
    assert (her.id, her.insurer_id) == (customer.id, ours.insurer_id)
    with pytest.raises(SignInAgain):
        signin.require_recent(her, NOON)
    signin.require_recent(signed_in(), NOON)
    [shown] = [each for each in signin.sessions(her, NOON) if each.current]
    assert (shown.brought, shown.channel) == (True, "api")
    assert lines("customer.brought") == [("customer.brought", "insurer", ours.credentials.client_id, "token")]


def test_a_session_that_an_app_opened_makes_no_device_known(ours: InsurersApp) -> None:
    number, brought, her_own = phones.normalise(PHONE), exchange(ours), signin.issue_token(PHONE, NOON)
    known = {shown: signin._who(number, NOBODY, shown)[1].device is not None for shown in _shown(brought, her_own)}
    assert known == {brought.token: False, brought.device: False, her_own.token: True, her_own.device: True}


def _shown(*made: SignedIn) -> list[str]:
    return [shown for each in made for shown in (each.token, each.device)]


def test_a_token_is_exchanged_once_also_by_two_at_the_same_time(ours: InsurersApp) -> None:
    token, told = signed(), []

    def ask() -> None:
        try:
            exchange(ours, token)
        except BadAssertion as bad:
            told.append(bad.fault)

    asking = [threading.Thread(target=ask) for _ in range(3)]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert told == ["replayed", "replayed"]
    with reading() as session:
        assert session.scalar(text("SELECT count(*) FROM sign_in_session WHERE client_id IS NOT NULL")) == 1


def test_nobody_is_brought_by_another_insurer_or_by_a_key_that_is_none_of_its_policies(
    customer: Customer, ours: InsurersApp
) -> None:
    theirs = insurers_app("other", THEIRS, policy=False)
    with pytest.raises(NotFound):
        exchange(theirs, key=THEIRS)
    with pytest.raises(NotFound):
        bring.make_link(theirs.bringer, "p-1", "/", now=NOON)
    for subject in ("p-2", customer.public_id, "", "\0"):
        with pytest.raises(NotFound):
            bring.make_link(ours.bringer, subject, "/", now=NOON)
    for gone in ("blocked_at", "erased_at"):
        with transaction() as session:
            session.execute(update(Customer).values({gone: NOON}))
        link = "nothing"
        with pytest.raises(NotFound):
            exchange(ours)
        with pytest.raises(NotFound):
            link = bring.make_link(ours.bringer, "p-1", "/", now=NOON).token
        with pytest.raises(LinkOver):
            opened(link)
        with transaction() as session:
            session.execute(update(Customer).values({gone: None}))
    assert lines("customer.brought", "customer.link_made") == []


def test_a_link_opens_once_within_a_minute_and_looking_at_it_uses_nothing_up(
    customer: Customer, ours: InsurersApp
) -> None:
    link = bring.make_link(ours.bringer, "p-1", "/bookings", now=NOON)
    for visitor, same in ((None, True), (customer.id, True), (customer.id + 1, False)):
        assert bring.find_link(link.token, visitor=visitor, now=NOON).same_customer is same
    before = signed_in()
    found = bring.open_link(link.token, previous_token=None, now=later(59))
    assert (found.path, found.signed_in.customer_public_id) == ("/bookings", customer.public_id)
    assert before.id == customer.id
    late = bring.make_link(ours.bringer, "p-1", "/", now=NOON)
    forged = late.token[:-3] + "AAA"
    for token, now in ((link.token, NOON), (late.token, later(60)), (forged, NOON), ("", NOON), ("\ud800", NOON)):
        with pytest.raises(LinkOver):
            bring.find_link(token, visitor=None, now=now)
        with pytest.raises(LinkOver):
            opened(token, now)
    assert lines("customer.brought") == [("customer.brought", "insurer", ours.credentials.client_id, "link")]
    with reading() as session:
        assert link.token not in session.scalar(text("SELECT string_agg(s::text, ' ') FROM sign_in_link s"))
    assert bring.forget_links(now=NOON + timedelta(days=2)) == 2


def test_two_taps_on_a_link_open_one_session(ours: InsurersApp) -> None:
    link, refused = bring.make_link(ours.bringer, "p-1", "/", now=NOON), []

    def tap() -> None:
        try:
            opened(link.token)
        except LinkOver:
            refused.append(1)

    taps = [threading.Thread(target=tap) for _ in range(3)]
    for each in taps:
        each.start()
    for each in taps:
        each.join()
    with reading() as session:
        made = session.scalar(text("SELECT count(*) FROM sign_in_session WHERE client_id IS NOT NULL"))
    assert (made, len(refused)) == (1, 2)


def test_the_session_that_the_browser_had_before_ends(ours: InsurersApp) -> None:
    first = opened(bring.make_link(ours.bringer, "p-1", "/", now=NOON).token)
    opened(bring.make_link(ours.bringer, "p-1", "/", now=NOON).token, previous=first.token)
    assert not alive(first)


@pytest.mark.parametrize("what", ["client", "secret", "key"])
def test_what_is_no_longer_believed_ends_the_sessions_it_opened_and_no_other(ours: InsurersApp, what: str) -> None:
    make_customer(OTHER_PHONE)
    by_token = exchange(ours)
    link = bring.make_link(ours.bringer, "p-1", "/", now=NOON)
    unused = bring.make_link(ours.bringer, "p-1", "/", now=NOON)
    by_link, her_own = opened(link.token), signed_in()
    end(what, ours)
    assert not alive(by_token) and not alive(by_link)
    with pytest.raises(LinkOver):
        opened(unused.token)
    assert [each.brought for each in signin.sessions(her_own, NOON)] == [False]


def test_a_program_that_has_ended_meanwhile_brings_nobody(ours: InsurersApp) -> None:
    with transaction() as session:
        session.execute(text("UPDATE api_client SET ended_at = now()"))
    with pytest.raises(Unauthenticated):
        exchange(ours)


@pytest.mark.parametrize(
    ("way", "what"),
    [("token", "client"), ("token", "secret"), ("token", "key"), ("link", "client"), ("link", "secret")],
)
def test_what_ends_after_it_was_believed_and_before_it_was_used_brings_nobody(
    ours: InsurersApp, monkeypatch: pytest.MonkeyPatch, way: str, what: str
) -> None:
    count = bring._count

    def ended_meanwhile(*given: Any) -> None:
        count(*given)
        end(what, ours)

    monkeypatch.setattr(bring, "_count", ended_meanwhile)
    with pytest.raises(BadAssertion if what == "key" else Unauthenticated):
        exchange(ours) if way == "token" else bring.make_link(ours.bringer, "p-1", "/", now=NOON)
    assert lines("customer.brought", "customer.link_made") == []


def test_one_customer_is_brought_so_many_times(ours: InsurersApp) -> None:
    for _ in range(EACH_CUSTOMER.capacity):
        bring.make_link(ours.bringer, "p-1", "/", now=NOON)
    with pytest.raises(TooMany):
        bring.make_link(ours.bringer, "p-1", "/", now=NOON)
    with pytest.raises(TooMany):
        exchange(ours)
