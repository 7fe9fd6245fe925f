"""Commands for insurers' programs, the keys of their apps, and snapshots that wait for a person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import Engine, select

from marketplace import cli
from marketplace.app import create_app
from marketplace.catalog.models import Insurer
from marketplace.clients import credentials
from marketplace.clients.listing import clients_of
from marketplace.clients.owners import INSURERS
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from tests.booking.twins.stage import make_stage
from tests.marketplace.api.insurer.policies import facts
from tests.people import NOON, PHONE, make_customer, make_insurer
from tests.vip.insurers.app import OURS, THEIRS, jwks
from tests.world import make_offer
from vip.insurers import snapshots, telling
from vip.insurers.telling import Telling

Run = Callable[..., Result]


@pytest.fixture
def run(worker_database: object, db: Engine) -> Run:
    """Run `flask insurers …` on an empty database."""
    app: Flask = create_app()
    cli.install(app)
    return lambda *words: app.test_cli_runner().invoke(args=["insurers", *words])


def test_an_insurer_begins_with_a_client_and_its_secret_can_be_changed(run: Run) -> None:
    code = make_insurer().code
    made = run("add-client", code, "core system", "--scope", "policies").output
    client, secret = (line.split()[-1] for line in made.splitlines()[:3:2])
    assert client.startswith("cli_") and secret.startswith("axi_")
    assert run("add-secret", client).exit_code == 0
    third = run("add-secret", client)
    assert third.exit_code != 0 and "two secrets" in third.output and "Traceback" not in third.output
    [known] = clients_of(code, INSURERS)
    listed = run("clients", code).output
    assert all(each.id in listed for each in known.secrets) and "axi_" not in listed and "policies" in listed
    assert run("end-secret", client, known.secrets[0].id).exit_code == 0
    assert run("end-client", client).exit_code == 0
    assert "ended" in run("clients", code).output
    with reading() as session:
        lines = session.scalars(select(AuditLine).order_by(AuditLine.id)).all()
    assert [line.action for line in lines] == [
        *("api_client.added", "api_secret.added", "api_secret.ended", "api_client.ended")
    ]


def test_programs_of_providers_and_of_tests_are_nothing_here(run: Run) -> None:
    provider = make_offer()[0].code
    theirs = credentials.add_client(provider, "hall", ["slots"], by=credentials.operator("t"), now=NOON)
    for words in (
        ("add-client", provider, "x"),
        ("clients", provider),
        ("add-secret", theirs.client_id),
        ("end-secret", theirs.client_id, theirs.secret_id),
        ("end-client", theirs.client_id),
        ("keys", "nobody"),
        ("end-key", "ike_none"),
        ("decide-snapshot", "snp_none", "--leave"),
    ):
        answer = run(*words)
        assert answer.exit_code == 1 and "Traceback" not in answer.output, words
    assert [each.ended for each in clients_of(provider)] == [False]


def test_an_insurer_that_is_there_for_tests_has_no_programs_and_no_keys(run: Run, tmp_path: Path) -> None:
    make_stage()
    with reading() as session:
        code = session.scalars(select(Insurer.code).where(Insurer.twin_id.is_not(None))).first()
    assert code is not None
    with pytest.raises(NotFound):
        credentials.add_client(code, "x", ["policies"], by=credentials.operator("t", INSURERS), now=NOON)
    file = tmp_path / "jwks.json"
    file.write_text(jwks(("app", OURS)))
    assert run("add-keys", code, str(file), "--issuer", "https://app.example").exit_code == 1


def test_keys_are_registered_from_a_file_listed_and_ended(run: Run, tmp_path: Path) -> None:
    code, file = make_insurer().code, tmp_path / "jwks.json"
    file.write_text(jwks(("app", OURS), ("next", THEIRS)))
    made = run("add-keys", code, str(file), "--issuer", "https://app.example")
    assert made.exit_code == 0 and len(made.output.splitlines()) == 2
    assert run("keys", code).output.replace("\n", "").count("ES256") == 2
    assert run("end-key", made.output.split()[0]).exit_code == 0
    assert "next" in run("keys", code).output and " app " not in run("keys", code).output
    file.write_text("no key")
    refused = run("add-keys", code, str(file), "--issuer", "https://app.example")
    assert refused.exit_code == 1 and "This is no public key" in refused.output


def test_a_snapshot_that_waits_is_listed_and_decided(run: Run) -> None:
    make_customer()
    insurer = make_insurer().id
    telling.tell(Telling(insurer, "cli_t", NOON), facts("p-1", number="PN-0001", phone=PHONE))
    later = NOON + timedelta(minutes=1)
    opened = snapshots.open_snapshot(insurer, ends_vanished=True, most_percent=0, once=lambda *_: None, now=later)
    assert snapshots.complete(insurer, opened.id, actor="cli_t", now=later).state == "waiting"
    assert run("snapshots").output == f"{opened.id}  waiting  1 of 1 vanished, 0 ended\n"
    assert run("decide-snapshot", opened.id).exit_code == 2, "she has to say which"
    assert run("decide-snapshot", opened.id, "--end").output == f"{opened.id}  completed  1 of 1 vanished, 1 ended\n"
    assert (run("snapshots").output, telling.held_policy(insurer, "p-1").status) == ("", "ended")
    with transaction() as session:
        [line] = session.scalars(select(AuditLine).where(AuditLine.action == "policy_snapshot.decided")).all()
    assert (line.actor_kind, line.actor) == ("operator", "command")
