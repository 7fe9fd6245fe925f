"""What was tried is connected, and nothing else: for a day, by those who tried it last, with what is lost confirmed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from booking.joining.ask import ask_for_test
from booking.joining.connect import MOST_WRONG, NotConfirmed, NotTried, connect_tested
from booking.joining.models import SystemTest
from booking.joining.outcomes import Outcome
from booking.joining.secret import KEPT
from booking.joining.view import GOOD_FOR, one_test
from marketplace.core import clock
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from providers.conformance.certificates.issue import give_provisional, in_force
from tests.booking.certifying.certified import offered
from tests.booking.joining.proposed import connection, give_secret, manager, provider, row, system, tried
from tests.booking.joining.test_trying import stranger
from tests.people import NOON
from tests.providers.conformance.served import KEY, Served, serve
from tests.world import World, set_provider
from vip.principal import Member

LATER = timedelta(minutes=1)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A sandbox."""
    with serve(tmp_path) as it:
        yield it


def certified(world: World) -> None:
    with transaction() as session:
        give_provisional(session, world.provider.id, now=NOON)


def certificates(world: World) -> int:
    with reading() as session:
        return len(in_force(session, world.provider.id))


def test_what_passed_is_written_as_by_the_command_and_audited_as_hers(world: World, served: Served) -> None:
    who = manager(world)
    test = tried(who, system(served, settings={"test_offer": "BASIC"}))
    for _twice in range(2):
        connect_tested(who, test, confirmed=False, now=clock.now())
    now_there = connection(world)
    assert (now_there.base_url, now_there.secret, now_there.settings) == (
        f"{served.url}/p/kit",
        KEY,
        {"test_offer": "BASIC"},
    )
    assert row(test).secret_sealed is None and not one_test(who, test, now=clock.now()).may_connect
    with reading() as session:
        (line,) = session.scalars(select(AuditLine).where(AuditLine.action == "provider.joined")).all()
    assert (line.actor_kind, line.actor, line.subject) == ("provider", who.public_id, world.provider.public_id)
    assert line.facts == {"adapter": "open_protocol", "host": "127.0.0.1"}


def test_what_did_not_pass_is_not_connected(world: World, served: Served) -> None:
    who = manager(world)
    before = provider(world).base_url
    waiting = ask_for_test(who, system(served), now=clock.now())
    with pytest.raises(NotTried):
        connect_tested(who, waiting, secret=KEY, confirmed=True, now=clock.now())
    with transaction() as session:
        session.execute(
            update(SystemTest).values(state="done", outcome="given_up", finished_at=NOON, secret_sealed=None)
        )
    wrong = tried(who, system(served, secret="another"))
    for test in (waiting, wrong):
        with pytest.raises(NotTried):
            connect_tested(who, test, secret=KEY, confirmed=True, now=clock.now())
    assert provider(world).base_url == before


def test_what_passed_is_good_for_a_day(world: World, served: Served) -> None:
    who = manager(world)
    give_secret(world, KEY)
    set_provider(world.provider, base_url=f"{served.url}/p/kit")
    test = tried(who, system(served, secret=""), now=NOON)
    with pytest.raises(NotTried):
        connect_tested(who, test, confirmed=True, now=NOON + GOOD_FOR)
    assert not one_test(who, test, now=NOON + GOOD_FOR).may_connect
    with transaction() as session:
        session.execute(update(SystemTest).values(secret_sealed=None))
    connect_tested(who, test, confirmed=True, now=NOON + GOOD_FOR - LATER)
    assert connection(world).secret == KEY


def test_the_newest_test_alone_is_connected(world: World, served: Served) -> None:
    who = manager(world)
    first = tried(who, system(served))
    second = tried(who, system(served, settings={"test_pool": "P1"}))
    with pytest.raises(NotTried):
        connect_tested(who, first, secret=KEY, confirmed=True, now=clock.now())
    assert not one_test(who, first, now=clock.now()).may_connect
    connect_tested(who, second, confirmed=True, now=clock.now())
    assert provider(world).settings == {"test_pool": "P1"}


def test_after_its_hour_the_same_secret_is_asked_for_again_and_another_is_refused(world: World, served: Served) -> None:
    who = manager(world)
    test = tried(who, system(served), now=NOON)
    with transaction() as session:
        session.execute(update(SystemTest).values(secret_sealed=None))
    late = NOON + KEPT + LATER
    assert one_test(who, test, now=late).needs_secret
    for typed, reason in (("", "secret_over"), ("another", "secret_differs")):
        with pytest.raises(Invalid) as refused:
            connect_tested(who, test, secret=typed, confirmed=True, now=late)
        assert (refused.value.at, refused.value.facts["reason"]) == ("secret", reason)
    connect_tested(who, test, secret=KEY, confirmed=True, now=late)
    assert connection(world).secret == KEY


@pytest.mark.parametrize("kept", [True, False])
def test_a_few_wrong_secrets_are_compared_and_then_not_even_the_right_one(
    world: World, served: Served, kept: bool
) -> None:
    who = manager(world)
    test = tried(who, system(served), now=NOON)
    if not kept:
        with transaction() as session:
            session.execute(update(SystemTest).values(secret_sealed=None))
    for number in range(MOST_WRONG):
        with pytest.raises(Invalid):
            connect_tested(who, test, secret=f"guess-{number}", confirmed=True, now=NOON + LATER)
    with pytest.raises(NotTried):
        connect_tested(who, test, secret=KEY, confirmed=True, now=NOON + LATER)


def test_a_stored_secret_that_was_exchanged_since_is_not_the_one_that_was_tried(world: World, served: Served) -> None:
    who = manager(world)
    give_secret(world, KEY)
    set_provider(world.provider, base_url=f"{served.url}/p/kit")
    test = tried(who, system(served, secret=""))
    give_secret(world, "another")
    with transaction() as session:
        session.execute(update(SystemTest).values(secret_sealed=None))
    with pytest.raises(NotTried):
        connect_tested(who, test, confirmed=True, now=clock.now())
    assert connection(world).secret == "another"


def test_certificates_end_with_other_settings_once_that_is_confirmed(world: World, served: Served) -> None:
    who = manager(world)
    certified(world)
    test = tried(who, system(served))
    assert one_test(who, test, now=clock.now()).loses
    with pytest.raises(NotConfirmed):
        connect_tested(who, test, confirmed=False, now=clock.now())
    assert certificates(world) and offered(world.offer) and provider(world).base_url != f"{served.url}/p/kit"
    connect_tested(who, test, confirmed=True, now=clock.now())
    assert not certificates(world) and not offered(world.offer)


def test_a_rotated_secret_or_how_it_is_tried_ends_nothing_and_asks_for_no_confirmation(
    world: World, served: Served
) -> None:
    who = manager(world)
    set_provider(world.provider, base_url=f"{served.url}/p/kit")
    give_secret(world, "the-old-key")
    certified(world)
    test = tried(who, system(served, settings={"test_offer": "BASIC"}))
    assert not one_test(who, test, now=clock.now()).loses
    connect_tested(who, test, confirmed=False, now=clock.now())
    assert certificates(world) and offered(world.offer)
    assert (connection(world).secret, provider(world).settings) == (KEY, {"test_offer": "BASIC"})


def test_who_answered_at_the_desk_is_told_that_its_offers_are_hidden(world: World, served: Served) -> None:
    who = manager(world)
    set_provider(world.provider, adapter="desk", base_url="")
    test = tried(who, system(served))
    assert one_test(who, test, now=clock.now()).loses
    connect_tested(who, test, confirmed=True, now=clock.now())
    assert provider(world).adapter == "open_protocol" and not offered(world.offer)


def test_bookings_that_were_made_since_keep_the_kind_of_system(world: World, served: Served) -> None:
    who = manager(world)
    set_provider(world.provider, adapter="desk", base_url="")
    test = tried(who, system(served))
    world.submit()
    with pytest.raises(Invalid) as refused:
        connect_tested(who, test, confirmed=True, now=clock.now())
    assert (refused.value.at, provider(world).adapter) == ("adapter", "desk")


def test_another_providers_manager_connects_nothing(world: World, served: Served) -> None:
    test = tried(manager(world), system(served))
    with pytest.raises(NotFound):
        connect_tested(stranger(), test, confirmed=True, now=clock.now())
    assert row(test).connected_at is None


def test_what_an_operator_connected_since_stays_even_within_the_hour(world: World, served: Served) -> None:
    who = manager(world)
    set_provider(world.provider, base_url=f"{served.url}/p/kit")
    give_secret(world, "the-replaced-key")
    for exchanged in ({"base_url": "http://127.0.0.1:9"}, {"settings": {"test_pool": "P1"}}, {"adapter": "fhir"}):
        test = tried(who, system(served))
        set_provider(world.provider, **exchanged)
        _refused(world, who, test)
        set_provider(world.provider, adapter=served.adapter, base_url=f"{served.url}/p/kit", settings={})
    test = tried(who, system(served))
    give_secret(world, "the-new-key")
    _refused(world, who, test)
    assert connection(world).secret == "the-new-key"
    connect_tested(who, tried(who, system(served)), confirmed=True, now=clock.now())
    assert connection(world).secret == KEY


def _refused(world: World, who: Member, test: str) -> None:
    before = provider(world)
    with pytest.raises(NotTried):
        connect_tested(who, test, confirmed=True, now=clock.now())
    assert not one_test(who, test, now=clock.now()).may_connect
    after = provider(world)
    assert (after.adapter, after.base_url, after.settings) == (before.adapter, before.base_url, before.settings)


def test_what_was_connected_once_is_not_told_to_be_in_use_when_something_else_is(world: World, served: Served) -> None:
    who = manager(world)
    test = tried(who, system(served))
    connect_tested(who, test, confirmed=True, now=clock.now())
    assert one_test(who, test, now=clock.now()).in_use
    give_secret(world, "another")
    assert not one_test(who, test, now=clock.now()).in_use
    with pytest.raises(NotTried):
        connect_tested(who, test, confirmed=True, now=clock.now())


def test_a_stored_secret_is_taken_away_by_a_test_without_one(
    world: World, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = manager(world)
    set_provider(world.provider, base_url=f"{served.url}/p/kit")
    give_secret(world, KEY)
    without = system(served, secret="", without_secret=True)
    refused = one_test(who, tried(who, without), now=clock.now())
    assert refused.outcome is Outcome.NOT_AUTHORISED, "it was tried without the one that is stored"
    monkeypatch.setattr("booking.joining.carry_out.try_out", lambda *_: ())
    test = tried(who, without, now=NOON)
    late = NOON + KEPT + LATER
    seen = one_test(who, test, now=late)
    assert (seen.may_connect, seen.needs_secret, seen.without_secret, seen.removes_secret) == (True, False, True, True)
    assert connection(world).secret == KEY, "nothing is changed before it is connected"
    connect_tested(who, test, confirmed=False, now=late)
    assert provider(world).secret_sealed is None and connection(world).secret == ""
    assert one_test(who, test, now=late).in_use


def test_a_secret_that_an_operator_stored_since_is_not_taken_away(
    world: World, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = manager(world)
    give_secret(world, "of-before")
    monkeypatch.setattr("booking.joining.carry_out.try_out", lambda *_: ())
    test = tried(who, system(served, secret="", without_secret=True))
    give_secret(world, KEY)
    _refused(world, who, test)
    assert connection(world).secret == KEY


def test_without_a_secret_another_address_and_kind_of_system_can_be_tried(world: World, served: Served) -> None:
    who = manager(world)
    give_secret(world, KEY)
    elsewhere = system(served, secret="", without_secret=True, base_url=f"{served.url}/p/other", adapter="fhir")
    test = tried(who, elsewhere)
    assert row(test).secret_sealed is None and not row(test).secret_kept


def test_a_secret_is_typed_or_taken_away_and_never_both(world: World, served: Served) -> None:
    with pytest.raises(Invalid) as refused:
        ask_for_test(manager(world), system(served, without_secret=True), now=clock.now())
    assert (refused.value.at, refused.value.facts["reason"]) == ("secret", "secret_and_none")
