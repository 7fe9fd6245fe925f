"""A report's results as a PDF of our own, for reports that came without one. Chinese and English side by side.

The font is one that every PDF reader has (Adobe's Simplified Chinese collection), so no font file is needed.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from booking.reports.box import ReportView
from booking.reports.reading.read import Reading
from marketplace.catalog.kinds import words_of

FONT = "STSong-Light"
_MARKS = {"high": "↑ 偏高 High", "low": "↓ 偏低 Low", "abnormal": "异常 Unusual"}
_LONGEST_CELL = 300
"""A row must fit on a page; a longer text is printed in full below the table."""
_drawing = threading.Lock()
"""reportlab keeps its font tables in module globals."""


@lru_cache(maxsize=1)
def _font() -> str:
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    return FONT


def print_report(view: ReportView) -> bytes:
    """The PDF; the same bytes for the same report. It says that it is not the provider's own paper."""
    with _drawing:
        return _draw(view)


def _draw(view: ReportView) -> bytes:
    plain = ParagraphStyle("plain", fontName=_font(), fontSize=10, leading=15, wordWrap="CJK")
    title = ParagraphStyle("title", parent=plain, fontSize=16, leading=24, alignment=1)
    small = ParagraphStyle("small", parent=plain, fontSize=8, leading=12)
    lines = [
        f"姓名 Name：{view.beneficiary_name}",
        f"机构 Provider：{view.provider_name.zh}（{view.provider_name.en}），{view.site}",
        f"服务日期 Date：{view.service_date.isoformat()}　版本 Version：{view.version}",
    ]
    report = words_of(view.kind).report
    paper = io.BytesIO()
    document = SimpleDocTemplate(paper, pagesize=A4, title=report.en, author="Anxiang", invariant=1, topMargin=18 * mm)
    document.build(
        [
            Paragraph(escape(" ".join(report)), title),
            *(Paragraph(escape(line), plain) for line in lines),
            Spacer(1, 4 * mm),
            _table(view.results, small),
            Spacer(1, 4 * mm),
            *(Paragraph(escape(words), small) for words in _long(view.results)),
            *(Paragraph(escape(line), plain) for line in view.conclusion.split("\n") if line),
            Spacer(1, 4 * mm),
            Paragraph(
                "本文件由安享根据机构交付的数据生成，不是机构的原始报告。 Made by Anxiang from the data that the "
                "provider delivered; it is not the provider's own paper.",
                small,
            ),
        ]
    )
    return paper.getvalue()


def _table(results: Sequence[Reading], style: ParagraphStyle) -> Table:
    def cell(words: str) -> Paragraph:
        shown = words if len(words) <= _LONGEST_CELL else f"{words[:60]}…（见表后 see below）"
        return Paragraph(escape(shown), style)

    rows: list[list[Any]] = [
        [cell(head) for head in ("项目 Item", "结果 Result", "提示 Flag", "单位 Unit", "参考范围 Reference")]
    ]
    rows += [
        [cell(words) for words in (it.name, it.value, _MARKS.get(it.flag, ""), it.unit, _reference(it))]
        for it in results
    ]
    table = Table(rows, colWidths=[50 * mm, 46 * mm, 24 * mm, 24 * mm, 32 * mm], repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#e8eef2")),
                ("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.HexColor("#c8d2d8")),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ]
        )
    )
    return table


def _long(results: Sequence[Reading]) -> list[str]:
    parts = ((item.name, words) for item in results for words in (item.name, item.value, item.unit))
    return [f"{name[:60]}：{words}" for name, words in parts if len(words) > _LONGEST_CELL]


def _reference(item: Reading) -> str:
    if item.range_text:
        return item.range_text
    if item.low is not None and item.high is not None:
        return f"{item.low:g} - {item.high:g}"
    if item.high is not None:
        return f"≤ {item.high:g}"
    return "" if item.low is None else f"≥ {item.low:g}"
