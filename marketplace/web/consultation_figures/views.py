"""The pages of figures behind a door: the overview, the rows that a figure counts, both as tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, get_args

from flask import Response, make_response
from flask_babel import gettext as _

from booking.consultation.at_desk.in_hand import departments_of
from booking.consultation.figures import handovers, names, rows, satisfaction, scope, waiting
from booking.consultation.figures.scope import DAYS, Days, Whose
from booking.consultation.pledge_figures import By, all_figures
from marketplace import wording
from marketplace.core.database.moment import now_by_database
from marketplace.core.errors import Invalid, NotFound
from marketplace.web.answers import Views, asked
from marketplace.web.consultation_figures import overview_page, rows_page, tables
from marketplace.web.consultation_figures.looking import Looking
from marketplace.web.consultation_figures.overview_page import Found
from marketplace.web.consultation_figures.rows_page import Wanted
from marketplace.web.doors.door import Door
from marketplace.web.language import by_language
from marketplace.web.parts import Form, Link

SHOWN = 50
"""How many rows a page has."""
MOST_ROWS = 100_000
"""How many rows a table has at most."""
USUAL_DAYS = 7
"""Of how many days the figures are where nobody asked for others."""
_PARAMETERS = ("by", "name", "part", "age", "at", "stars")


class FigureViews:
    """The pages behind one door. `whose`: whose figures whoever is signed in may see, of a provider by its code or of
    all; it raises NotFound. `page` renders a template in the frame of the door's pages, with the entry of its menu.
    `linked`: a row leads to its booking."""

    def __init__(
        self, door: Door[Any], whose: Callable[[str], Whose], page: Callable[..., Response], *, linked: bool
    ) -> None:
        self._door, self._whose, self._page, self._linked = door, whose, page, linked

    @property
    def views(self) -> Views:
        """Endpoint to view."""
        return {
            "figures": self.figures,
            "figures_csv": self.figures_csv,
            "figure_rows": self.figure_rows,
            "figure_rows_csv": self.figure_rows_csv,
        }

    def figures(self) -> Response:
        """What was promised and what was kept."""
        now, form = now_by_database(), _form()
        try:
            days, chosen = _asked_days(now)
        except Invalid as refusal:
            form = Form(form.values, {refusal.at or "from": wording.sentence(refusal)})
            days, chosen = scope.last_days(USUAL_DAYS, now=now), USUAL_DAYS
        it = self._looking(days)
        if not form.errors:
            form = Form({**form.values, "from": days.first.isoformat(), "to": days.last.isoformat()})
        found = Found(
            all_figures(get_args(By), scope.counting(it.whose, days)),
            waiting.ages(it.whose, at=now),
            waiting.late(it.whose, at=now),
            now,
            satisfaction.satisfaction(it.whose, days),
            handovers.handovers(it.whose, days),
        )
        return self._page(
            "figures/overview.html",
            "figures",
            422 if form.errors else 200,
            it=it,
            page=overview_page.overview(it, found),
            periods=tuple(self._period(number, it, current=number == chosen) for number in DAYS),
            form=form,
            providers=self._choices(it),
            csv_url=it.url("figures_csv"),
        )

    def figures_csv(self) -> Response:
        """The same figures as a table. Raises NotFound for days that are none."""
        try:
            days, _chosen = _asked_days(now_by_database())
        except Invalid as bad:
            raise NotFound() from bad
        it = self._looking(days)
        groups: tuple[By, ...] = get_args(By)
        content = tables.figures(it, all_figures(groups, scope.counting(it.whose, it.days)))
        return _table(f"consultation-figures-{it.days.first}-{it.days.last}.csv", content)

    def figure_rows(self, of: str) -> Response:
        """The rows that a figure counts, a page of them."""
        it, wanted = self._wanted(of)
        found = rows.counted(wanted.listing, cursor=asked("cursor", 500) or None, limit=SHOWN)
        again = {"of": of, **{name: value for name, value in wanted.parameters.items() if value}}
        return self._page(
            "figures/rows.html",
            "figures",
            it=it,
            wanted=wanted,
            rows=rows_page.shown(it, found.page.items, linked=self._linked),
            heading=rows_page.count(wanted.of, found.total),
            note=rows_page.note(found.total, MOST_ROWS, looks_are_written=self._linked),
            more_url=it.url("figure_rows", **again, cursor=found.page.next) if found.page.next else "",
            csv_url=it.url("figure_rows_csv", **again),
            back_url=it.url("figures"),
        )

    def figure_rows_csv(self, of: str) -> Response:
        """All of them as a table."""
        it, wanted = self._wanted(of)
        content = tables.rows(it, wanted.of, rows.every(wanted.listing, most=MOST_ROWS))
        return _table(f"consultation-{wanted.of}-{it.days.first}-{it.days.last}.csv", content)

    def _wanted(self, of: str) -> tuple[Looking, Wanted]:
        it = self._looking(_named_days())
        parameters = {name: asked(name, 200) for name in _PARAMETERS}
        return it, rows_page.wanted(it, of, parameters, now=now_by_database())

    def _looking(self, days: Days) -> Looking:
        provider = asked("provider", 80)
        whose = self._whose(provider)
        chosen = provider if whose.insurer_id is not None else ""
        return Looking(
            self._door, whose, days, chosen, departments_of(whose.provider_id), names.providers(self._whose(""))
        )

    def _period(self, number: int, it: Looking, *, current: bool) -> Link:
        words = _("Today") if number == 1 else _("%(days)s days", days=number)
        return Link(words, self._door.url("figures", days=number, provider=it.provider or None), current)

    @staticmethod
    def _choices(it: Looking) -> tuple[tuple[str, str], ...]:
        """The providers to choose from; none where there is no choice."""
        if it.whose.insurer_id is None:
            return ()
        return (("", _("All providers")), *((code, by_language(name)) for code, name in it.providers.items()))


def _form() -> Form:
    return Form({name: asked(name, 80) for name in ("from", "to", "provider")})


def _asked_days(now: datetime) -> tuple[Days, int | None]:
    """The days that were asked for, and of how many days up to today they are where it was so asked. Raises Invalid."""
    if asked("from", 80) or asked("to", 80):
        return scope.days_between(asked("from", 80), asked("to", 80)), None
    number = next((each for each in DAYS if str(each) == asked("days", 3)), USUAL_DAYS)
    return scope.last_days(number, now=now), number


def _named_days() -> Days:
    """The days that a page of ours wrote into its address. Raises NotFound for others."""
    try:
        return scope.days_between(asked("from", 80), asked("to", 80))
    except Invalid as bad:
        raise NotFound() from bad


def _table(name: str, content: str) -> Response:
    answer = make_response(content)
    answer.content_type = "text/csv; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
