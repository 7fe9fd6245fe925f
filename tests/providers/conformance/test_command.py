"""The kit as a command, without a database: its exit code, its words and its JUnit XML; and after kill -9."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from marketplace.core.config import ROOT
from providers.conformance.__main__ import main
from providers.sandbox import test_mode
from tests.eventually import eventually
from tests.providers.conformance.served import KEY, WEBHOOK_SECRET, Served, serve


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFORMANCE_SECRET", KEY)
    monkeypatch.setenv("CONFORMANCE_WEBHOOK_SECRET", WEBHOOK_SECRET)


def arguments(served: Served, folder: Path, *more: str) -> list[str]:
    """The options for this sandbox."""
    url = f"{served.url}/p/kit"
    return ["--url", url, "--journal", str(folder / "j.jsonl"), "--patience", "2", *more]


def test_all_passed_is_exit_code_0_and_a_suite_for_each_capability(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "junit.xml"
    with serve(tmp_path) as served:
        code = main(arguments(served, tmp_path, "--only", "change", "--only", "lists", "--junit", str(file)))
    said = capsys.readouterr().out
    assert code == 0, said
    assert "change       certified      2 of 2 steps" in said
    suites = ElementTree.fromstring(file.read_bytes()).findall("testsuite")
    assert [(each.get("name"), each.get("tests"), each.get("failures")) for each in suites] == [
        ("change", "2", "0"),
        ("lists", "2", "0"),
    ]


def test_a_failed_step_is_exit_code_1_and_named_with_what_was_expected_and_what_came(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.sandbox.bookings._COUNT", "SELECT 0 WHERE ? <> ?")
    file = tmp_path / "junit.xml"
    with serve(tmp_path) as served:
        code = main(arguments(served, tmp_path, "--only", "booking", "--junit", str(file)))
    said = capsys.readouterr().out
    assert code == 1
    assert "FAILED     booking-sold-out: A full slot is refused as sold_out" in said
    assert "expected: refused (sold_out)" in said and "came:     confirmed" in said
    assert "booking      NOT certified  8 of 9 steps" in said
    (failure,) = ElementTree.fromstring(file.read_bytes()).iter("failure")
    assert failure.get("message") == "expected refused (sold_out); came confirmed"
    assert "> POST /bookings" in (failure.text or "") and "< 201" in (failure.text or "")


def test_without_a_secret_or_with_a_journal_in_use_it_does_not_begin(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["--url", "http://127.0.0.1:9", "--journal", str(tmp_path / "not" / "there")]) == 2
    monkeypatch.delenv("CONFORMANCE_SECRET")
    assert main(["--url", "http://127.0.0.1:9", "--journal", str(tmp_path / "j")]) == 2
    assert "CONFORMANCE_SECRET" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--listen", "8099"], "must be HOST:PORT"),
        (["--patience", "nan"], "must be seconds above 0"),
        (["--only", "everything"], "--only"),
        (["--adapter", "partner"], "--adapter"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(
    options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--url", "http://127.0.0.1:9", *options])
    assert ended.value.code == 2 and said in capsys.readouterr().err


@pytest.mark.parametrize("url", ["ftp://test.provider.example", "http://169.254.169.254", "https://a b.example"])
def test_an_address_that_cannot_be_called_is_one_sentence_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    assert main(["--url", url, "--journal", str(tmp_path / "j")]) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and "--url" in said.err


def alone(tmp_path: Path, *options: str, **secrets: str) -> subprocess.CompletedProcess[str]:
    """The kit as somebody runs it on her own machine: nothing is configured but the secrets."""
    command = [sys.executable, "-m", "providers.conformance", *options, "--journal", str(tmp_path / "alone.jsonl")]
    env = {"PATH": os.environ["PATH"], **secrets}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_kit_runs_with_nothing_configured(tmp_path: Path, host: str) -> None:
    with serve(tmp_path) as served:
        url = served.url.replace("127.0.0.1", host)
        options = ("--url", f"{url}/p/kit", "--patience", "2", "--only", "webhooks", "--only", "lists")
        done = alone(tmp_path, *options, CONFORMANCE_SECRET=KEY, CONFORMANCE_WEBHOOK_SECRET=WEBHOOK_SECRET)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert "lists        certified" in done.stdout and "webhooks     certified" in done.stdout


def test_the_kit_with_nothing_at_all_says_in_one_sentence_what_it_needs(tmp_path: Path) -> None:
    done = alone(tmp_path, "--url", "http://127.0.0.1:9")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and "CONFORMANCE_SECRET" in done.stderr


def test_a_secret_that_signs_nothing_is_said_before_anything_is_tried(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONFORMANCE_WEBHOOK_SECRET", "whsec_not base64!")
    assert main(["--url", "http://127.0.0.1:9", "--journal", str(tmp_path / "j")]) == 2
    assert "CONFORMANCE_WEBHOOK_SECRET" in capsys.readouterr().err


def test_what_a_killed_run_left_is_taken_back_by_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(tmp_path) as served:
        alter = test_mode.set_slot

        def slowly(*args: Any) -> None:
            alter(*args)
            time.sleep(1)

        monkeypatch.setattr("providers.sandbox.test_mode.set_slot", slowly)
        command = [sys.executable, "-m", "providers.conformance", *arguments(served, tmp_path, "--only", "change")]
        running = subprocess.Popen(command, cwd=ROOT, env=os.environ.copy(), stdout=subprocess.DEVNULL)
        try:
            altered = "SELECT 1 FROM slot_override WHERE offered IS NOT NULL OR closed = 1"

            def half_way() -> bool:
                with served.desk.ledger.reading() as tx:
                    return bool(served.live()) and tx.execute(altered).fetchone() is not None

            eventually(half_way)
        finally:
            os.kill(running.pid, signal.SIGKILL)
            running.wait(10)
        left = [json.loads(line) for line in (tmp_path / "j.jsonl").read_text().splitlines()]
        assert {"booking", "slot"} <= {entry.get("what") for entry in left}
        assert served.live() != []
        assert main(arguments(served, tmp_path, "--clean-up")) == 0
        assert served.live() == []
        with served.desk.ledger.reading() as tx:
            assert tx.execute(altered).fetchone() is None
        assert (tmp_path / "j.jsonl").read_text() == ""
