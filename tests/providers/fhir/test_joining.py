"""`flask providers join`: a server is asked what it can do before it is connected, and may be asked again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import Engine, select, update

from booking.calls.connections import connection_of
from marketplace import cli
from marketplace.app import create_app
from marketplace.catalog.models import Provider
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from providers.port import Connection
from providers.registry import ADAPTERS, settings_schema
from tests.fhir_servers import FhirTenant
from tests.world import make_world

Run = Callable[..., Result]


@pytest.fixture
def run(worker_database: object, db: Engine) -> Run:
    """Run `flask providers …` on a database that knows the provider `renhe`."""
    app: Flask = create_app()
    cli.install(app)
    ran: Run = lambda *words: app.test_cli_runner().invoke(args=["providers", *words])  # noqa: E731
    assert ran("add", "renhe", "--name-zh", "仁和医院", "--name-en", "Renhe").exit_code == 0
    return ran


def join(hospital: FhirTenant, *more: str) -> tuple[str, ...]:
    return ("join", "renhe", "--adapter", "fhir", "--url", hospital.base, "--setting", "auth=none", *more)


def renhe() -> Provider:
    with reading() as session:
        return session.scalars(select(Provider).where(Provider.code == "renhe")).one()


def test_a_server_that_is_fit_joins_and_is_found_fit_again(run: Run, hospital: FhirTenant, tmp_path: Path) -> None:
    secret = tmp_path / "key.txt"
    secret.write_text("the-key\n")
    done = run(*join(hospital, "--setting", "page_size=50", "--secret-file", str(secret)))
    assert done.exit_code == 0, done.output
    row = renhe()
    assert (row.adapter, row.base_url) == ("fhir", hospital.base)
    assert row.settings == {"auth": "none", "page_size": "50"} and b"the-key" not in (row.secret_sealed or b"")
    assert connection_of(row).connection.secret == "the-key"
    with reading() as session:
        line = session.scalars(select(AuditLine).where(AuditLine.action == "provider.joined")).one()
    assert line.facts == {"adapter": "fhir", "host": "127.0.0.1"}
    assert run("check", "renhe").output == "Nothing that we need is missing.\n"
    hospital.configure(statement={"lacks": ["Slot.update", "Observation"]})
    again = run("check", "renhe")
    assert again.exit_code == 3
    assert again.output == "Slot lacks the interaction `update`.\nThe server has no Observation.\n"


def test_it_is_asked_by_the_networks_that_an_operator_allowed_for_it(
    run: Run, hospital: FhirTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction() as session:
        session.execute(update(Provider).where(Provider.code == "renhe").values(networks=["10.9.0.0/16"]))
    asked: list[Connection] = []
    monkeypatch.setattr("booking.calls.join._missing", lambda _adapter, link: asked.append(link))
    assert run(*join(hospital)).exit_code == 0
    assert asked[0].networks == ("10.9.0.0/16",)


@pytest.mark.parametrize(
    ("statement", "said"),
    [({"fhirVersion": "3.0.1"}, "FHIR 3.0.1; R4 (4.0) is needed"), ({"status": 500}, "cannot be asked what it can do")],
)
def test_a_server_that_is_not_fit_is_refused_with_a_sentence_and_nothing_is_written(
    run: Run, hospital: FhirTenant, statement: dict[str, object], said: str
) -> None:
    hospital.configure(statement=statement)
    refused = run(*join(hospital))
    assert refused.exit_code == 1 and said in refused.output and "Traceback" not in refused.output
    assert renhe().adapter == "partner"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--setting", "page_size=many"), "page_size"),
        (("--setting", "colour=blue"), "colour"),
        (("--url", "ftp://x/y"), "base_url"),
    ],
)
def test_what_is_typed_wrong_is_named(run: Run, hospital: FhirTenant, more: tuple[str, ...], said: str) -> None:
    refused = run(*join(hospital, *more))
    assert refused.exit_code == 1 and said in refused.output and "Traceback" not in refused.output
    assert renhe().adapter == "partner"


def test_a_provider_with_bookings_keeps_its_kind_of_system(run: Run, hospital: FhirTenant) -> None:
    world = make_world()
    world.submit()
    words = list(join(hospital))
    words[1] = world.provider.code
    refused = run(*words)
    assert refused.exit_code == 1 and refused.output.startswith("Error: adapter")


def test_a_kind_of_system_that_says_nothing_of_itself_is_not_called_fit(run: Run) -> None:
    said = run("check", "renhe")
    assert said.exit_code == 1 and "does not say what it can do" in said.output


def test_every_adapter_declares_its_settings_and_the_command_lists_them(run: Run) -> None:
    for code in ADAPTERS:
        for name, field in settings_schema(code)().fields.items():
            assert field.metadata["label"].en, f"{code}: {name}"
    listed = run("settings", "fhir").output
    assert "books_as" in listed and "[booked]" in listed
    assert "app_key" in run("settings", "day_capacity").output
