"""Pictures that doctors send: a curve over some days, the same for the same consultation and turn."""

from __future__ import annotations

import hashlib
import io
import random

from PIL import Image, ImageDraw

SIZE = (640, 400)
DAYS = 7
_PAPER, _LINES, _CURVE, _BAND = (250, 251, 249), (214, 222, 220), (20, 110, 96), (226, 241, 235)


def chart(reference: str, turn: int) -> bytes:
    """A PNG file."""
    dice = random.Random(hashlib.sha256(f"{reference} {turn}".encode()).digest())
    image = Image.new("RGB", SIZE, _PAPER)
    pen = ImageDraw.Draw(image)
    width, height = SIZE
    left, right, top, bottom = 50, width - 30, 40, height - 50
    pen.rectangle((left, top + 150, right, bottom - 60), fill=_BAND)
    for number in range(6):
        y = top + (bottom - top) * number // 5
        pen.line((left, y, right, y), fill=_LINES)
    spots = []
    for day in range(DAYS):
        x = left + (right - left) * day // (DAYS - 1)
        pen.line((x, bottom, x, bottom + 8), fill=_LINES, width=2)
        spots.append((x, top + 40 + (bottom - top - 110) * day // DAYS + dice.randint(-24, 24)))
    pen.line(spots, fill=_CURVE, width=4, joint="curve")
    for x, y in spots:
        pen.ellipse((x - 6, y - 6, x + 6, y + 6), fill=_CURVE)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
