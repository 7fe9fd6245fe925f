"""What the page of one provider shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _

from booking.health.figures import Window
from booking.health.pauses.standing import Pause
from booking.health.view import ProviderInFull
from marketplace.core.clock import HOME_ZONE
from marketplace.web import provider_figures
from marketplace.web.console.providers import rows
from marketplace.web.console.providers.rows import ProviderRow
from marketplace.web.parts import Link
from marketplace.web.provider_figures import FigureRow, Picture


@dataclass(frozen=True)
class ProviderPage:
    """A provider: `row` as in the list; `figures` within the chosen one of `windows`; two pictures of its calls and its
    answers; `pause` while it is paused."""

    row: ProviderRow
    windows: tuple[Link, ...]
    figures: tuple[FigureRow, ...]
    calls: Picture
    answers: Picture
    pause: Pause | None
    url: str


def page(it: ProviderInFull, recovered: Mapping[str, int], now: datetime) -> ProviderPage:
    """The page; `recovered` as for the row."""
    code = it.state.health.code
    urls = {each: url_for("console.provider", provider=code, window=each.value) for each in Window}
    return ProviderPage(
        rows.provider(it.state, now, recovered),
        provider_figures.windows(it.window, urls),
        provider_figures.rows(it.figures),
        provider_figures.picture(_("Calls to it"), it.calls, HOME_ZONE),
        provider_figures.picture(_("Its answers to requests"), it.answers, HOME_ZONE),
        it.state.pause,
        url_for("console.provider", provider=code),
    )
