"""What operators and managers see of first answers, and that each number leads to the rows that it counts."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask
from sqlalchemy import func, select

from booking.consultation.models import Conversation
from booking.models import Booking
from marketplace.catalog.models import Provider
from marketplace.core import clock
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.web.formats import reference
from tests.booking.consultation.figures.asked import (
    NOW,
    answered,
    asked_in_test_mode,
    lived,
    of_another_insurer,
)
from tests.booking.consultation.rooms import Practice, make_practice
from tests.desk import at_desk, make_member
from tests.marketplace.web.console.entering import PASSWORD, enter
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from vip.operators.operators import create_admin

DAYS = {"from": "2026-03-01", "to": "2026-03-03"}
DOORS = ("operators", "desk")


@pytest.fixture
def practice(db: object) -> Practice:
    return make_practice(quantity=None)


@pytest.fixture
def later() -> Iterator[None]:
    """Everything in `lived` has happened."""
    with clock.frozen(NOW):
        yield


@pytest.fixture
def operator(app: Flask, practice: Practice, later: None) -> Visitor:
    create_admin("lin", PASSWORD, "林默", now=NOW)
    visitor = Visitor(app)
    assert enter(visitor).status_code == 303
    return visitor


@pytest.fixture
def manager(app: Flask, practice: Practice, later: None) -> Visitor:
    return at_desk(app, make_member(practice.world.provider.code))


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> tuple[str, Visitor]:
    """Each of the two doors, with somebody who may look at figures."""
    name: str = request.param
    return name, request.getfixturevalue({"operators": "operator", "desk": "manager"}[name])


def links(page: str) -> list[tuple[str, str]]:
    """The addresses of rows on a page, each with what is written there."""
    found = re.findall(r'(?s)<a[^>]*href="([^"]*/figures/(?!csv)[^"]+)"[^>]*>(.*?)</a>', page)
    assert found
    return [(html.unescape(url), html.unescape(re.sub(r"<[^>]+>", "", inside))) for url, inside in found]


def listed(visitor: Visitor, url: str) -> int:
    """How many a list says it has, which is how many rows its pages have."""
    page = visitor.get(url)
    assert page.status_code == 200, url
    said = re.search(r'id="rows-title">([\d,]+) (?:consultation|hand-over)', page.text)
    assert said is not None
    rows = page.text.count("<tr><td")
    while (more := re.search(r'class="btn btn--line" href="([^"]+)">More', page.text)) is not None:
        page = visitor.get(html.unescape(more[1]))
        rows += page.text.count("<tr><td")
    assert rows == int(said[1].replace(",", "")), url
    return rows


def number_of(text: str) -> int | None:
    """The number of a link that shows one alone."""
    found = re.fullmatch(r"\s*(\d+)(?:: .*)?\s*", text)
    return int(found[1]) if found else None


def test_every_number_of_the_page_leads_to_as_many_rows(door: tuple[str, Visitor], practice: Practice) -> None:
    name, visitor = door
    lived(practice)
    answered(of_another_insurer(practice), 50)
    asked_in_test_mode(practice)
    page = visitor.get(f"/{name}/figures?{urlencode(DAYS)}")
    compared = shares = 0
    for url, text in links(page.text):
        rows = listed(visitor, url)
        if (number := number_of(text)) is not None:
            assert rows == number, (url, text)
            compared += 1
        elif of := re.search(r"(?:of|wait|waits:|:) (\d+)$", text):
            assert rows == int(of[1]), (url, text)
            shares += 1
    assert compared > 60 and shares > 20


def test_each_point_of_a_chart_is_a_link(door: tuple[str, Visitor], practice: Practice) -> None:
    name, visitor = door
    lived(practice)
    page = visitor.get(f"/{name}/figures?{urlencode(DAYS)}").text
    charts = re.findall(r'(?s)<svg class="plot".*?</svg>', page)
    assert [chart.count("<a ") for chart in charts] == [3, 24, 5, 3, 2, *([1] if name == "operators" else []), 5, 3]
    for chart in charts:
        assert re.search(r'<g role="img" aria-labelledby="[\w-]+-title[^"]*"><title id=', chart)
        assert "style=" not in chart


def test_what_matters_comes_first(operator: Visitor, practice: Practice) -> None:
    lived(practice)
    told = main(operator.get(f"/operators/figures?{urlencode(DAYS)}"))
    assert "Answered in time 62% : Answered in time 5 of 8" in told
    assert "Half were answered within 60 s" in told and "9 in 10: not answered." in told
    assert "Waiting now 3 : Waiting now 1 for longer than promised" in told
    assert "Promise broken 3 : Promise broken 1 of them never answered" in told
    assert "Rating 3.8 : Rating 4 of 7 said something" in told
    assert "1 of 11 consultations changed hands, 3 times in all." in told


def test_before_anybody_asked_it_says_so(door: tuple[str, Visitor]) -> None:
    name, visitor = door
    for visitor.language in ("zh", "en"):
        page = visitor.get(f"/{name}/figures")
        assert page.status_code == 200 and page.text.count('<svg class="plot"') == 0
    told = main(page)
    assert "Nobody asked a doctor in these days." in told and "Nobody waits for a first answer." in told
    assert "Nothing could be rated yet." in told and "Answered in time –" in told


@pytest.mark.parametrize(("asked", "days"), [("1", 1), ("7", 7), ("30", 30), ("31", 7), ("x", 7), ("", 7)])
def test_a_touch_chooses_today_a_week_or_a_month(operator: Visitor, asked: str, days: int) -> None:
    page = operator.get(f"/operators/figures?days={asked}").text
    first = {1: "2026-03-03", 7: "2026-02-25", 30: "2026-02-02"}[days]
    assert f'name="from" type="date" value="{first}"' in page
    assert 'name="to" type="date" value="2026-03-03"' in page


@pytest.mark.parametrize(
    ("days", "field", "words"),
    [
        ({"from": "2026-03-02", "to": "2026-03-01"}, "to", "The last day must not lie before the first."),
        ({"from": "2026-03-02", "to": ""}, "to", "This is needed."),
        ({"from": "soon", "to": "2026-03-01"}, "from", "This must be a date such as 2030-01-31."),
        ({"from": "2026-01-01", "to": "2026-12-31"}, "to", "At most 92 days at once."),
    ],
)
def test_days_that_are_none_are_refused_at_their_field(
    door: tuple[str, Visitor], days: dict[str, str], field: str, words: str
) -> None:
    name, visitor = door
    page = visitor.get(f"/{name}/figures?{urlencode(days)}")
    assert page.status_code == 422
    said = re.search(rf'(?s)id="f-{field}-error">(.*?)</p>', page.text)
    assert said is not None and words in said[1]
    assert visitor.get(f"/{name}/figures/csv?{urlencode(days)}").status_code == 404


@pytest.mark.parametrize(
    ("of", "asked"),
    [
        ("answers", {**DAYS, "by": "all", "part": "all", "name": "x"}),
        ("answers", {**DAYS, "by": "hour", "part": "all"}),
        ("answers", {**DAYS, "by": "hour", "part": "all", "name": "24"}),
        ("answers", {**DAYS, "by": "day", "part": "all", "name": "20260301"}),
        ("answers", {**DAYS, "by": "shift", "part": "all", "name": "noon"}),
        ("answers", {**DAYS, "by": "state", "part": "all", "name": "x"}),
        ("answers", {**DAYS, "by": "all", "part": "most"}),
        ("answers", {**DAYS, "by": "all"}),
        ("answers", {"by": "all", "part": "all"}),
        ("answers", {"from": "x", "to": "y", "by": "all", "part": "all"}),
        ("waiting", {**DAYS}),
        ("waiting", {**DAYS, "at": "soon"}),
        ("waiting", {**DAYS, "at": "2026-03-03T00:00:00"}),
        ("waiting", {**DAYS, "at": "2027-03-03T00:00:00+00:00"}),
        ("waiting", {**DAYS, "at": "0001-01-01T00:00:00+00:00"}),
        ("waiting", {**DAYS, "at": "2026-03-03T00:00:00+00:00", "age": "5"}),
        ("ratings", {**DAYS, "stars": "6"}),
        ("handovers", {**DAYS}),
        ("handovers", {**DAYS, "by": "all", "name": "x"}),
        ("handovers", {**DAYS, "by": "provider", "name": "x"}),
        ("words", {**DAYS}),
    ],
)
def test_what_no_page_leads_to_is_not_there(door: tuple[str, Visitor], of: str, asked: dict[str, str]) -> None:
    name, visitor = door
    for path in (f"/{name}/figures/{of}", f"/{name}/figures/{of}/csv"):
        assert visitor.get(f"{path}?{urlencode(asked)}").status_code == 404, path


def test_a_broken_cursor_is_told_and_breaks_nothing(door: tuple[str, Visitor]) -> None:
    name, visitor = door
    answer = visitor.get(f"/{name}/figures/answers?{urlencode({**DAYS, 'by': 'all', 'part': 'all', 'cursor': 'x'})}")
    assert 400 <= answer.status_code < 500


def test_a_look_at_rows_shows_no_name_and_leaves_no_line_in_the_audit(operator: Visitor, practice: Practice) -> None:
    answered(practice, 20)
    before = lines()
    page = operator.get(f"/operators/figures/answers?{urlencode({**DAYS, 'by': 'all', 'part': 'all'})}")
    with reading() as session:
        booking = session.scalars(select(Booking)).one()
    assert reference(booking.reference) in page.text and f'href="/operators/bookings/{booking.public_id}"' in page.text
    assert practice.world.beneficiary.name not in page.text and "嗓子疼" not in page.text
    assert lines() == before
    assert "this look is not written to the audit" in main(page)
    operator.get(f"/operators/bookings/{booking.public_id}")
    assert lines() == before + 1, "that one is a look"


def lines() -> int:
    """How many lines the audit has."""
    with reading() as session:
        return session.scalars(select(func.count()).select_from(AuditLine)).one()


def test_a_managers_rows_name_bookings_and_lead_nowhere(manager: Visitor, practice: Practice) -> None:
    answered(practice, 20)
    page = manager.get(f"/desk/figures/answers?{urlencode({**DAYS, 'by': 'all', 'part': 'all'})}").text
    assert "/desk/bookings/bkg_" not in page and "AX " in page


def test_a_manager_cannot_ask_for_another_provider(manager: Visitor, practice: Practice) -> None:
    answered(practice, 20)
    other = make_practice(quantity=None, phone="13800000078")
    answered(other, 30)
    answered(other, 40)
    page = manager.get(f"/desk/figures?{urlencode({**DAYS, 'provider': other.world.provider.code})}").text
    assert not any("provider=" in url for url, _text in links(page)) and "By provider" not in page
    assert "1 of 1" in page and "2 of 2" not in page


def test_an_operator_chooses_one_of_her_providers(operator: Visitor, practice: Practice) -> None:
    answered(practice, 20)
    other = make_practice(quantity=None, phone="13800000078")
    answered(other, 30)
    code = other.world.provider.code
    every = operator.get(f"/operators/figures?{urlencode(DAYS)}").text
    assert "By provider" in every and f'value="{code}"' in every
    page = operator.get(f"/operators/figures?{urlencode({**DAYS, 'provider': code})}").text
    assert "By provider" not in page and f'value="{code}" selected' in page and "1 of 1" in page
    rows = [url for url, _text in links(page)]
    assert all(parse_qs(urlsplit(url).query)["provider"] == [code] for url in rows)
    assert operator.get("/operators/figures?provider=nowhere").status_code == 404


# --- tables ----------------------------------------------------------------------------------------------------------


def table(visitor: Visitor, url: str) -> list[list[str]]:
    """A CSV file's cells."""
    answer = visitor.get(url)
    assert answer.content_type == "text/csv; charset=utf-8" and "attachment" in answer.headers["Content-Disposition"]
    text = answer.get_data(as_text=True)
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_table_of_figures_has_every_group(door: tuple[str, Visitor], practice: Practice) -> None:
    name, visitor = door
    lived(practice)
    header, *rows = table(visitor, f"/{name}/figures/csv?{urlencode(DAYS)}")
    assert header[:4] == ["Grouped by", "Group", "Asked", "Answered in time"]
    assert rows[0] == ["All", "All", "11", "5", "3", "1", "1", "2", "0.625", "60.0", "not answered", "not answered"]
    assert {row[0] for row in rows} == {"All", "Day", "Hour", "Shift", "Department", "Provider"}
    visitor.language = "zh"
    assert table(visitor, f"/{name}/figures/csv?{urlencode(DAYS)}")[0][:3] == ["分组方式", "组", "提问"]


def test_a_list_is_a_table_with_all_its_rows(door: tuple[str, Visitor], practice: Practice) -> None:
    name, visitor = door
    lived(practice)
    page = visitor.get(f"/{name}/figures?{urlencode(DAYS)}").text
    for of in ("answers", "waiting", "ratings", "handovers"):
        url = next(url for url, text in links(page) if f"/figures/{of}?" in url and number_of(text) not in (None, 0))
        header, *rows = table(visitor, url.replace("?", "/csv?"))
        assert len(rows) == listed(visitor, url)
        assert header[0] == "Booking number" and all(len(row) == len(header) for row in rows)
        assert rows[0][0].startswith("AX") and re.fullmatch(r"2026-03-0\dT\d\d:\d\d:\d\d\+08:00", rows[0][3])


def test_a_name_that_is_a_formula_is_a_text_in_a_table(operator: Visitor, practice: Practice) -> None:
    answered(practice, 20)
    with transaction() as session:
        session.merge(practice.world.provider).name_en = "=HYPERLINK(1)"
        session.scalars(select(Conversation)).one().department = "-2+3"
    asked = urlencode({**DAYS, "by": "all", "part": "all"})
    _header, row = table(operator, f"/operators/figures/answers/csv?{asked}")
    assert row[1:3] == ["'=HYPERLINK(1)", "'-2+3"]
    with reading() as session:
        assert session.scalars(select(Provider.name_en)).first() == "=HYPERLINK(1)"
    cells = [row[1] for row in table(operator, f"/operators/figures/csv?{urlencode(DAYS)}")]
    assert "'=HYPERLINK(1)" in cells and "'-2+3" in cells


def test_the_menu_leads_there(door: tuple[str, Visitor]) -> None:
    name, visitor = door
    assert f'href="/{name}/figures"' in visitor.get(f"/{name}").text
    assert f'href="/{name}/figures" aria-current="page"' in visitor.get(f"/{name}/figures").text


def test_noon_is_in_the_days_that_are_shown() -> None:
    assert DAYS["from"] <= NOON.date().isoformat() <= DAYS["to"]
