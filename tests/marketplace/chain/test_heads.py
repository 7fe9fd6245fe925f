"""The file of heads: written behind the chain, and never a reason to stop."""

from __future__ import annotations

from pathlib import Path

import pytest

from marketplace.chain.heads import HeadsFile, HeadsWriter
from marketplace.chain.seal import seal_all
from tests.marketplace.chain.conftest import Logged, Superuser
from tests.marketplace.chain.lines import write
from tests.people import NOON

pytestmark = pytest.mark.usefixtures("db")


def seal_one(subject: str) -> None:
    write(subject)
    assert seal_all(now=lambda: NOON) == 1


def numbers(file: Path) -> list[int]:
    return [int(line.split()[0]) for line in file.read_text().splitlines()]


def test_each_head_is_one_line_that_only_the_owner_may_read(tmp_path: Path) -> None:
    file = tmp_path / "heads"
    for subject in "abc":
        seal_one(subject)
        assert HeadsWriter(file).write() == HeadsFile.WELL
    assert numbers(file) == [1, 2, 3]
    assert file.stat().st_mode & 0o777 == 0o600


def test_heads_that_found_no_folder_follow_when_it_is_there(tmp_path: Path, logged: Logged) -> None:
    file = tmp_path / "away" / "heads"
    writer = HeadsWriter(file)
    seal_one("a")
    assert [writer.write(), writer.write()] == [HeadsFile.UNWRITABLE] * 2
    seal_one("b")
    file.parent.mkdir()
    file.touch(0o600)
    assert writer.write() == HeadsFile.WELL
    assert numbers(file) == [1, 2]
    assert len(logged.take()) == 1


def test_a_file_that_has_gone_is_an_alarm_and_begun_anew(tmp_path: Path, logged: Logged) -> None:
    file = tmp_path / "heads"
    writer = HeadsWriter(file)
    seal_one("a")
    writer.write()
    seal_one("b")
    file.unlink()
    assert (writer.write(), writer.write()) == (HeadsFile.MISSING, HeadsFile.WELL)
    assert numbers(file) == [1, 2]
    assert logged.take() == ["audit.heads_file missing"]


def test_a_file_that_says_otherwise_is_left_as_it_is(tmp_path: Path, superuser: Superuser) -> None:
    file = tmp_path / "heads"
    seal_one("a")
    seal_one("b")
    HeadsWriter(file).write()
    superuser("DELETE FROM audit_seal WHERE seq = 2")
    before = file.read_text()
    assert HeadsWriter(file).write() == HeadsFile.REWRITTEN
    write("c")
    seal_all(now=lambda: NOON)  # number 2 again, with another hash
    assert HeadsWriter(file).write() == HeadsFile.REWRITTEN
    assert file.read_text() == before


def test_half_a_line_is_followed_by_whole_ones(tmp_path: Path) -> None:
    """The machine lost its power while it wrote."""
    file = tmp_path / "heads"
    for subject in "ab":
        seal_one(subject)
    HeadsWriter(file).write()
    first = file.read_text().splitlines()[0]
    file.write_text(f"{first}\n2 0badc0")
    assert HeadsWriter(file).write() == HeadsFile.WELL
    assert [line.split()[0] for line in file.read_text().splitlines()] == ["1", "2", "2"]


def test_without_a_setting_nothing_is_written() -> None:
    assert HeadsWriter(None).write() == HeadsFile.NOT_SET
