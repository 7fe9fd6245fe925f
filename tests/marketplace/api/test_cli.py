"""The commands of an installation."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import Engine, select

from booking.discrepancies import Discrepancy, open_discrepancy
from marketplace import cli
from marketplace.core.config import settings
from marketplace.core.database.db import reading, transaction
from marketplace.demo.commands import demo
from marketplace.demo.offers import SAMPLE_SITES
from tests.marketplace.api.caller import Caller
from tests.people import NOON, make_customer, make_insurer
from tests.world import make_world
from vip.models import Operator

Run = Callable[..., Result]

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def run(app: Flask, db: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command line."""
    monkeypatch.delenv("HOSPITALS_CSV", raising=False)
    cli.install(app)

    def invoke(line: str, **environment: str) -> Result:
        group, words = (demo, line.split()[1:]) if line.startswith("demo ") else (None, line.split())
        return app.test_cli_runner().invoke(group, words, env=environment)

    return invoke


def one_sentence(result: Result, words: str) -> None:
    """The command failed and said why in one line."""
    assert result.exit_code == 1, result.output
    assert words in result.output
    assert len(result.output.strip().splitlines()) == 1
    assert "Traceback" not in result.output


def test_demonstration_data_loads_and_loads_again(run: Run, app: Flask) -> None:
    first, second = run("demo load"), run("demo load")
    assert (first.exit_code, second.exit_code) == (0, 0), first.output + second.output
    assert "13800000001" in first.output
    assert first.output == second.output
    token = run("vip issue-token 13800000001").output.strip()
    offers = app.test_client().get("/api/v1/offers", headers={"Authorization": f"Bearer {token}"}).get_json()
    assert len(offers["items"]) > 0


def test_made_customers_are_printed_with_tokens_that_work(run: Run, app: Flask) -> None:
    make_insurer()
    result = run("demo customers 3 --benefit health_check --quantity 2")
    rows = list(csv.DictReader(io.StringIO(result.output)))
    assert list(rows[0]) == ["phone", "customer_id", "token"]
    assert len({row["phone"] for row in rows}) == 3
    caller = Caller(app, rows[2]["token"])
    assert caller.get("/me").get_json()["id"] == rows[2]["customer_id"]
    assert [one["available"] for one in caller.get("/entitlements").get_json()["items"]] == [2]


def test_shortcuts_are_refused_outside_development(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    make_customer()
    production = {**vars(settings()), "env": "production"}
    monkeypatch.setattr("vip.signin.signin.settings", lambda: type(settings())(**production))
    one_sentence(run("vip issue-token 13800000011"), "development only")
    one_sentence(run("demo customers 1"), "development only")
    one_sentence(run("demo load"), "development only")


def test_a_token_needs_a_customer(run: Run) -> None:
    make_insurer()
    one_sentence(run("vip issue-token 13800000055"), "phone: There is nothing here")
    one_sentence(run("vip issue-token 12"), "phone: This is not a mobile number")


def test_an_administrator_is_made_once(run: Run) -> None:
    make_insurer()
    line = "admin create --login anna --name Anna"
    assert run(line, ADMIN_PASSWORD="long enough for us").exit_code == 0
    one_sentence(run(line, ADMIN_PASSWORD="long enough for us"), "login: Another account has this login.")
    one_sentence(run(line, ADMIN_PASSWORD="short"), "password: A password has at least 12 characters.")


def test_an_agent_is_made_by_her_role_and_other_roles_there_are_none(run: Run) -> None:
    make_insurer()
    line = "admin create --login anna --name Anna --role"
    assert run(f"{line} agent", ADMIN_PASSWORD="long enough for us").exit_code == 0
    with reading() as session:
        assert session.scalar(select(Operator.role)) == "agent"
    assert run(f"{line} owner", ADMIN_PASSWORD="long enough for us").exit_code == 2


def test_sites_are_imported_and_bad_rows_reported(run: Run, tmp_path: Path) -> None:
    assert " 0 refused." in run(f"catalog import-sites {SAMPLE_SITES}").output
    assert "pairs may be one place, 0 of them new" in run("catalog find-doubles").output
    broken = tmp_path / "broken.csv"
    lines = SAMPLE_SITES.read_text(encoding="utf-8").splitlines()
    broken.write_text("\n".join([*lines, "only,two"]), encoding="utf-8")
    errors = tmp_path / "errors.csv"
    one_sentence(run(f"catalog import-sites {broken} --errors {errors}"), "so nothing was imported")
    assert str(len(lines) + 1) in errors.read_text(encoding="utf-8")
    good = run(f"catalog import-sites {broken} --good-rows --errors {errors}")
    assert (good.exit_code, " 1 refused." in good.output) == (0, True)
    one_sentence(run(f"catalog import-sites {tmp_path / 'none.csv'}"), "No such file")


@pytest.mark.parametrize("of", ["CUSTOMER_API", "PARTNER_API", "INSURER_API"])
def test_the_descriptions_are_written(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, of: str) -> None:
    before = getattr(cli, of).file.read_text(encoding="utf-8")
    for name in ("CUSTOMER_API", "PARTNER_API", "INSURER_API"):
        monkeypatch.setattr(cli, name, replace(getattr(cli, name), file=tmp_path / name))
    assert run("openapi write").exit_code == 0
    assert (tmp_path / of).read_text(encoding="utf-8") == before


def test_reconciling_with_nobody_or_with_a_provider_that_is_away_is_one_sentence(run: Run) -> None:
    one_sentence(run("reconcile nobody"), "provider")
    world = make_world()
    one_sentence(run(f"reconcile {world.provider.code}"), "nothing was judged")


def test_an_operators_password_and_service_are_changed_by_command(run: Run) -> None:
    make_insurer()
    assert run("admin create --login lin --name Lin", ADMIN_PASSWORD="long enough for us").exit_code == 0
    assert run("admin set-password lin", ADMIN_PASSWORD="another river, another boat").output == "0 sessions ended.\n"
    one_sentence(run("admin set-password lin", ADMIN_PASSWORD="password1234"), "password: This password is too easy")
    one_sentence(run("admin set-password nobody", ADMIN_PASSWORD="another river, another boat"), "login: ")
    assert run("admin reset-second-factor LIN").output == "0 sessions ended.\n"
    one_sentence(run("admin reset-second-factor nobody"), "login: ")
    assert run("admin end-service LIN").output == "0 sessions ended.\n"
    with reading() as session:
        assert session.scalars(select(Operator.disabled_at)).one() is not None
    assert run("admin resume-service lin").exit_code == 0
    with reading() as session:
        assert session.scalars(select(Operator.disabled_at)).one() is None


def test_a_customer_is_blocked_and_unblocked_by_command(run: Run) -> None:
    make_customer("13800000021")
    assert run("vip issue-token 13800000021").exit_code == 0
    assert run("vip block 13800000021").output == "1 sessions ended.\n"
    one_sentence(run("vip issue-token 13800000021"), "phone: ")
    assert run("vip unblock 13800000021").exit_code == 0
    assert run("vip issue-token 13800000021").exit_code == 0
    one_sentence(run("vip block 12"), "phone: ")


def test_everything_about_a_customer_is_written_to_a_file_that_is_only_ours(run: Run, tmp_path: Path) -> None:
    customer, to = make_customer(), tmp_path / "copy.zip"
    assert run(f"person export {customer.public_id} {to}").exit_code == 0
    assert to.stat().st_mode & 0o777 == 0o600 and "customer.json" in zipfile.ZipFile(to).namelist()
    one_sentence(run(f"person export {customer.public_id} {to}"), "File exists")
    one_sentence(run(f"person export cus_00000000000000000000 {tmp_path / 'other.zip'}"), "customer_id")


def test_people_are_given_keys_by_class_and_the_way_back(run: Run) -> None:
    make_customer()
    assert run("person one-key").output == "1 people.\n"
    assert run("person class-keys").output == "1 people.\n"


def test_a_customer_is_erased_by_command_once_it_is_confirmed(run: Run) -> None:
    customer = make_customer()
    assert run(f"person erase {customer.public_id}").exit_code == 1
    done = run(f"person erase {customer.public_id} --yes")
    assert done.output == "books stays until further notice, naming nobody.\n"
    one_sentence(run("person erase cus_00000000000000000000 --yes"), "customer_id")


def test_what_is_nobodys_is_explained_once_and_a_second_time_is_refused(run: Run) -> None:
    world = make_world()
    with transaction() as session:
        open_discrepancy(session, world.provider.id, "theirs_only", "R-1", now=NOON)
    with reading() as session:
        case = session.scalars(select(Discrepancy.public_id)).one()
    one_sentence(run(f"installation explain-stray {case} {'x' * 501}"), "note")
    done = run(f"installation explain-stray {case} Theirs.")
    assert (done.exit_code, done.output) == (0, "The case is closed.\n")
    one_sentence(run(f"installation explain-stray {case} Again."), "case_id")
    with reading() as session:
        closed = session.scalars(select(Discrepancy)).one()
    assert (closed.resolution, closed.note) == ("explained", "Theirs.")
