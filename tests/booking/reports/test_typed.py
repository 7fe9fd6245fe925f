"""Results that a person types: cells, titles, numbers with commas, and how they are read."""

from __future__ import annotations

import pytest

from booking.reports.typed import LONGEST, MOST_LINES, read_as, typed_results
from marketplace.core.errors import Invalid, NotFound
from providers.reported import ReportItem
from tests.world import make_world


def one(text: str) -> ReportItem:
    (item,) = typed_results(text)
    return item


@pytest.mark.parametrize(
    ("line", "item"),
    [
        ("白细胞\t5.2\t10^9/L\t3.5-9.5\t", ReportItem("白细胞", "5.2", unit="10^9/L", range_text="3.5-9.5")),
        ("白细胞,5.2,10^9/L,3.5-9.5,↑", ReportItem("白细胞", "5.2", unit="10^9/L", range_text="3.5-9.5", mark="↑")),
        ("白细胞，5.2，10^9/L", ReportItem("白细胞", "5.2", unit="10^9/L")),
        ("乙肝表面抗原\t阴性", ReportItem("乙肝表面抗原", "阴性")),
        ('"Platelets","1,200","10^3/uL"', ReportItem("Platelets", "1,200", unit="10^3/uL")),
        ("Platelets\t1,200\t10^3/uL\t\t\t\t", ReportItem("Platelets", "1,200", unit="10^3/uL")),
        ("ECG, sinus rhythm", ReportItem("ECG", "sinus rhythm")),
    ],
)
def test_a_line_is_a_result(line: str, item: ReportItem) -> None:
    assert one(line) == item


@pytest.mark.parametrize(
    "title", ["项目\t结果\t单位\t参考范围\t提示", "Name,Value,Unit,Range,Mark", "检验项目\t结果\t单位"]
)
def test_a_first_line_of_titles_and_empty_lines_are_left_out(title: str) -> None:
    assert typed_results(f"{title}\r\n\r\n血糖\t5.1\tmmol/L\r\n \n") == (ReportItem("血糖", "5.1", unit="mmol/L"),)
    assert typed_results("") == ()


@pytest.mark.parametrize(
    ("titles", "row", "item"),
    [
        (
            "项目\t结果\t提示\t单位\t参考范围",
            "钾\t6.9\t危急值↑\tmmol/L\t3.5-5.3",
            ReportItem("钾", "6.9", unit="mmol/L", range_text="3.5-5.3", mark="危急值↑"),
        ),
        ("Unit,Value,Name", "mmol/L,5.1,Glucose", ReportItem("Glucose", "5.1", unit="mmol/L")),
        ("项目,结果", "心电图,窦性心律", ReportItem("心电图", "窦性心律")),
    ],
)
def test_titles_say_the_order_of_the_columns(titles: str, row: str, item: ReportItem) -> None:
    assert one(f"{titles}\n{row}") == item


@pytest.mark.parametrize(
    "titles",
    ["序号\t项目\t结果", "项目\t结果\t结果", "项目\t英文缩写\t结果", "项目\t单位"],
    ids=["row", "twice", "other", "no value"],
)
def test_titles_that_leave_a_column_open_are_refused(titles: str) -> None:
    with pytest.raises(Invalid) as refused:
        typed_results(f"{titles}\n1\t2\t3")
    assert refused.value.facts["reason"] == "typed_titles"


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ("血糖", "typed_line", 1),
        ("血糖\t5.1\tmmol/L\t3.9-6.1\t↑\t更多", "typed_line", 1),
        ("血糖\t5.1\n\n\t5.1", "typed_line_blank", 3),
        ("血糖\t", "typed_line_blank", 1),
        ("血小板,1,200,10^3/uL", "typed_line_comma", 1),
        ("血糖,5,2,mmol/L", "typed_line_comma", 1),
        ("血糖，5，2", "typed_line_comma", 1),
        ('血糖,"5.1', "typed_line", 1),
        ("血糖\t3.2\tmmol/L\t3.9\t6.1", "typed_line_comma", 1),
        ("肌酐,6.05,mmol/L,<6,1", "typed_line_comma", 1),
        ('"PLT",5,g,<1,000', "typed_line_comma", 1),
        ("钾\t6.9\t危急值↑\tmmol/L\t", "typed_line_order", 1),
        ("\t5.6\tmmol/L\t3.9-6.1", "typed_line_blank", 1),
        ("项目\t结果\n血糖\t5.1\tmmol/L", "typed_line", 2),
        ("\n".join(["血糖\t5.1"] * (MOST_LINES + 1)), "typed_lines", None),
        ("血糖\t" + "5" * 4001, "typed_line", 1),
        ("血糖\t5.1\x00", "bad_characters", None),
    ],
)
def test_what_could_be_read_wrong_is_refused_with_its_line(text: str, reason: str, line: int | None) -> None:
    with pytest.raises(Invalid) as refused:
        typed_results(text)
    assert (refused.value.at, refused.value.facts["reason"]) == ("results", reason)
    assert refused.value.facts.get("line") == line


def test_as_many_lines_as_may_be_are_taken() -> None:
    text = "\n".join(["血糖\t5.1"] * MOST_LINES)
    assert len(typed_results(text)) == MOST_LINES and len(text) < LONGEST


def test_they_are_read_by_the_one_reader(db: object) -> None:
    world = make_world()
    booking = world.submit()
    text = "白细胞\t12.1\t10^9/L\t3.5-9.5\n血糖\t5.1\tmmol/L\t3.9-6.1\n心电图\t窦性心律"
    high, normal, words = read_as(world.provider.id, booking, typed_results(text))
    assert (high.judged, high.judged_by) == ("high", "provider_range")
    assert (normal.judged, normal.item) == ("normal", "glucose")
    assert words.judged in ("", "normal")


def test_nobody_elses_person_is_read_for(db: object) -> None:
    world = make_world()
    with pytest.raises(NotFound):
        read_as(world.provider.id + 1, world.submit(), typed_results("血糖\t5.1"))
