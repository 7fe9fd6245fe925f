"""The report as a PDF with Chinese text. The font is one that every PDF reader brings, so no font file is needed."""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

FONT = "STSong-Light"
_MARKS = {"high": "↑", "low": "↓", "abnormal": "异常"}
_SEXES = {"male": "男", "female": "女"}
# reportlab keeps its font tables in module globals.
_drawing = threading.Lock()


@lru_cache(maxsize=1)
def _font() -> str:
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    return FONT


def draw(title: str, report: Mapping[str, Any], content: Mapping[str, Any]) -> bytes:
    """The PDF of a report; the same bytes for the same input."""
    with _drawing:
        return _draw(title, report, content)


def _draw(title: str, report: Mapping[str, Any], content: Mapping[str, Any]) -> bytes:
    font = _font()
    big = ParagraphStyle("title", fontName=font, fontSize=18, leading=26, alignment=1)
    plain = ParagraphStyle("plain", fontName=font, fontSize=10, leading=15, wordWrap="CJK")
    person = content["person"]
    state = "更正报告" if report["status"] == "corrected" else "正式报告"
    story: list[Flowable] = [
        Paragraph(escape(title), big),
        Paragraph(f"健康体检报告（{state}，第 {report['version']} 版）", big),
        Spacer(1, 4 * mm),
        Paragraph(
            f"姓名：{escape(person['name'])}　性别：{_SEXES.get(person['sex'], '')}　"
            f"出生日期：{escape(person['birth_date'])}",
            plain,
        ),
        Paragraph(f"体检日期：{content['service_date']}　报告编号：{escape(report['reference'])}", plain),
        Spacer(1, 4 * mm),
        _table(content["items"], font),
        Spacer(1, 6 * mm),
        Paragraph("总检结论", ParagraphStyle("head", parent=plain, fontSize=13, leading=20)),
    ]
    story += [Paragraph(escape(line), plain) for line in content["conclusion"].split("\n")]
    story += [Spacer(1, 6 * mm), Paragraph("主检医师：示例医师　　本报告为演示数据，不作诊断依据。", plain)]
    paper = io.BytesIO()
    document = SimpleDocTemplate(
        paper, pagesize=A4, title="健康体检报告", author=title, invariant=1, topMargin=18 * mm, bottomMargin=18 * mm
    )
    document.build(story)
    return paper.getvalue()


def _table(items: list[dict[str, Any]], font: str) -> Table:
    rows: list[list[Any]] = [["项目", "结果", "提示", "单位", "参考范围"]]
    cell = ParagraphStyle("cell", fontName=font, fontSize=9, leading=12, wordWrap="CJK")
    style: list[Any] = [
        ("FONT", (0, 0), (-1, -1), font, 9),
        ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#e8eef2")),
        ("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.HexColor("#c8d2d8")),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
    ]
    section = ""
    for item in items:
        if item["section"] != section:
            section = item["section"]
            style.append(("BACKGROUND", (0, len(rows)), (-1, len(rows)), colors.HexColor("#f4f7f9")))
            rows.append([section, "", "", "", ""])
        if item["flag"] in _MARKS:
            style.append(("TEXTCOLOR", (1, len(rows)), (2, len(rows)), colors.HexColor("#b3261e")))
        value = Paragraph(escape(item["value"]), cell) if len(item["value"]) > 12 else item["value"]
        rows.append([item["name"], value, _MARKS.get(item["flag"], ""), item["unit"], _range(item)])
    table = Table(rows, colWidths=[46 * mm, 52 * mm, 16 * mm, 26 * mm, 34 * mm], repeatRows=1)
    table.setStyle(TableStyle(style))
    return table


def _range(item: Mapping[str, Any]) -> str:
    low, high = item["low"], item["high"]
    if low is None and high is None:
        return ""
    return f"≤ {high:g}" if low is None else f"{low:g} - {high:g}"
