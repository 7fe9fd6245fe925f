"""Every page of the gallery."""

from __future__ import annotations

from tests.marketplace.web.shown import console, customers, desk
from tests.marketplace.web.shown.page import Shown

PARTS = (customers, console, desk)

SHOWN: Shown = {name: page for part in PARTS for name, page in part.PAGES.items()}
