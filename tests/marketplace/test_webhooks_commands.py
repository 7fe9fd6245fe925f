"""`flask webhooks`: what operators do with the endpoints of a provider."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskCliRunner

from marketplace import cli
from marketplace.app import create_app
from tests.world import make_offer

URL = "https://hooks.example/anxiang"


@pytest.fixture
def runner(db: object) -> FlaskCliRunner:
    """Runs commands."""
    app = create_app()
    cli.install(app)
    return app.test_cli_runner()


def test_an_endpoint_is_added_rotated_paused_and_deleted(runner: FlaskCliRunner) -> None:
    code = make_offer()[0].code

    def run(*words: str) -> str:
        result = runner.invoke(args=["webhooks", *words])
        assert result.exit_code == 0, result.output
        return str(result.output)

    made = run("add", code, URL, "--type", "booking.cancelled")
    [endpoint] = re.findall(r"whe_\w{20}", made)
    assert "whsec_" in made
    listed = run("list", code)
    assert f"{endpoint}  active  {URL}  booking.cancelled" in listed and "whsec_" not in listed
    [first] = re.findall(r"whs_\w{20}", listed)
    assert "whsec_" in run("add-secret", code, endpoint)
    run("end-secret", code, endpoint, first)
    assert first not in run("list", code)
    run("pause", code, endpoint)
    assert f"{endpoint}  paused (asked)" in run("list", code)
    run("resume", code, endpoint)
    assert f"{endpoint}  active  {URL}" in run("list", code)
    run("delete", code, endpoint)
    assert run("list", code) == ""


@pytest.mark.parametrize(
    "words", [("list", "nobody"), ("add", "{code}", "https://10.0.0.1/"), ("pause", "{code}", "whe_1")]
)
def test_what_cannot_be_is_one_sentence(runner: FlaskCliRunner, words: tuple[str, ...]) -> None:
    code = make_offer()[0].code
    result = runner.invoke(args=["webhooks", *(word.format(code=code) for word in words)])
    assert result.exit_code != 0
    assert "Traceback" not in result.output and result.output.count("\n") == 1
