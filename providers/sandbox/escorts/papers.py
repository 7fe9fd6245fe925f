"""Pictures that escorts take: a sheet of paper on a table, the same for the same booking and kind."""

from __future__ import annotations

import hashlib
import io
import random

from PIL import Image, ImageDraw

SIZE = (600, 800)
_TABLE, _PAPER, _INK, _STAMP = (196, 182, 160), (252, 252, 250), (90, 96, 104), (196, 60, 52)


def sheet(reference: str, kind: str) -> bytes:
    """A JPEG file."""
    dice = random.Random(hashlib.sha256(f"{reference} {kind}".encode()).digest())
    image = Image.new("RGB", SIZE, _TABLE)
    pen = ImageDraw.Draw(image)
    left, right = 50 + dice.randint(0, 20), SIZE[0] - 60
    pen.rectangle((left, 40, right, SIZE[1] - 50), fill=_PAPER)
    pen.rectangle((left + 140, 80, right - 140, 100), fill=_INK)
    for line in range(12):
        y = 160 + 40 * line
        pen.rectangle((left + 40, y, left + 120 + dice.randint(60, 300), y + 10), fill=_INK)
    x = right - 150
    pen.ellipse((x, 620, x + 110, 730), outline=_STAMP, width=5)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    return file.getvalue()
