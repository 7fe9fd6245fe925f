"""A line of the table, tried by everybody: what is wrong with it, in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from flask import Flask
from werkzeug.test import TestResponse

from tests.access.asking import Answer, ask, named, plain
from tests.access.clinics import REVOKED, WITHOUT
from tests.access.everybody import SHARED, Actor, Everybody
from tests.access.kept import Kept
from tests.access.mirrors import COPIED
from tests.access.row import COLUMNS, Ask, Door, Row
from tests.people import NOON
from vip.principal import Principal
from vip.signin.authentication import authenticate

LOGS = frozenset({"rate_bucket", "audit_line"})
"""Tables in which it is written down that somebody tried, or looked."""
_ID = re.compile(r"_[0-9a-z]{20}")
"""A public id behind its first three letters; two never share a character of it."""
_TITLE = re.compile(r"<title>([^<]*)</title>")

_NOBODYS_DOORS = ("anybody", "proof")
_IN_TEST_MODE = ("test desk", "test api")
_HOUSES = {"customer api": "page", "test desk": "desk", "test api": "partner api"}
"""Doors that the same session or program comes to as to another one."""


@dataclass(frozen=True)
class Trial:
    """The application, the world, and its rows as they were."""

    app: Flask
    world: Everybody
    kept: Kept
    turned_away: dict[tuple[int, Door | None, bool], Answer] = field(default_factory=dict, repr=False)
    """What those of another door were told about what is not there, by the way to ask."""

    def principal_of(self, actor: Actor) -> Principal:
        """Who she is to the application."""
        return authenticate(actor.token, now=NOON)

    def faults(self, row: Row) -> list[str]:
        """What is wrong with the line; nothing if all is as it says."""
        found = []
        self.turned_away.clear()
        for way in row.asks:
            for actor in self.world.actors:
                if not _comes(row, actor) or _is_tried_outside(row, way, actor):
                    continue
                for tests in (False, True) if asks_for_tests(row, way, actor, self.world) else (False,):
                    about = "about test mode, " if tests else ""
                    said = [f"{actor.name}: {about}{fault}" for fault in self._faults(row, way, actor, tests=tests)]
                    found += [f"{row.route} {_shown(way)}{each}" for each in said]
                    self.kept.restore()
        return found

    def _faults(self, row: Row, way: Ask, actor: Actor, *, tests: bool) -> Iterator[str]:
        """`tests`: somebody who is not in test mode names its things."""
        names = named(row, way)
        hidden = names & self.world.tests.keys() if tests else names - SHARED
        if actor.owns and actor.door in _IN_TEST_MODE:
            hidden = hidden - COPIED
        mine = None if tests else expected(row, way, actor)
        tests = tests or row.door in _IN_TEST_MODE
        values: Mapping[str, str] = {**self.world.values, **self.world.tests} if tests else self.world.values
        at_home = is_at_home(row, actor)
        if mine is None and at_home and not hidden:
            mine = elsewhere(row, way, actor)
            if mine is None:
                return  # hers to do, with her own
            values = {**values, **actor.values}
        answer = ask(self.app, row, way, values, actor)
        if row.door != "proof":  # whoever has the link may see what it opens
            yield from self._strangers(answer, actor, plain(answer, values, names))
        if answer.status_code >= 500 and mine != answer.status_code:
            yield f"answered {answer.status_code}"
        if mine is not None:
            yield from self._as_said(row, way, actor, answer, mine)
        else:
            yield from self._as_nothing(row, way, actor, answer, tests=tests)

    def _as_said(self, row: Row, way: Ask, actor: Actor, answer: TestResponse, mine: int) -> Iterator[str]:
        """It is hers, or everybody's: she is answered what the line says."""
        if answer.status_code != mine:
            yield f"answered {answer.status_code} and not {mine}: {_said(answer)}"
        if row.method == "GET":
            return
        changed = self.kept.changed() - LOGS
        if answer.status_code >= 400 and changed and not way.idle:
            yield f"refused, and {', '.join(sorted(changed))} changed"
        if answer.status_code < 400 and not changed and not way.idle:
            yield "a yes that changes nothing: send what would change something, or say that it is idle"

    def _as_nothing(self, row: Row, way: Ask, actor: Actor, answer: TestResponse, *, tests: bool) -> Iterator[str]:
        """It is not hers: she is answered as if it were not there, and nothing is written."""
        at_home = is_at_home(row, actor)
        turned_away = None if at_home else turned_away_by(row, way, actor)
        if turned_away is not None and answer.status_code != turned_away:
            yield f"answered {answer.status_code} and not {turned_away}: {_said(answer)}"
        # a list that is narrowed to what is not there is empty
        if at_home and answer.status_code < 400 and row.method != "GET" and not way.search:
            yield f"answered {answer.status_code}"
        changed = self.kept.changed() - LOGS
        if changed:
            yield f"refused, and {', '.join(sorted(changed))} changed"
        names = named(row, way)
        named_so = {**self.world.values, **self.world.tests} if tests else self.world.values
        told, nothings = plain(answer, named_so, names), self.world.nothings(tests=tests)
        at_door = (id(way), actor.door, tests)
        if turned_away is not None and self.turned_away.get(at_door) == told:
            return  # what was said about nothing to somebody whom the door knows as little
        absent = plain(ask(self.app, row, way, nothings, actor), nothings, names)
        if turned_away is not None:
            self.turned_away[at_door] = absent
        if told != absent:
            yield f"answered otherwise than about what is not there: {_difference(told, absent)}"

    def _strangers(self, answer: TestResponse, actor: Actor, told: Answer) -> Iterator[str]:
        """Words and ids of those whose things she may not see, besides what she sent herself."""
        text = told.text + repr(told.headers)
        ids = {text[found.start() - 3 : found.end()] for found in _ID.finditer(text)}
        for word, marks in self.world.marks.items():
            if word not in actor.knows:
                named, others = _by_form(marks)
                shown = [*(named & ids), *(mark for mark in others if mark in text)]
                seen = sorted(mark for mark in shown if not (actor.reads and actor.reads in mark))
                if seen:
                    yield f"answered {answer.status_code} and shows {', '.join(seen[:3])} of {word}"


@cache
def _by_form(marks: frozenset[str]) -> tuple[frozenset[str], tuple[str, ...]]:
    """The ids among them, of which a page's text is asked once for all, and the others."""
    ids = frozenset(mark for mark in marks if _ID.fullmatch(mark, 3))
    return ids, tuple(marks - ids)


def _is_tried_outside(row: Row, way: Ask, actor: Actor) -> bool:
    """Whether it is about the live provider although she is in test mode, and hers."""
    return way.live_too and actor.door in _IN_TEST_MODE and (actor.owns or not named(row, way))


def expected(row: Row, way: Ask, actor: Actor) -> int | None:
    """The status that the line says for her; None if what it names is nothing of hers."""
    if row.door in _NOBODYS_DOORS:
        return way.answers[0]
    if not is_at_home(row, actor) or not actor.owns:
        return None
    if actor.column == f"{WITHOUT}{row.scope}":
        return 403
    if actor.column == REVOKED:
        return 401
    if (row.door in _IN_TEST_MODE) != (actor.door in _IN_TEST_MODE):
        return None
    column = "program" if actor.column.startswith(WITHOUT) else actor.column
    return way.answers[COLUMNS[row.door].index(column)]


def elsewhere(row: Row, way: Ask, actor: Actor) -> int | None:
    """The status for somebody who has come to her own door, where nothing of anybody's is named; None if the answer is
    about her own things, and would change them."""
    if way.across is not None and (row.door in _IN_TEST_MODE) != (actor.door in _IN_TEST_MODE):
        return way.across
    if row.method != "GET":
        return None
    return way.answers[COLUMNS[row.door].index(actor.column)]


def asks_for_tests(row: Row, way: Ask, actor: Actor, world: Everybody) -> bool:
    """Whether she names things of test mode as well, besides her own: those of the live provider, and its customers and
    operators, at their own doors, where the line is about things that there are in test mode."""
    if not actor.owns or not is_at_home(row, actor) or row.door in _IN_TEST_MODE or actor.door in _IN_TEST_MODE:
        return False
    return actor.column in COLUMNS[row.door] and bool(named(row, way) & world.tests.keys())


def turned_away_by(row: Row, way: Ask, actor: Actor) -> int:
    """What somebody is answered who has come to a door that is not hers."""
    if way.others is not None:
        return way.others
    if row.door == "page":
        return 303
    if row.door in ("desk", "test desk", "console"):
        return 303 if row.method == "GET" else 401
    return 403 if row.door == "customer api" and actor.door == "console" else 401


def is_at_home(row: Row, actor: Actor) -> bool:
    """Whether she has come to her own door."""
    return _house(actor.door) == _house(row.door)


def _house(door: Door | None) -> str | None:
    return None if door is None else _HOUSES.get(door, door)


def _comes(row: Row, actor: Actor) -> bool:
    """Whether she asks at all: programs that lack something come to their own door alone, and where they lack it."""
    if actor.column == REVOKED:
        return is_at_home(row, actor)
    return not actor.column.startswith(WITHOUT) or actor.column == f"{WITHOUT}{row.scope}"


def _said(answer: TestResponse) -> str:
    """What a person or a program was told, in short."""
    title = _TITLE.search(answer.text)
    return repr(title[1] if title else answer.text[:200])


def _shown(way: Ask) -> str:
    said = [f"{name}={text}" for name, text in way.names.items()]
    if way.form is not None and "act" in way.form:
        said.append(f"act={way.form['act']}")
    return f"({', '.join(said)}) " if said else ""


def _difference(told: Answer, absent: Answer) -> str:
    if told.status != absent.status:
        return f"{told.status} and {absent.status}"
    if told.headers != absent.headers:
        return f"{set(told.headers) ^ set(absent.headers)}"
    at = next(
        (at for at, pair in enumerate(zip(told.text, absent.text, strict=False)) if pair[0] != pair[1]),
        min(len(told.text), len(absent.text)),
    )
    return f"{told.text[max(0, at - 60) : at + 60]!r} and {absent.text[max(0, at - 60) : at + 60]!r}"
