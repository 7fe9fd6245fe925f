"""Commands for providers and their programs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import Engine, select

from marketplace import cli
from marketplace.app import create_app
from marketplace.catalog.models import Provider
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading
from providers.clients.listing import clients_of

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
