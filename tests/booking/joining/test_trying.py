"""A provider's system is tried with proposed values: what is asked for, what came, and what becomes of the secret."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import Connection as Database
from sqlalchemy import select, text, update

from booking.calls import join
from booking.joining.ask import MOST_AN_HOUR, Proposed, SystemTestOpen, ask_for_test
from booking.joining.carry_out import FORGOTTEN_AFTER, LEASE, MOST_TRIES, carry_out_tests, forget_tests
from booking.joining.models import SystemTest
from booking.joining.outcomes import Outcome
from booking.joining.secret import KEPT
from booking.joining.view import one_test
from marketplace.catalog.new_provider import add_provider
from marketplace.core import clock
from marketplace.core.audit import AuditLine
from marketplace.core.config import settings
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound, TooMany
from marketplace.core.text import Text
from providers.adapters.http import Reply, overhear
from providers.adapters.settings import BadSettings
from tests.booking.joining.proposed import give_secret, manager, provider, row, system, tried
from tests.desk import make_member, member
from tests.people import NOON
from tests.providers.conformance.served import KEY, serve
from tests.world import World, set_provider
from vip.principal import Member

NOBODY = Proposed("open_protocol", "http://127.0.0.1:9", {}, "key-of-nobody")


@pytest.mark.parametrize("adapter", ["open_protocol", "day_capacity"])
def test_a_system_that_answers_is_fit_and_nothing_of_the_provider_changes(
    world: World, tmp_path: Path, adapter: str
) -> None:
    who, before = manager(world), provider(world)
    with serve(tmp_path, adapter=adapter) as served:
        test = tried(who, system(served, settings={"app_key": "kit"} if adapter == "day_capacity" else {}))
        assert served.live() == []
    it = one_test(who, test, now=clock.now())
    asked = "GET /slots" if adapter == "open_protocol" else "POST /schedule.query"
    assert (it.outcome, list(it.calls)) == (Outcome.FIT, [{"asked": asked, "status": 200}])
    assert it.may_connect and it.milliseconds is not None and it.finished_at is not None
    after = provider(world)
    assert (after.adapter, after.base_url, after.secret_sealed) == (before.adapter, before.base_url, None)


@pytest.mark.parametrize(
    ("adapter", "changes", "outcome", "status"),
    [
        ("open_protocol", {"secret": "another-key"}, Outcome.NOT_AUTHORISED, 401),
        ("day_capacity", {"secret": "another-key", "settings": {"app_key": "kit"}}, Outcome.NOT_AUTHORISED, 200),
        ("day_capacity", {"settings": {"app_key": "nobody"}}, Outcome.NOT_AUTHORISED, 200),
        ("open_protocol", {"base_url": "{url}/nothing"}, Outcome.NOT_THERE, 404),
        ("open_protocol", {"base_url": "http://127.0.0.1:9"}, Outcome.UNREACHABLE, None),
        ("open_protocol", {"base_url": "https://{host}/p/kit"}, Outcome.TLS, None),
    ],
)
def test_what_is_wrong_is_told_apart_and_the_secret_is_gone(
    world: World, tmp_path: Path, adapter: str, changes: dict[str, str], outcome: Outcome, status: int | None
) -> None:
    who = manager(world)
    with serve(tmp_path, adapter=adapter) as served:
        host = served.url.partition("://")[2]
        given = {
            name: value.format(url=served.url, host=host) if isinstance(value, str) else value
            for name, value in changes.items()
        }
        test = tried(who, system(served, **given))
    it = one_test(who, test, now=clock.now())
    assert (it.outcome, it.calls[-1]["status"]) == (outcome, status)
    assert not it.may_connect and row(test).secret_sealed is None


def test_a_name_that_leads_into_a_private_network_is_not_called_unless_an_operator_allowed_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, called = manager(world), list[str]()

    def found(_host: str, _port: int) -> list[str]:
        return ["10.1.2.3"]

    def opened(address: str, _port: int, _seconds: float) -> object:
        called.append(address)
        raise OSError

    monkeypatch.setattr("marketplace.core.sending.outside.look_up", found)
    monkeypatch.setattr("marketplace.core.sending.outside.open_socket", opened)
    inside = Proposed("open_protocol", "https://inside.example/v1", {}, KEY)
    assert one_test(who, tried(who, inside), now=clock.now()).outcome is Outcome.NOT_PUBLIC and called == []
    set_provider(world.provider, networks=["10.1.0.0/16"])
    assert one_test(who, tried(who, inside), now=clock.now()).outcome is Outcome.UNREACHABLE and called == ["10.1.2.3"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://partner.example/v1", "url_https"),
        ("https://10.1.2.3/v1", "url_address"),
        ("https://169.254.169.254/latest", "url_address"),
        ("https://a.localhost/v1", "url_address"),
        ("https://localhost/v1", "url_host"),
        ("https://user@partner.example", "url_form"),
        ("https://partner.example/v1?key=1", "url_form"),
        ("ftp://partner.example", "url_form"),
        ("", "url_form"),
    ],
)
def test_an_address_that_we_do_not_call_is_refused_with_its_rule_before_anything_is_stored(
    world: World, monkeypatch: pytest.MonkeyPatch, url: str, reason: str
) -> None:
    who = manager(world)
    strict(monkeypatch)
    with pytest.raises(Invalid) as refused:
        ask_for_test(who, Proposed("open_protocol", url, {}, KEY), now=clock.now())
    assert (refused.value.at, refused.value.facts["reason"]) == ("base_url", reason) and stored_tests(world) == []


def test_every_setting_that_is_an_address_is_judged_as_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    who = manager(world)
    strict(monkeypatch)
    for adapter, name in (("fhir", "token_url"), ("open_protocol", "test_url")):
        wanted = Proposed(adapter, "https://partner.example", {name: "https://10.1.2.3/token"}, KEY)
        with pytest.raises(Invalid) as refused:
            ask_for_test(who, wanted, now=clock.now())
        assert (refused.value.at, refused.value.facts["reason"]) == (name, "url_address")


def test_what_cannot_be_used_is_named(world: World) -> None:
    who = manager(world)
    for adapter in ("desk", "partner", "nothing"):
        with pytest.raises(Invalid, match="invalid") as refused:
            ask_for_test(who, Proposed(adapter, NOBODY.base_url, {}, KEY), now=clock.now())
        assert refused.value.at == "adapter"
    wrong = {"page_size": "1001", "books_as": "maybe", "client_id": "x" * 501, "colour": "blue"}
    with pytest.raises(BadSettings) as bad:
        ask_for_test(who, Proposed("fhir", NOBODY.base_url, wrong, KEY), now=clock.now())
    reasons = {name: fault.reason for name, fault in bad.value.faults.items()}
    assert reasons == {
        "page_size": "out_of_range",
        "books_as": "choice",
        "client_id": "too_long",
        "colour": "unknown_field",
    }


def test_a_provider_with_bookings_keeps_its_kind_of_system(world: World) -> None:
    world.submit()
    with pytest.raises(Invalid) as refused:
        ask_for_test(manager(world), Proposed("fhir", NOBODY.base_url, {}, KEY), now=clock.now())
    assert (refused.value.at, refused.value.facts["reason"]) == ("adapter", "adapter_stays")


def test_the_secret_that_is_stored_is_used_where_none_is_typed_and_goes_nowhere_else(
    world: World, tmp_path: Path
) -> None:
    who = manager(world)
    give_secret(world, KEY)
    with serve(tmp_path) as served:
        mine = system(served, secret="")
        set_provider(world.provider, base_url=mine.base_url)
        assert one_test(who, tried(who, mine), now=clock.now()).outcome is Outcome.FIT
        for elsewhere in (
            system(served, secret="", base_url=f"{served.url}/p/other"),
            system(served, secret="", settings={"test_url": "http://127.0.0.1:9"}),
            Proposed("day_capacity", mine.base_url, {}, ""),
        ):
            with pytest.raises(Invalid) as refused:
                ask_for_test(who, elsewhere, now=clock.now())
            assert (refused.value.at, refused.value.facts["reason"]) == ("secret", "secret_needed")


def test_one_test_is_open_for_a_provider_and_another_providers_does_not_wait(world: World) -> None:
    who = manager(world)
    first = ask_for_test(who, NOBODY, now=clock.now())
    with pytest.raises(SystemTestOpen) as refused:
        ask_for_test(who, NOBODY, now=clock.now())
    assert refused.value.facts["test"] == first
    assert ask_for_test(stranger(), NOBODY, now=clock.now())


def test_a_provider_has_so_many_tests_an_hour(world: World) -> None:
    who = manager(world)
    for number in range(MOST_AN_HOUR):
        ask_for_test(who, NOBODY, now=NOON + timedelta(minutes=number))
        with transaction() as session:
            session.execute(
                update(SystemTest).values(state="done", outcome="unreachable", finished_at=NOON, secret_sealed=None)
            )
    with pytest.raises(TooMany) as refused:
        ask_for_test(who, NOBODY, now=NOON + timedelta(minutes=59))
    assert refused.value.facts["retry_after"] == 60
    assert ask_for_test(who, NOBODY, now=NOON + timedelta(minutes=60))


def test_another_providers_test_is_not_there(world: World) -> None:
    test = ask_for_test(manager(world), NOBODY, now=clock.now())
    other = stranger()
    for public_id in (test, "syt_00000000000000000000", "x\0"):
        with pytest.raises(NotFound):
            one_test(other, public_id, now=clock.now())


def test_asking_is_audited_as_hers_with_the_host_alone(world: World) -> None:
    who = manager(world)
    test = ask_for_test(who, NOBODY, now=clock.now())
    with reading() as session:
        line = session.scalars(select(AuditLine).where(AuditLine.action == "provider.system_tested")).one()
    assert (line.actor_kind, line.actor, line.subject) == ("provider", who.public_id, world.provider.public_id)
    assert line.facts == {"test": test, "adapter": "open_protocol", "host": "127.0.0.1"}


def test_the_secret_is_sealed_erased_and_in_no_log_and_no_row(
    world: World, tmp_path: Path, owner_connection: Database, caplog: pytest.LogCaptureFixture
) -> None:
    secret, who = "hush-secret-of-the-clinic", manager(world)
    with caplog.at_level(logging.DEBUG), serve(tmp_path) as served:
        test = ask_for_test(who, system(served, secret=secret), now=clock.now())
        sealed = row(test).secret_sealed
        assert sealed is not None and secret.encode() not in sealed
        assert carry_out_tests(clock.now) == {"not_authorised": 1}
    stored = row(test)
    assert stored.secret_sealed is None
    everything = "\n".join(
        str(owner_connection.execute(text(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM \"{name}\" t")).scalar())
        for name in ("system_test", "audit_line", "provider")
    )
    assert secret not in everything and secret.encode().hex() not in everything
    assert secret not in caplog.text and secret not in json.dumps(stored.calls) and secret not in repr(system(served))


def test_a_secret_that_nobody_connects_is_erased_after_an_hour(world: World, tmp_path: Path) -> None:
    who = manager(world)
    with serve(tmp_path) as served:
        test = tried(who, system(served), now=NOON)
    assert row(test).secret_sealed is not None
    assert forget_tests(now=NOON + KEPT - timedelta(seconds=1))["erased"] == 0
    assert forget_tests(now=NOON + KEPT) == {"erased": 1, "forgotten": 0} and row(test).secret_sealed is None
    assert forget_tests(now=NOON + FORGOTTEN_AFTER + KEPT) == {"erased": 0, "forgotten": 1}
    assert stored_tests(world) == []


def test_a_new_test_erases_the_secret_of_the_one_before(world: World, tmp_path: Path) -> None:
    who = manager(world)
    with serve(tmp_path) as served:
        first = tried(who, system(served))
        assert row(first).secret_sealed is not None
        tried(who, system(served))
    assert row(first).secret_sealed is None


def test_a_test_that_waited_an_hour_is_not_carried_out_without_its_secret(world: World, tmp_path: Path) -> None:
    who = manager(world)
    with serve(tmp_path) as served:
        test = ask_for_test(who, system(served), now=NOON)
        carry_out_tests(lambda: NOON + KEPT)
    assert one_test(who, test, now=NOON).outcome is Outcome.UNUSABLE and row(test).calls == []


def test_a_test_that_was_stopped_is_carried_out_again_and_given_up_in_the_end(world: World) -> None:
    who, now = manager(world), clock.now()
    test = ask_for_test(who, NOBODY, now=now)
    with transaction() as session:
        session.execute(update(SystemTest).values(state="running", tries=1, lease_until=now + LEASE))
    assert carry_out_tests(lambda: now + LEASE - timedelta(seconds=1)) == {}
    assert carry_out_tests(lambda: now + LEASE) == {"unreachable": 1}
    with transaction() as session:
        session.execute(
            update(SystemTest).values(state="running", tries=MOST_TRIES, lease_until=now, outcome="", finished_at=None)
        )
    assert carry_out_tests(lambda: now + LEASE) == {"given_up": 1}
    assert row(test).outcome == "given_up"


def test_of_two_workers_the_one_that_lost_its_lease_records_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, now = manager(world), clock.now()
    test = ask_for_test(who, NOBODY, now=now)

    def meanwhile(*_: object) -> tuple[()]:
        with transaction() as session:
            session.execute(update(SystemTest).values(tries=SystemTest.tries + 1))
        return ()

    monkeypatch.setattr("booking.joining.carry_out.try_out", meanwhile)
    assert carry_out_tests(lambda: now) == {"overtaken": 1} and row(test).state == "running"


def test_what_no_row_can_hold_is_stored_with_marks_in_its_place(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def said(*_: object) -> list[Text]:
        told = overhear.get()
        assert told is not None
        told("GET /next\0page\ud800", {}, Reply(200, "", b""))
        return [Text("版本 \0", "Version \ud800 of a server")]

    monkeypatch.setattr("booking.joining.carry_out.try_out", said)
    test = tried(manager(world), NOBODY)
    it = one_test(manager(world, "mei"), test, now=clock.now())
    assert (it.outcome, it.calls[0]["asked"]) == (Outcome.MISSING, "GET /next?page?")
    assert it.missing == [Text("版本 ?", "Version ? of a server")]


def test_one_whose_answer_breaks_us_is_not_understood_and_the_next_is_tried(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> list[Text]:
        raise RecursionError("of 1380000 people")

    monkeypatch.setattr("booking.joining.carry_out.try_out", broken)
    asked = [ask_for_test(who, NOBODY, now=clock.now()) for who in (manager(world), stranger())]
    assert carry_out_tests(clock.now) == {"not_understood": 2}
    assert {row(test).outcome for test in asked} == {"not_understood"} and row(asked[0]).secret_sealed is None
    assert "1380000" not in caplog.text


def test_a_slow_system_keeps_no_other_provider_waiting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    both = Barrier(2, timeout=20)

    def together(*_: object) -> list[Text]:
        both.wait()
        return []

    monkeypatch.setattr("booking.joining.carry_out.try_out", together)
    for who in (manager(world), stranger()):
        ask_for_test(who, NOBODY, now=clock.now())
    assert carry_out_tests(clock.now) == {"fit": 2}


def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge addresses as an installation does."""
    monkeypatch.setattr(join, "settings", lambda: replace(settings(), loopback_urls=False))


def stranger() -> Member:
    """A manager of another provider."""
    add_provider("clinic-b", "乙诊所", "Clinic B", adapter="partner", time_zone="UTC", actor="test", now=NOON)
    return member(make_member("clinic-b", login="stranger"))


def stored_tests(world: World) -> list[SystemTest]:
    with reading() as session:
        return list(session.scalars(select(SystemTest).where(SystemTest.provider_id == world.provider.id)))
