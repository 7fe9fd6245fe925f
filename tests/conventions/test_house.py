"""Rules of the house that are worth saying twice."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from marketplace.core.config import ROOT
from migrations.functions import files
from tests.conventions.sources import modules, parsed

PACKAGES = ("marketplace", "booking", "vip", "providers")

MOST_FILES, MOST_LINES = 14, 2200  # a dozen and 2,000 lines, or so
LONGEST_FILE = 400

IMPORTS_AS = r"\bimport\b(?:[^(\n]|\\\n)*\bas\b|\bimport\s*\((?:[^)#]|#[^\n]*)*\bas\b"
"""What an import that gives another name looks like: on its line, or between its parentheses."""

# What decides whether a slot may be booked, and who else may name it than the rule itself.
DECIDES = re.compile(
    r"\b(lead_minutes|available_from|available_until|has_place|freed_at|(?:\w|[Ss]lot)\.(?:closed|has_place))\b"
)
NAMES_IT_TOO = {
    "marketplace/catalog/models.py": "the offer's columns",
    "booking/models.py": "the slot's columns",
    "booking/offers/maintain.py": "writes the offer's rules",
    "booking/twins/open.py": "copies the offer's rules",
    "providers/partner_api/offers.py": "takes the offer's rules from its provider",
    "marketplace/web/desk/offering/forms.py": "takes the offer's rules from its provider's people",
    "marketplace/web/templates/desk/offering/offer.html": "takes the offer's rules from its provider's people",
    "booking/waiting/models.py": "when a place came free",
    "booking/sync/slots.py": "stores what the provider says",
    "providers/conformance/kit.py": "chooses among slots of a provider's own list",
    "booking/sync/snapshots.py": "closes what the provider no longer names",
    "booking/closures/slots.py": "closes slots",
    "booking/personal/tables/offers.py": "names every column of what is offered",
    "booking/health/open_days.py": "tells the days on which a provider works",
    "booking/answering/day.py": "counts the places of a week, and which are closed",
    "marketplace/demo/escorts.py": "writes the rules of the demonstration's offers",
    "marketplace/demo/clinic.py": "writes the rules of the demonstration's offers",
    "marketplace/demo/consultations.py": "writes the rules of the demonstration's offers",
    "booking/capacity_rules/extend.py": "closes what a calendar's rules no longer have",
    "booking/capacity_rules/edit.py": "says what a change of the rules would close",
    "booking/capacity_rules/affected.py": "finds who is booked at what is closed",
    "marketplace/web/desk/capacity/calendar_page.py": "shows a provider its slots as they stand",
    "booking/capacity_rules/view.py": "shows a provider its slots as they stand",
}


# How an offer, a pool or a booking leads to the place that customers see, and who may ask for the site it was made at.
LEADS = re.compile(r"JOIN site (\w+) ON \1\.id|\bFROM site\b|Site\.id == \w+\.site_id|\.site_id == Site\.id")
ASKS_FOR_THE_SITE = {
    "marketplace/catalog/one_place/sql.py": "the one home of how a site leads to its place",
    "marketplace/catalog/one_place/merge.py": "writes what leads there",
    "marketplace/catalog/one_place/suits.py": "the kind of the place, and what was allowed at any site of it",
    "marketplace/catalog/search.py": "lists places: those that are merged into none",
    "marketplace/catalog/importer.py": "reads the list whole",
    "booking/offers/availability.py": "lists places by the conditions of catalog.search",
    "booking/offers/cities.py": "counts places by the conditions of catalog.search",
    "booking/closures/close.py": "closes a site, and with a place all of it",
    "booking/closures/again.py": "closures of a place and of every entry of it",
    "booking/closures/closed_by_others.py": "closures of a site, and what they cover",
    "booking/closures/view.py": "the site that was named for closing",
    "booking/capacity_rules/calendars.py": "shows a provider the site that it chose",
    "booking/capacity_rules/extend.py": "the clock of a pool's own site",
    "booking/answering/day.py": "the clock of a pool's own site",
    "booking/sync/slots.py": "the clock of a pool's own site",
    "marketplace/demo/offers.py": "chooses sites to sell at",
    "marketplace/catalog/coverage/level.py": "asks about the one site that it is given",
    "marketplace/catalog/coverage/counts.py": "counts places by the conditions of catalog.search",
    "marketplace/catalog/coverage/changes.py": "asks about the sites that customers named",
    "marketplace/catalog/query/where.py": "counts places by the conditions of catalog.search",
    "booking/coverage/venues.py": "lists places by the conditions of catalog.search",
    "booking/coverage/nearest.py": "lists places: those that are merged into none",
    "booking/coverage/operators.py": "shows operators lines as they were written, and places",
    "booking/coverage/wish.py": "asks about the place that a customer named",
    "marketplace/demo/coverage.py": "chooses cities to cover",
    "booking/hold/facts.py": "looks up the venue that was named, by its place",
    "booking/eligibility/entitled.py": "asks about a venue, which is a place, and about the places of its city",
}


def test_what_is_shown_of_an_offer_is_its_place_and_not_the_site_it_was_made_at() -> None:
    found = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if LEADS.search(path.read_text())
    }
    assert found <= ASKS_FOR_THE_SITE.keys(), "ask marketplace/catalog/one_place/sql.py instead"
    assert ASKS_FOR_THE_SITE.keys() <= found, "no exception is left that none needs"


def test_only_one_file_commits() -> None:
    found = {str(path) for path, tree in _ours("commit") for node in ast.walk(tree) if _is_commit(node)}
    # The guard against two migration runs ends its own transaction; nothing of the product passes through it.
    assert found - {"migrations/env.py", "providers/sandbox/ledger.py"} <= {"marketplace/core/database/db.py"}


def test_only_the_worker_imports_the_scheduler() -> None:
    found = {str(path) for path, tree in _ours("apscheduler") if "apscheduler" in _imported(tree)}
    assert found <= {"booking/worker/process.py"}


def test_no_import_gives_what_is_ours_another_name() -> None:
    """A thing has one name: who reads `shown.page` must not look up which module `shown` is in this file."""
    ours = {path.stem for path in ROOT.iterdir() if (path / "__init__.py").is_file()}
    found = [
        f"{path}: {alias.name} as {alias.asname}"
        for path, tree in _typed(IMPORTS_AS)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if alias.asname not in (None, alias.name)
        and (getattr(node, "module", None) or alias.name).partition(".")[0] in ours
    ]
    assert found == []


def test_a_view_asks_whether_a_form_was_sent_and_not_whether_a_page_is_asked_for() -> None:
    """A request for the head of a page is no GET either, and must not pass for the sending of its form."""
    found = [
        f"{path}:{node.lineno}"
        for path, tree in _typed("GET")
        if path.parts[:2] == ("marketplace", "web")
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare) and "request.method" in ast.unparse(node.left)
        if isinstance(node.ops[0], ast.Eq) and ast.unparse(node.comparators[0]) == "'GET'"
    ]
    assert found == []


def test_only_the_rule_says_whether_a_slot_may_be_booked() -> None:
    found = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for ending in ("py", "html")
        for path in (ROOT / package).rglob(f"*.{ending}")
        if "sandbox" not in path.relative_to(ROOT).parts and DECIDES.search(path.read_text())
    }
    assert found == {"booking/offers/bookable.py", *NAMES_IT_TOO}, "ask booking/offers/bookable.py instead"


def test_a_function_that_runs_as_the_owner_looks_for_temporary_tables_last() -> None:
    """PostgreSQL looks there first unless it is named: who may make a table could have the owner write it."""
    as_owner = {path.name: path.read_text() for path in files() if "SECURITY DEFINER" in path.read_text()}
    fixed = "SECURITY DEFINER SET search_path = public, pg_temp AS"
    assert as_owner, "the rule guards nothing"
    assert {name for name, said in as_owner.items() if said.count("SECURITY DEFINER") != said.count(fixed)} == set()


def test_the_four_top_packages_hold_a_docstring_only() -> None:
    for package in PACKAGES:
        body = ast.parse((ROOT / package / "__init__.py").read_text()).body
        assert len(body) == 1, package
        assert isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant), package


def test_every_module_of_booking_has_its_place_in_the_layers() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = " ".join(next(contract["layers"] for contract in contracts if contract["id"] == "layers"))
    placed = {word.strip("()") for word in layers.replace("|", " ").replace(":", " ").split()}
    modules = {f"booking.{path.stem}" for path in (ROOT / "booking").glob("*") if path.suffix in ("", ".py")}
    assert modules - {"booking.__init__", "booking.__pycache__"} <= placed, "add it to the layers in pyproject.toml"


def test_a_room_that_outgrew_a_dozen_files_or_so_has_its_reason() -> None:
    record = (ROOT / "docs" / "decisions" / "0032-rooms-of-people-and-tools.md").read_text()
    reasons = set(re.findall(r"^\| `([\w/]+)` \|", record, re.MULTILINE))
    rooms: dict[str, list[str]] = {}
    for name in _listed():
        if name.partition("/")[0] in (*PACKAGES, "bench", "drill", "mutate") and name.endswith((".py", ".sql")):
            rooms.setdefault(name.rpartition("/")[0], []).append(name)
    large = {room for room, files in rooms.items() if len(files) > MOST_FILES or _lines(files) > MOST_LINES}
    assert large - reasons == set(), "part it, or give its reason in that record"


def test_no_file_is_longer_than_one_subject_should_be() -> None:
    """A file that grows tells of a missing room: part it by subject. Migrations stay as they ran."""
    code = [name for name in _listed() if name.endswith((".py", ".js", ".html", ".css"))]
    ours = [name for name in code if not name.startswith("migrations/") and "/vendor/" not in name]
    assert len(ours) > 1000, "the rule guards nothing"
    assert [name for name in ours if _lines([name]) > LONGEST_FILE] == []


def test_everything_except_the_tests_is_typed() -> None:
    checked = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["files"])
    tops = {name.partition("/")[0] for name in _listed() if name.endswith(".py")}
    assert checked == tops - {"tests"}, "name it in [tool.mypy] files of pyproject.toml"


@pytest.mark.slow
def test_the_stubs_say_of_libraries_what_is_so() -> None:
    """A stub that named what a library lacks, or another order of arguments, would let mypy approve what breaks."""
    libraries = sorted(path.name for path in (ROOT / "stubs").iterdir())
    command = [sys.executable, "-m", "mypy.stubtest", "--concise", "--ignore-missing-stub", *libraries]
    ran = subprocess.run(command, cwd=ROOT, env={**os.environ, "MYPYPATH": "stubs"}, capture_output=True, text=True)
    assert ran.stderr == ""
    wrong = [line for line in ran.stdout.splitlines() if "stub does not have" not in line]  # a stub may say less
    assert wrong == []


def test_no_file_of_the_project_is_a_secret_or_a_leftover() -> None:
    endings = (".env", ".pem", ".key", ".mo", ".pyc", ".orig", ".rej", ".sqlite3", ".db")
    assert [name for name in _listed() if name.endswith(endings)] == []


def _lines(names: list[str]) -> int:
    return sum(len((ROOT / name).read_text().splitlines()) for name in names)


def _listed() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


def _ours(about: str) -> Iterator[tuple[Path, ast.Module]]:
    return parsed(modules(*PACKAGES, "migrations"), about)


def _typed(about: str) -> Iterator[tuple[Path, ast.Module]]:
    """Everything except the tests."""
    typed = [name for name in _listed() if name.endswith(".py") and not name.startswith("tests/")]
    return parsed([ROOT / name for name in typed], about)


def _is_commit(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"


def _imported(tree: ast.Module) -> set[str]:
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}
