"""Coverage by city: the list with its numbers, one city with its lines and a form for one more, and a table."""

from __future__ import annotations

from datetime import date
from typing import cast, get_args

from flask import Response, flash, make_response, request, url_for
from flask_babel import gettext as _

from booking.coverage import operators
from booking.coverage.operators import Only
from marketplace import wording
from marketplace.catalog.coverage.write import Statement
from marketplace.core import clock
from marketplace.core.errors import Invalid, NotFound
from marketplace.web.answers import Views, asked, field, see_other
from marketplace.web.console import session
from marketplace.web.console.answers import console_page
from marketplace.web.console.coverage import cities_page
from marketplace.web.kind_words import kind_name
from marketplace.web.parts import Form
from vip.principal import Principal

_FIELDS = ("district", "tier", "site", "level", "counts_from")


def coverage() -> Response:
    """The cities with their numbers on a day; the filters are in the address."""
    who = session.operator()
    kind, on, errors = _kind(who), *_day(who)
    only = next((each for each in get_args(Only) if each == asked("only", 20)), "")
    wanted = asked("q", 50)
    rows = operators.cities(who, kind, on, wanted=wanted, only=cast(Only, only))
    return console_page(
        "coverage",
        "coverage",
        422 if errors else 200,
        form=Form({"kind": kind, "on": asked("on", 20) or on.isoformat(), "q": wanted, "only": only}, errors),
        rows=tuple(cities_page.city(row, kind, on) for row in rows),
        totals=cities_page.totals(rows),
        kinds=cities_page.kinds(operators.kinds_covered(who)),
        onlies=cities_page.onlies(),
        narrowed=bool(wanted or only),
        csv_url=url_for("console.coverage_csv", kind=kind, on=on.isoformat()),
        plain_url=url_for("console.coverage", kind=kind, on=on.isoformat()),
    )


def coverage_csv() -> Response:
    """The own lines that count on the day or later, in the form in which they are imported."""
    who = session.operator()
    name, content = operators.lines_csv(who, _kind(who), _day(who)[0])
    answer = make_response(content)
    answer.content_type = "text/csv; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def coverage_city() -> Response:
    """One city: its lines, its places, and a form that says one thing more from a day on."""
    who = session.operator()
    kind, on, _errors = _kind(who), *_day(who)
    province, city = asked("province", 50), asked("city", 50)
    if not city:
        return see_other(url_for("console.coverage", kind=kind))
    form = Form({"level": "covered", "counts_from": clock.today(who.time_zone).isoformat()})
    if request.method == "POST":
        values = {name: field(name, 100) for name in _FIELDS}
        try:
            written = operators.write(who, _statement(values, kind, province, city), now=clock.now())
        except Invalid as refusal:
            at = str(refusal.at)
            form = Form(values, {at if at in _FIELDS else "site": wording.sentence(refusal)})
        else:
            flash(_("Nothing new: this is said already.") if written.outcome == "unchanged" else _("Saved."), "ok")
            return see_other(
                url_for("console.coverage_city", kind=kind, province=province, city=city, on=on.isoformat())
            )
    view = operators.city(who, kind, province, city, on)
    return console_page(
        "coverage_city",
        "coverage",
        422 if form.errors else 200,
        form=form,
        kind_name=kind_name(kind),
        city=city,
        province=province,
        on=on,
        said=cities_page.said(view),
        lines=tuple(map(cities_page.line, view.lines)),
        places=tuple(map(cities_page.place, view.sites)),
        districts=cities_page.district_choices(view),
        tiers=cities_page.tier_choices(view),
        sites=cities_page.site_choices(view),
        levels=cities_page.levels(),
        form_url=url_for("console.coverage_city", kind=kind, province=province, city=city, on=on.isoformat()),
        back_url=url_for("console.coverage", kind=kind, on=on.isoformat()),
    )


def _kind(who: Principal) -> str:
    """The kind that is asked about, the first one where none is named. Raises NotFound for one without coverage."""
    codes = operators.kinds_covered(who)
    wanted = asked("kind", 40) or next(iter(codes), "")
    if wanted not in codes:
        raise NotFound(field="benefit")
    return wanted


def _day(who: Principal) -> tuple[date, dict[str, str]]:
    """The day that is asked about, today without one; and what is wrong with what was typed."""
    today, typed = clock.today(who.time_zone), asked("on", 20)
    if not typed:
        return today, {}
    try:
        return date.fromisoformat(typed), {}
    except ValueError:
        return today, {"on": wording.sentence(Invalid(field="on", reason="date"))}


def _statement(values: dict[str, str], kind: str, province: str, city: str) -> Statement:
    try:
        counts_from = date.fromisoformat(values["counts_from"])
    except ValueError as wrong:
        raise Invalid(field="counts_from", reason="date") from wrong
    return Statement(
        kind,
        province,
        city,
        operators.as_level(values["level"]),
        counts_from,
        values["district"] or None,
        values["tier"] or None,
        values["site"] or None,
    )


VIEWS: Views = {"coverage": coverage, "coverage_csv": coverage_csv, "coverage_city": coverage_city}
