"""Mistakes of an earlier run are found in a tree whose lines and rooms have changed."""

from __future__ import annotations

from pathlib import Path

from mutate.again import Wanted, find, unnoticed

OUTPUT = """\
survived booking/room/rule.py:2  a < 1 -> (a <= 1)
killed   booking/room/rule.py:2  a < 1 -> True  tests/test_rule.py::test_it
untested booking/room/rule.py:9  a < 1 -> (a <= 1)
survived booking/old/moved.py:1  b == 2 -> (b != 2)
survived booking/room/rule.py:3  c > 4 -> (c >= 4)

| all | 5 | 5 | 1 | 3 | 1 | 20 % |
- `booking/room/rule.py:2` comparison: `a < 1 -> (a <= 1)` (3 tests)
"""


def test_what_no_test_noticed_is_read_from_the_output_of_a_run() -> None:
    assert [(str(one.file), one.line, one.told) for one in unnoticed(OUTPUT)] == [
        ("booking/room/rule.py", 2, "a < 1 -> (a <= 1)"),
        ("booking/room/rule.py", 9, "a < 1 -> (a <= 1)"),
        ("booking/old/moved.py", 1, "b == 2 -> (b != 2)"),
        ("booking/room/rule.py", 3, "c > 4 -> (c >= 4)"),
    ]


def test_each_is_found_by_its_text_wherever_it_stands_now_and_the_same_text_twice_is_two(tmp_path: Path) -> None:
    for name, source in {
        "booking/room/rule.py": "\n\n\nx = a < 1\n\n\n\n\n\n\ny = a < 1\n",
        "booking/new/moved.py": "z = b == 2\n",
        "other/moved.py": "z = b == 2\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(source)
    again = find(tmp_path, unnoticed(OUTPUT))
    assert [(str(file), mutant.line, mutant.text) for file, mutant in again.found] == [
        ("booking/room/rule.py", 4, "(a <= 1)"),
        ("booking/room/rule.py", 11, "(a <= 1)"),
        ("booking/new/moved.py", 1, "(b != 2)"),
    ]
    assert again.gone == [Wanted(Path("booking/room/rule.py"), 3, "c > 4 -> (c >= 4)")]
