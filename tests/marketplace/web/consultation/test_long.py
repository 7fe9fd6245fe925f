"""A long conversation: a part at a time, all of it within reach; nothing counts as read that was not shown."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import Engine

from booking.consultation.read import MOST_MESSAGES, PAGE_MESSAGES, conversation_of, mark_read
from marketplace.app import create_app
from marketplace.core import clock
from tests.booking.consultation.long import make_long
from tests.booking.consultation.rooms import Practice, make_practice
from tests.marketplace.web.visitors import Visitor
from tests.people import NOON

PHONE = "13800000021"


@pytest.fixture(scope="module")
def app(worker_database: object) -> Flask:
    return create_app()


@pytest.fixture
def practice(db: Engine) -> Iterator[Practice]:
    with clock.frozen(NOON):
        yield make_practice(phone=PHONE)


@pytest.fixture
def visitor(app: Flask, practice: Practice) -> Visitor:
    return Visitor.signed_in(app, PHONE)


def shown(page: str) -> list[int]:
    """The numbers of the messages on a page, in their order there."""
    return [int(seq) for seq in re.findall(r'data-line data-seq="(\d+)"', page)]


def link(page: str, name: str) -> str:
    """Where the page leads to for earlier or later messages; blank for nowhere."""
    found = re.search(rf'id="{name}" href="([^"]+)"', page)
    return found.group(1) if found else ""


def test_the_newest_are_shown_and_all_others_are_one_step_after_another_away(
    visitor: Visitor, practice: Practice
) -> None:
    talk = make_long(practice, 130)
    mark_read(practice.world.principal, talk, 130, NOON)
    page = visitor.get(f"/consultation/{talk}").text
    assert shown(page) == list(range(130 - PAGE_MESSAGES + 1, 131)) and not link(page, "later")
    back = visitor.get(link(page, "earlier")).text
    assert shown(back) == list(range(31, 81))
    first = visitor.get(link(back, "earlier")).text
    assert shown(first) == list(range(1, 31)) and not link(first, "earlier")
    again = visitor.get(link(first, "later")).text
    assert shown(again) == list(range(31, 81)), "and the way back, without scripts"
    assert shown(visitor.get(link(again, "later")).text) == list(range(81, 131))


def test_a_short_one_leads_nowhere_else(visitor: Visitor, practice: Practice) -> None:
    page = visitor.get(f"/consultation/{make_long(practice, PAGE_MESSAGES)}").text
    assert len(shown(page)) == PAGE_MESSAGES
    assert (link(page, "earlier"), link(page, "later")) == ("", "")


def test_it_begins_where_she_stopped_reading_and_says_so(visitor: Visitor, practice: Practice) -> None:
    talk = make_long(practice, 130)
    mark_read(practice.world.principal, talk, 41, NOON)
    page = visitor.get(f"/consultation/{talk}").text
    assert shown(page) == list(range(42, 131)), "all that is new, not the newest fifty alone"
    assert "New since you were here" in page.split('data-seq="42"')[0]
    assert page.count("data-first-new") == 1
    mark_read(practice.world.principal, talk, 130, NOON)
    assert "data-first-new" not in visitor.get(f"/consultation/{talk}").text


def test_what_was_not_shown_does_not_count_as_read(visitor: Visitor, practice: Practice) -> None:
    talk = make_long(practice, MOST_MESSAGES + 30)
    page = visitor.get(f"/consultation/{talk}")
    assert shown(page.text)[-1] == MOST_MESSAGES
    seen = re.search(r'name="seen" value="(\d+)"', page.text)
    assert seen is not None
    visitor.post(f"/consultation/{talk}/read", page=f"/consultation/{talk}", seen=seen.group(1))
    view = conversation_of(practice.world.principal, talk, NOON)
    assert (view.read_seq, view.unread) == (MOST_MESSAGES, 15)
    assert shown(visitor.get(link(page.text, "later")).text) == list(range(MOST_MESSAGES + 1, MOST_MESSAGES + 31))


def test_a_long_absence_is_made_up_for_part_by_part_without_a_gap(visitor: Visitor, practice: Practice) -> None:
    number = MOST_MESSAGES + 30
    talk = make_long(practice, number)
    part = visitor.get(f"/consultation/{talk}/live?after=0")
    assert shown(part.text) == list(range(1, MOST_MESSAGES + 1))
    assert f'data-last="{MOST_MESSAGES}" data-newest="{number}"' in part.text
    same = {"If-None-Match": part.headers["ETag"]}
    rest = visitor.get(f"/consultation/{talk}/live?after={MOST_MESSAGES}", headers=same)
    assert (rest.status_code, shown(rest.text)) == (200, list(range(MOST_MESSAGES + 1, number + 1)))
    same = {"If-None-Match": rest.headers["ETag"]}
    assert visitor.get(f"/consultation/{talk}/live?after={number}", headers=same).status_code == 304


@pytest.mark.parametrize("where", ["before=1", "before=0", "before=x", "after=999999999999999", "after=-3", "before=²"])
def test_a_part_that_there_is_not_is_the_newest(visitor: Visitor, practice: Practice, where: str) -> None:
    talk = make_long(practice, 60)
    mark_read(practice.world.principal, talk, 60, NOON)
    assert shown(visitor.get(f"/consultation/{talk}?{where}").text) == list(range(11, 61))
