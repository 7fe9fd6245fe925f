"""Own figures and closing statements at the desk."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from flask import Flask

from booking.settlement.figures import Figures
from booking.settlement.statements import own_statement, own_statement_csv, own_statements
from marketplace.core.errors import NotFound
from marketplace.web.desk.figures.statements_page import tiles
from tests.booking.settlement.closed import stated
from tests.desk import at_desk, make_member
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON, make_insurer
from tests.world import DAY, World, booking_row

PAGE = "/desk/statements"


@pytest.fixture
def fang(app: Flask, world: World) -> Visitor:
    """A manager of the world's provider, at the desk."""
    return at_desk(app, make_member(world.provider.code, login="fang"))


def test_before_anything_happened_there_are_dashes_and_no_day(fang: Visitor) -> None:
    page = main(fang.get(PAGE))
    assert "No day has been closed yet" in page and "Requests answered –" in page and "0 of 0" in page
    assert "The last 7 days" in page


@pytest.mark.parametrize(("asked", "days"), [("30", 30), ("90", 90), ("8", 7), ("x", 7), ("99999999999", 7)])
def test_the_figures_are_of_the_days_that_were_asked_for(fang: Visitor, world: World, asked: str, days: int) -> None:
    world.submit(0, now=NOON - timedelta(days=8))
    page = main(fang.get(f"{PAGE}?days={asked}"))
    assert f"The last {days} days" in page and ("0 of 1" in page) == (days > 7)


def test_a_day_is_listed_with_its_insurer_and_opens_with_its_lines(fang: Visitor, world: World) -> None:
    booking = world.submit(0)
    statement = stated(world, booking)
    earlier = stated(world, day=DAY - timedelta(days=1))
    rows = main(fang.get(PAGE))
    assert make_insurer().name_en in rows and "¥1,280" in rows and "10 March 2026" in rows
    page = main(fang.get(f"{PAGE}/{statement}"))
    reference = booking_row(booking).reference
    assert reference in page.replace(" ", "") and "Delivered" in page and "CN¥1,280" in page
    assert "Nothing was delivered, and nothing corrected." in main(fang.get(f"{PAGE}/{earlier}"))


def test_a_correction_is_one_in_the_sums_and_in_the_lines(fang: Visitor, world: World) -> None:
    statement = stated(world, world.submit(0), correction=True, minor=-64_000)
    page = main(fang.get(f"{PAGE}/{statement}"))
    assert "Corrections of earlier days −CN¥640" in page and "Correction" in page


def test_the_table_has_all_lines_and_a_name_with_the_insurer(fang: Visitor, world: World) -> None:
    booking = world.submit(0)
    answer = fang.get(f"{PAGE}/{stated(world, booking)}/csv")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert f"statement-{make_insurer().code}-{DAY}.csv" in answer.headers["Content-Disposition"]
    [row] = csv.DictReader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff")))
    assert (row["booking"], row["amount_minor"], row["kind"]) == (booking_row(booking).reference, "128000", "delivered")


def test_the_list_goes_on_where_it_ended(world: World) -> None:
    for back in range(3):
        stated(world, day=DAY - timedelta(days=3 - back))
    first = own_statements(world.provider.id, cursor=None, limit=2)
    rest = own_statements(world.provider.id, cursor=first.next, limit=2)
    assert [it.day for it in (*first.items, *rest.items)] == [DAY - timedelta(days=back) for back in (1, 2, 3)]
    assert rest.next is None


def test_another_providers_statement_is_not_there(world: World) -> None:
    statement, other = stated(world), world.provider.id + 1
    assert own_statements(other, cursor=None, limit=5).items == []
    with pytest.raises(NotFound):
        own_statement(other, statement, most=1)
    with pytest.raises(NotFound):
        own_statement_csv(other, statement)


def test_a_share_is_a_hundred_only_when_it_is_all_of_them() -> None:
    found = tiles(Figures(200, 199, 0, timedelta(minutes=5), timedelta(hours=3), 2, 2, 0, 0, 3, 1, 1))
    assert [found[at].figure for at in (0, 2, 3)] == ["99%", "100%", "33%"]
