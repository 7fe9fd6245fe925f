"""Commands for providers and their programs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import Engine, select

from booking.rehearsals.view import rehearsals
from marketplace import cli
from marketplace.app import create_app
from marketplace.catalog.models import Provider
from marketplace.clients.listing import clients_of
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading
from providers.conformance.kit import declared
from providers.registry import answering_here, capabilities
from tests.booking.certifying.certified import connect, offered, proved
from tests.booking.rehearsals.running import run as rehearse_to_its_end
from tests.booking.rehearsals.running import staged
from tests.providers.conformance.served import serve
from tests.world import make_offer, set_provider

Run = Callable[..., Result]


@pytest.fixture
def run(worker_database: object, db: Engine) -> Run:
    """Run `flask providers …` on an empty database."""
    app: Flask = create_app()
    cli.install(app)
    return lambda *words: app.test_cli_runner().invoke(args=["providers", *words])


NEW = ("add", "qihang", "--name-zh", "启航体检", "--name-en", "Qihang Checkups")


def test_a_provider_begins_with_a_client_and_its_secret_can_be_changed(run: Run) -> None:
    assert run(*NEW).exit_code == 0
    made = run("add-client", "qihang", "booking system", "--scope", "slots").output
    client, secret = (line.split()[-1] for line in made.splitlines()[:3:2])
    assert client.startswith("cli_") and secret.startswith("axs_")
    second = run("add-secret", client)
    assert second.exit_code == 0 and secret not in second.output
    third = run("add-secret", client)
    assert third.exit_code != 0 and "two secrets" in third.output and "Traceback" not in third.output
    [known] = clients_of("qihang")
    listed = run("clients", "qihang").output
    assert all(each.id in listed for each in known.secrets) and "axs_" not in listed
    assert run("end-secret", client, known.secrets[0].id).exit_code == 0
    assert run("end-client", client).exit_code == 0
    assert "ended" in run("clients", "qihang").output
    with reading() as session:
        provider = session.scalars(select(Provider)).one()
        actions = session.scalars(select(AuditLine.action).order_by(AuditLine.id)).all()
    assert (provider.adapter, provider.name_zh, provider.time_zone) == ("partner", "启航体检", "Asia/Shanghai")
    assert actions == [
        *("provider.added", "api_client.added", "api_secret.added", "api_secret.ended", "api_client.ended"),
    ]


def test_a_provider_whose_people_answer_has_nothing_that_we_call(run: Run) -> None:
    assert run(*NEW, "--desk").exit_code == 0
    with reading() as session:
        assert session.scalars(select(Provider.adapter)).one() == "desk"
    assert replace(capabilities("partner"), program=False) == capabilities("desk") and capabilities("desk").answers_here
    assert {"desk", "partner"} <= set(answering_here())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (NEW, "has this code"),
        (("add", "Q!", *NEW[2:]), ""),
        ((*NEW[:1], "two", "--name-zh", " ", "--name-en", "Two"), ""),
        ((*NEW[:1], "two", *NEW[2:], "--time-zone", "Mars/Olympus"), ""),
        (("add-client", "nobody", "x"), ""),
        (("clients", "nobody"), ""),
        (("end-client", "cli_nobody"), ""),
        (("end-secret", "cli_nobody", "sec_nobody"), ""),
    ],
)
def test_what_cannot_be_is_one_sentence_and_changes_nothing(run: Run, words: tuple[str, ...], said: str) -> None:
    run(*NEW)
    refused = run(*words)
    assert refused.exit_code != 0 and said in refused.output
    assert "Traceback" not in refused.output and len(refused.output.strip().splitlines()) == 1
    with reading() as session:
        assert session.scalars(select(Provider.code)).all() == ["qihang"]


def test_networks_are_allowed_for_one_provider_and_audited(run: Run) -> None:
    run(*NEW)
    assert run("networks", "qihang").output == "public addresses only\n"
    assert run("networks", "qihang", "10.20.0.0/16", "FD12::/48").output == "10.20.0.0/16\nfd12::/48\n"
    for wrong in ("10.20.0.1/16", "hospital"):
        refused = run("networks", "qihang", wrong)
        assert refused.exit_code == 1 and "network" in refused.output and "Traceback" not in refused.output
    assert run("networks", "nobody").exit_code == 1
    assert run("networks", "qihang").output == "10.20.0.0/16\nfd12::/48\n"
    assert run("networks", "qihang", "--none").output == "public addresses only\n"
    with reading() as session:
        allowed = select(AuditLine).where(AuditLine.action == "provider.networks_allowed")
        lines = session.scalars(allowed.order_by(AuditLine.id)).all()
    assert [line.facts["networks"] for line in lines] == [["10.20.0.0/16", "fd12::/48"], []]


def test_contacts_are_set_and_shown(run: Run) -> None:
    run(*NEW)
    assert run("contacts", "qihang").output == ""
    assert run("contacts", "qihang", "it@qihang.example", "--language", "en").output == "it@qihang.example  en\n"
    assert run("contacts", "qihang", "none").exit_code == 1
    assert run("contacts", "qihang").output == "it@qihang.example  en\n"
    assert run("contacts", "qihang", "--none").output == ""


def test_a_provider_is_certified_by_a_command_step_by_step(run: Run, tmp_path: Path) -> None:
    provider, offer, _slots = make_offer()
    with serve(tmp_path) as served:
        connect(provider, served)
        result = run("certify", provider.code)
    assert result.exit_code == 0, result.output
    assert "passed     booking-ten: Ten bookings are confirmed and cancelled" in result.output
    assert "webhooks     certified      4 of 4 steps" in result.output
    assert offered(offer)


def test_a_provider_that_fails_is_said_to_by_the_exit_code(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider, offer, _slots = make_offer()
    monkeypatch.setattr("providers.sandbox.bookings._COUNT", "SELECT 0 WHERE ? <> ?")
    with serve(tmp_path) as served:
        connect(provider, served)
        result = run("certify", provider.code)
    assert result.exit_code == 3 and "expected: refused (sold_out)" in result.output
    assert not offered(offer)


def test_a_rehearsal_is_waited_for_and_its_exit_code_says_how_it_ended(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    _stage, twin = staged()

    def ended(_seconds: float) -> None:
        rehearse_to_its_end(twin.id, rehearsals(twin.id)[0].id)

    monkeypatch.setattr("marketplace.providers_commands.pause", ended)
    asked = ("rehearse", twin.code, "--faults", "gone,clock_skew", "--bookings", "2", "--seed", "7")
    result = run(*asked)
    assert result.exit_code == 3, result.output
    assert "gone          wrong      The booking was not answered in time." in result.output
    assert "clock_skew    not_tried  No active endpoint of yours is told of these events." in result.output
    assert "seed 7: 0 right, 1 wrong, 1 not tried" in result.output
    incomplete = run("rehearse", twin.code, "--faults", "clock_skew", "--bookings", "1")
    assert incomplete.exit_code == 4 and "incomplete" in incomplete.output


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        ("gone,earthquake", "No fault: earthquake. There are lost_answer, "),
        ("gone", "Faults strike test bookings only."),
    ],
)
def test_a_rehearsal_that_cant_be_is_said_in_a_sentence(run: Run, faults: str, said: str) -> None:
    stage, _twin = staged()
    result = run("rehearse", stage.world.provider.code, "--faults", faults)
    assert result.exit_code == 1 and said in result.output, result.output


def test_nobody_and_who_answers_at_the_desk_are_not_certified(run: Run) -> None:
    run(*NEW, "--desk")
    for code, said in (("nobody", "provider: "), ("qihang", "There is nothing to prove")):
        result = run("certify", code)
        assert result.exit_code == 1 and (said in result.output or "no system to try" in result.output), result.output


def test_a_program_is_certified_in_test_mode_alone(run: Run) -> None:
    run(*NEW)
    result = run("certify", "qihang")
    assert result.exit_code == 1 and "A program is tried in test mode" in result.output, result.output


def test_a_newcomer_is_vouched_for_once_and_for_thirty_days(run: Run) -> None:
    provider, offer, _slots = make_offer()
    set_provider(provider, adapter="partner")
    assert run("vouch", provider.code).output == "Provisional certificates for 30 days.\n"
    assert proved(provider) == dict.fromkeys(declared("partner"), "provisional") and offered(offer)
    again = run("vouch", provider.code)
    assert again.exit_code == 1 and "has certificates already" in again.output
    assert run("vouch", "nobody").exit_code == 1
