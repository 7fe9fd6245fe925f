"""The program that examines one picture: `python -m booking.consultation.intake`.

Input: the file. Output: a line of JSON, `{"refused": reason}` or `{"width": …, "height": …, "sizes": [large, small]}`,
then the bytes of two JPEG files written anew: nothing of the file but its picture is in them.
It can open no other file and no connection, has 768 MiB, ten seconds of the processor and twenty of the clock.
"""

from __future__ import annotations

import json
import sys
from io import BytesIO
from typing import Any

from PIL import (
    Image,
    ImageCms,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from booking.consultation.intake.bounds import (
    LARGEST,
    LARGEST_STORED,
    LONGEST_SIDE,
    MIB,
    MOST_PIXELS,
    STORED_SIDE,
    THUMBNAIL_SIDE,
)
from booking.reports.intake.findings import Refused
from marketplace.core.examining import limits

MEMORY = 768 * MIB
PROCESSOR_SECONDS = 10
CLOCK_SECONDS = 20
PRELOADED = (JpegImagePlugin, MpoImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin)
"""What reads the three types (a telephone's JPEG may hold several pictures, and its EXIF is a TIFF); no file can be
opened later."""
QUALITY = 88
_APPLE = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevm", b"mif1", b"msf1")
_TRANSPARENT = ("RGBA", "LA", "PA", "RGBa", "La")


def hold() -> None:
    """Limit this process."""
    Image.preinit()
    limits.hold(memory=MEMORY, processor_seconds=PROCESSOR_SECONDS, clock_seconds=CLOCK_SECONDS, answer=4 * LARGEST)


def examine(content: bytes) -> tuple[Image.Image, Image.Image]:
    """The picture as it is stored and its small one. Raises Refused: empty, too_large (bytes), picture_heic,
    picture_type, picture_pixels (too many of them), picture_broken."""
    if not content:
        raise Refused("empty")
    if len(content) > LARGEST:
        raise Refused("too_large")
    kind = _kind_of(content)
    try:
        with Image.open(BytesIO(content), formats=[kind]) as opened:
            if max(opened.size) > LONGEST_SIDE or opened.width * opened.height > MOST_PIXELS:
                raise Refused("picture_pixels")
            opened.draft("RGB", (2 * STORED_SIDE, 2 * STORED_SIDE))  # a JPEG is decoded no larger than is needed
            large = _plain(opened)
    except Image.DecompressionBombError as bomb:
        raise Refused("picture_pixels") from bomb
    except (OSError, ValueError, SyntaxError, EOFError) as broken:
        raise Refused("picture_broken") from broken
    small = large.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return large, small


def _kind_of(content: bytes) -> str:
    """The type by the first bytes. Raises Refused."""
    if content.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    if content[4:8] == b"ftyp" and content[8:12] in _APPLE:
        raise Refused("picture_heic")
    raise Refused("picture_type")


def _plain(opened: Image.Image) -> Image.Image:
    """The picture alone, upright, in sRGB on white, at most STORED_SIDE; nothing that was said beside it."""
    turned = opened.getexif().get(0x0112, 1)  # EXIF 2.32, section 4.6.4: orientation
    profile = opened.info.get("icc_profile")
    opened.load()
    picture: Image.Image = opened
    if picture.mode.startswith("I"):  # 16 bits of grey: Pillow cuts what is brighter than 255 off
        picture = picture.point(lambda value: value * (1 / 257)).convert("L")
    if picture.mode == "P":
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    picture.thumbnail((STORED_SIDE, STORED_SIDE))
    picture = _in_srgb(picture, profile)
    if picture.mode in _TRANSPARENT:
        over = picture.convert("RGBA")
        clean = Image.new("RGB", over.size, "white")
        clean.paste(over, mask=over.getchannel("A"))
    else:
        clean = Image.new("RGB", picture.size)
        clean.paste(picture.convert("RGB"))
    upright = _TURNS.get(turned)
    return clean if upright is None else clean.transpose(upright)


_T = Image.Transpose
_TURNS = {
    2: _T.FLIP_LEFT_RIGHT,
    3: _T.ROTATE_180,
    4: _T.FLIP_TOP_BOTTOM,
    5: _T.TRANSPOSE,
    6: _T.ROTATE_270,
    7: _T.TRANSVERSE,
    8: _T.ROTATE_90,
}


def _in_srgb(picture: Image.Image, profile: Any) -> Image.Image:
    """Colours as they are meant: a phone's wide ones would look pale. A profile that can't be used is left out."""
    if not isinstance(profile, bytes) or picture.mode not in ("RGB", "CMYK"):
        return picture
    try:
        meant = ImageCms.ImageCmsProfile(BytesIO(profile))
        found = ImageCms.profileToProfile(picture, meant, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
    return picture if found is None else found


def _written(picture: Image.Image) -> bytes:
    to = BytesIO()
    picture.save(to, "JPEG", quality=QUALITY)
    if to.tell() > LARGEST_STORED:
        raise Refused("picture_pixels")
    return to.getvalue()


def main() -> int:
    """Examine the file on standard input and write the verdict. The exit code is 0 for every verdict."""
    hold()
    content = sys.stdin.buffer.read(LARGEST + 1)
    head: dict[str, Any]
    files: tuple[bytes, ...] = ()
    try:
        large, small = examine(content)
        files = (_written(large), _written(small))
        head = {"width": large.width, "height": large.height, "sizes": [len(each) for each in files]}
    except Refused as refused:
        head, files = {"refused": refused.reason}, ()
    except (MemoryError, RecursionError):
        head, files = {"refused": "too_costly"}, ()
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + b"".join(files))
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
