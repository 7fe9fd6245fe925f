"""Files as people send them: what is read, and what is refused by the process that looks into them."""

from __future__ import annotations

import json
import resource
import string
import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.core.bulk.cells import Column
from marketplace.core.bulk.intake.__main__ import examine
from marketplace.core.bulk.intake.bounds import LARGEST, LONGEST_CELL, MOST_LINES, Refused
from marketplace.core.bulk.kind import ImportKind, Outcome
from marketplace.core.bulk.reasons import FILE_REASONS
from marketplace.core.bulk.table import COMMAND, TableRefused, read_table
from marketplace.core.bulk.template import template
from marketplace.core.config import ROOT
from marketplace.core.spreadsheet import spreadsheet
from marketplace.core.text import Text
from tests.files import make_pdf, make_zip
from tests.spreadsheets import day, fault, figure, formula, make_xlsx

COLUMNS = (
    Column("key", Text("标识", "Key"), Text("不变的编号", "A lasting name"), "K-1", exact=True),
    Column("words", Text("说明", "What it says"), Text("随意", "Anything"), "甲", required=False),
)
QUICKLY = settings(max_examples=80, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def found(content: bytes) -> list[tuple[int, dict[str, str], dict[str, str]]]:
    return [(line.number, dict(line.texts), dict(line.marks)) for line in read_table(content, COLUMNS).lines]


# --- CSV -------------------------------------------------------------------------------------------------------------

PLAIN = [(2, {"key": "K-1", "words": "甲,乙"}, {})]
ALIKE = {
    "UTF-8": '标识,说明\nK-1,"甲,乙"\n'.encode(),
    "UTF-8 with its mark": '\ufeff标识,说明\r\nK-1,"甲,乙"\r\n'.encode(),
    "GB 18030": '标识,说明\nK-1,"甲,乙"\n'.encode("gb18030"),
    "UTF-16, tabs": "标识\t说明\nK-1\t甲,乙".encode("utf-16"),
    "semicolons": "标识;说明\nK-1;甲,乙\n".encode(),
    "headers in English": 'key , What it says\nK-1,"甲,乙"\n'.encode(),
    "codes as headers, the other way round": 'WORDS,KEY\n"甲,乙",K-1\n'.encode(),
    "blanks and blank cells at the end": '标识,说明,\n K-1 ,"甲,乙",,,\n\n,,\n'.encode(),
    "XLSX": make_xlsx([["标识", "说明"], ["K-1", "甲,乙"]]),
}


@pytest.mark.parametrize("name", ALIKE)
def test_the_same_table_is_read_however_it_was_saved(name: str) -> None:
    assert found(ALIKE[name]) == PLAIN


def test_lines_are_numbered_as_a_spreadsheet_shows_them_and_notes_are_passed_over() -> None:
    content = '#说明,给人看\n标识,说明,备注\n\nK-1,"两\n行",x\n# K-9,不导入\nK-2,乙\n'.encode()
    table = read_table(content, COLUMNS)
    assert [(line.number, line.texts["key"]) for line in table.lines] == [(4, "K-1"), (6, "K-2")]
    assert (table.notes, table.ignored, table.encoding, table.form) == (2, ("备注",), "utf-8", "csv")


def test_a_line_with_more_cells_than_the_header_is_known() -> None:
    table = read_table(b"key,words\nK-1,a,b\nK-2,a,,\n", COLUMNS)
    assert [line.extra for line in table.lines] == [True, False]


def test_what_a_spreadsheet_would_take_for_a_formula_comes_back_as_it_was() -> None:
    content = spreadsheet(["key", "words"], [["-1", "+8613800000001"], ["K", "'s"]])
    assert [line[1] for line in found(content.encode())] == [
        {"key": "-1", "words": "+8613800000001"},
        {"key": "K", "words": "'s"},
    ]


@pytest.mark.parametrize("exact", ["007", "0086123456", "1234567890123456", "12E5", "-1"])
def test_what_a_spreadsheet_would_shorten_comes_back_as_it_was(exact: str) -> None:
    content = spreadsheet(["key", "words"], [[exact, "2026-02-28"], ["12", "'it'=x"]], exact=True)
    assert f"\n'{exact}," in content, "without the quote it is a quantity to the program"
    as_saved = {"csv": content.encode(), "xlsx": make_xlsx([row.split(",") for row in content[1:].split("\r\n")[:-1]])}
    for saved in as_saved.values():
        [first, second] = [line[1] for line in found(saved)]
        assert (first["key"], first["words"]) == (exact, "2026-02-28")
        assert (second["key"], second["words"]) == ("12", "'it'=x")


def test_the_template_imports_nothing_and_can_be_filled_in() -> None:
    kind = ImportKind(
        "things", Text("物", "Things"), Text("", ""), COLUMNS, lambda cells: cells.text("key"), str,
        lambda *_args, **_more: "made", {"made": Outcome(Text("新增", "Made"))},
    )  # fmt: skip
    with pytest.raises(TableRefused) as refused:
        read_table(template(kind, "zh").encode(), COLUMNS)
    assert refused.value.facts == {"reason": "no_lines"}
    filled = template(kind, "en") + "K-1,甲\r\n"
    assert found(filled.encode()) == [(5, {"key": "K-1", "words": "甲"}, {})]
    assert "不变的编号" in filled and "A lasting name" in filled and "Example: K-1" in filled


# --- XLSX ------------------------------------------------------------------------------------------------------------


def test_what_a_spreadsheet_stores_otherwise_than_it_shows_is_marked() -> None:
    rows = [
        ["key", "words"],
        ["0012", day(46081)],
        [figure("12"), figure("1.5")],
        [figure("110101199003070000"), formula("A1")],
        [None, None],
        ["K", formula("1+1", "2")],
        ["L", fault()],
    ]
    assert found(make_xlsx(rows)) == [
        (2, {"key": "0012", "words": "2026-02-28"}, {"words": "number"}),
        (3, {"key": "12", "words": "1.5"}, {"key": "number", "words": "number"}),
        (4, {"key": "110101199003070000", "words": ""}, {"key": "number", "words": "formula"}),
        (6, {"key": "K", "words": "2"}, {"words": "number"}),
        (7, {"key": "L", "words": ""}, {"words": "error"}),
    ]


def test_a_table_that_begins_elsewhere_and_an_empty_sheet_beside_it_are_no_trouble() -> None:
    rows = [[], [], ["key", "words"], ["K-1", "甲,乙"]]
    assert [line[1] for line in found(make_xlsx(rows, []))] == [PLAIN[0][1]]
    assert [line[0] for line in found(make_xlsx(rows, []))] == [4]


# --- what is refused -------------------------------------------------------------------------------------------------

SMALL = [["key", "words"], ["K-1", "x"]]


def _lying_zip() -> bytes:
    """A part whose directory entry says less than it unpacks to."""
    made = make_xlsx(SMALL, parts={"xl/media/big.bin": bytes(3 * 2**20)})
    size = (3 * 2**20).to_bytes(4, "little")
    return made.replace(size, (1000).to_bytes(4, "little"))


def _encrypted_zip() -> bytes:
    made = bytearray(make_xlsx(SMALL))
    at = made.index(b"PK\x01\x02")
    made[at + 8] |= 1
    return bytes(made)


HOSTILE: dict[str, tuple[bytes, dict[str, str | int]]] = {
    "nothing": (b" \n", {"reason": "empty"}),
    "too large": (b"x" * (LARGEST + 1), {"reason": "too_large", "most": 8}),
    "a PDF": (make_pdf(), {"reason": "wrong_type"}),
    "a page saved as a spreadsheet": (b"<html><table>", {"reason": "wrong_type"}),
    "a ZIP of papers": (make_zip({"a.pdf": make_pdf()}), {"reason": "wrong_type"}),
    "half a ZIP": (make_xlsx(SMALL)[:200], {"reason": "zip_broken"}),
    "an old XLS": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), {"reason": "old_format"}),
    "a password": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
        {"reason": "encrypted"},
    ),
    "an encrypted part": (_encrypted_zip(), {"reason": "encrypted"}),
    "XLSB": (make_xlsx(SMALL, parts={"xl/workbook.bin": b"x"}), {"reason": "xlsb"}),
    "macros": (make_xlsx(SMALL, parts={"xl/vbaProject.bin": b"x"}), {"reason": "macros"}),
    "a zip bomb": (make_xlsx(SMALL, parts={"xl/media/a.bin": bytes(40 * 2**20)}), {"reason": "zip_bomb"}),
    "a zip bomb that lies": (_lying_zip(), {"reason": "zip_broken"}),
    "many parts": (make_xlsx(SMALL, parts={f"xl/media/{n}": b"" for n in range(400)}), {"reason": "zip_bomb"}),
    "entities": (
        make_xlsx(SMALL, parts={"xl/sharedStrings.xml": '<!DOCTYPE x [<!ENTITY a "b">]><sst>&a;</sst>'}),
        {"reason": "xml_entities"},
    ),
    "entities in UTF-16": (
        make_xlsx(SMALL, parts={"xl/sharedStrings.xml": '<!DOCTYPE x [<!ENTITY a "b">]><sst/>'.encode("utf-16")}),
        {"reason": "xml_entities"},
    ),
    "no workbook": (make_xlsx(SMALL, dropped=["xl/workbook.xml"]), {"reason": "wrong_type"}),
    "a sheet that is missing": (make_xlsx(SMALL, dropped=["xl/worksheets/sheet1.xml"]), {"reason": "xlsx_broken"}),
    "a sheet that is no XML": (
        make_xlsx(SMALL, parts={"xl/worksheets/sheet1.xml": "<worksheet><sheetData><row>"}),
        {"reason": "xlsx_broken"},
    ),
    "two sheets": (make_xlsx(SMALL, SMALL), {"reason": "several_sheets", "sheets": 2}),
    "merged cells": (make_xlsx(SMALL, merged="A2:B2"), {"reason": "merged_cells", "cell": "A2"}),
    "an empty workbook": (make_xlsx([]), {"reason": "no_lines"}),
    "a cell at the end of the world": (
        make_xlsx([["key"], ["K"], ['\0<c r="XFD1048576"><v>1</v></c>']]),
        {"reason": "too_costly"},
    ),
    "a header alone": (b"key,words\n", {"reason": "no_lines"}),
    "a header with a gap": (b"key,,words\nK,,x\n", {"reason": "no_header", "line": 1}),
    "no header": (b"K-1,x\nK-2,y\n", {"reason": "missing_columns", "columns": "key"}),
    "a column twice": ("key,标识\na,b\n".encode(), {"reason": "doubled_column", "column": "key"}),
    "an open quote": (b'key,words\nK,"x\n', {"reason": "csv_broken", "line": 2, "most": LONGEST_CELL}),
    "a quote alone": (b'key,words\nK,x"y"z\n"a"b,c\n', {"reason": "csv_broken", "line": 3, "most": LONGEST_CELL}),
    "NUL": (b"key,words\nK,\0\n", {"reason": "binary"}),
    "no text in any encoding": (b"key\n\xff\xff\xff\n", {"reason": "encoding"}),
    "too many lines": (b"key\n" + b"K\n" * (MOST_LINES + 1), {"reason": "too_many_lines", "most": MOST_LINES}),
    "too many columns": (b"key\n" + b"x," * 101 + b"x\n", {"reason": "too_many_columns", "most": 100, "line": 2}),
    "a cell without end": (b"key\n" + b"x" * 5000 + b"\n", {"reason": "cell_too_long", "most": 4000, "line": 2}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_is_refused_for_what_it_is_and_told_what_to_do(name: str) -> None:
    content, facts = HOSTILE[name]
    with pytest.raises(TableRefused) as refused:
        read_table(content, COLUMNS)
    assert refused.value.facts == facts
    reason = FILE_REASONS[str(facts["reason"])]
    assert all(text.format(**facts) for text in (*reason.why, *reason.remedy))


def explode() -> None:
    """Examine what grows when it is opened, and print what the children of this process cost: seconds, kilobytes."""
    for name in ("a zip bomb", "a zip bomb that lies", "a cell at the end of the world", "too many lines"):
        with pytest.raises(TableRefused):
            read_table(HOSTILE[name][0], COLUMNS)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps([used.ru_utime, used.ru_maxrss]))


def test_bombs_cost_neither_memory_nor_time() -> None:
    began = time.monotonic()
    asked = [sys.executable, "-c", f"from {__name__} import explode; explode()"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True)
    seconds, kilobytes = json.loads(done.stdout.splitlines()[-1])
    assert seconds < 15
    assert kilobytes < 1024 * 1024, "what the largest of all children held"
    assert time.monotonic() - began < 60


@pytest.mark.usefixtures("examiners_anew")
def test_the_largest_file_that_is_taken_is_read_within_the_limits() -> None:
    rows = "".join(f"K-{number},{'x' * 100}\n" for number in range(MOST_LINES))
    assert len(read_table(f"key,words\n{rows}".encode(), COLUMNS).lines) == MOST_LINES


HEAD = '{"form": "csv", "encoding": "utf-8", "header": ["key"], "notes": 0, "lines": N}'


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("while True: pass", "too_costly"),
        ("held = bytearray(2**34)", "unreadable"),
        ("import socket; socket.socket()", "unreadable"),
        ("open('/etc/passwd')", "unreadable"),
        ("print('not an answer')", "unreadable"),
        (f"print('{HEAD.replace('N', '2')}')", "unreadable"),
        (f"print('{HEAD.replace('N', '1').replace('utf-8', 'klingon')}\\n[2,[\"K\"],{{}}]')", "unreadable"),
    ],
)  # fmt: skip
def test_an_examiner_that_was_taken_over_is_held_and_believed_nothing(
    program: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = f"import marketplace.core.bulk.intake.__main__ as m; m.PROCESSOR_SECONDS = 1; m.hold()\n{program}"
    monkeypatch.setattr("marketplace.core.bulk.table.COMMAND", (*COMMAND[:3], "-c", held))
    with pytest.raises(TableRefused) as refused:
        read_table(b"key\nK\n", COLUMNS)
    assert refused.value.facts["reason"] == reason


# --- whatever comes --------------------------------------------------------------------------------------------------

SOUND = {"csv": ALIKE["UTF-8"], "xlsx": ALIKE["XLSX"]}


@QUICKLY
@given(kind=st.sampled_from(sorted(SOUND)), data=st.data())
def test_a_damaged_file_is_taken_or_refused_and_nothing_else(kind: str, data: st.DataObject) -> None:
    content = bytearray(SOUND[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert examine(bytes(content)).lines
    except Refused as refused:
        assert refused.reason in FILE_REASONS


def test_every_reason_has_words_in_both_languages_whose_facts_are_named() -> None:
    for reason in FILE_REASONS.values():
        for text in (*reason.why, *reason.remedy):
            named = {name for _, name, _, _ in string.Formatter().parse(text) if name}
            assert text and named <= {"most", "line", "cell", "sheets", "column", "columns"}
