"""Pictures as telephones take them."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import Image


def make_picture(kind: str = "JPEG", width: int = 64, height: int = 48, **saved: Any) -> bytes:
    """A picture whose left half is red and whose right half is blue."""
    picture = Image.new("RGB", (width, height), (20, 40, 220))
    picture.paste((220, 40, 20), (0, 0, width // 2, height))
    return written(picture, kind, **saved)


def written(picture: Image.Image, kind: str, **saved: Any) -> bytes:
    """The file of a picture."""
    to = BytesIO()
    picture.save(to, kind, **saved)
    return to.getvalue()


def seen(content: bytes) -> Image.Image:
    """What a file shows."""
    with Image.open(BytesIO(content)) as opened:
        opened.load()
        return opened


def whereabouts(orientation: int = 1) -> Image.Exif:
    """What a telephone writes beside a picture: where it was taken, by whom, and which side is up."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x013B] = "Shen Jingyi"
    exif.get_ifd(0x8825).update({1: "N", 2: (30.0, 15.0, 3.0), 3: "E", 4: (120.0, 9.0, 17.0)})
    return exif
