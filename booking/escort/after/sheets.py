"""Sheets of PDF of an escort's record: its text, and a picture as it is.

The font is one that every PDF reader has, as in booking.reports.output.print.
"""

from __future__ import annotations

import io
import threading
from functools import lru_cache
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

_FONT = "STSong-Light"
_drawing = threading.Lock()
"""reportlab keeps its font tables in module globals."""


@lru_cache(maxsize=1)
def _font() -> str:
    pdfmetrics.registerFont(UnicodeCIDFont(_FONT))
    return _FONT


def text_sheet(text: str) -> bytes:
    """A text as a PDF, as many pages as it takes; the same bytes for the same text. Blank lines part its chapters."""
    with _drawing:
        style = ParagraphStyle("plain", fontName=_font(), fontSize=10.5, leading=16, wordWrap="CJK")
        made = io.BytesIO()
        lines = [Paragraph(escape(line), style) if line else Spacer(1, 10) for line in text.split("\n")]
        SimpleDocTemplate(made, pagesize=A4, author="Anxiang", invariant=1).build(lines)
        return made.getvalue()


def picture_sheet(picture: bytes, width: int, height: int) -> bytes:
    """A JPEG of ours as a PDF of one page as wide as a sheet of A4; it is put in as it is."""
    with _drawing:
        size = (A4[0], A4[0] * height / width)
        made = io.BytesIO()
        page = Canvas(made, pagesize=size, invariant=True)
        page.drawImage(ImageReader(io.BytesIO(picture)), 0, 0, *size)
        page.save()
        return made.getvalue()
