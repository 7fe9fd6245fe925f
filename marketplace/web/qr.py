"""A QR code as a drawing inside the page: no image is fetched from anywhere."""

from __future__ import annotations

import segno
from markupsafe import Markup


def qr_code(text: str) -> Markup:
    """The QR code of `text` (ISO/IEC 18004) as SVG, dark on light whatever the page's colours: cameras need it so."""
    drawn = segno.make(text, error="m", micro=False)
    return Markup(drawn.svg_inline(scale=5, border=4, dark="#000", light="#fff"))  # noqa: S704
