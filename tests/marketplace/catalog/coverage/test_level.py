"""Which line counts for a site on a day: each rule by itself, and all of them against another way of counting."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from marketplace.catalog.coverage.level import level_at
from marketplace.core.database.db import reading, transaction
from tests.marketplace.catalog.coverage import recount
from tests.marketplace.catalog.coverage.recount import Line, Place
from tests.marketplace.catalog.coverage.stage import DAY, KIND, any_lines, load_places, other_insurer, store
from tests.sites import row
from tests.world import NOON

pytestmark = pytest.mark.every_postgres

BEIJING = ("北京市", "北京市")
SHANGHAI = {"province": "上海市", "city": "上海市"}
SITES = [
    row("甲医院", district="东城区"),
    row("乙医院", district="海淀区"),
    row("丙医院", district="海淀区", tier=""),
    row("丁医院", district="", tier="二级甲等"),
    row("甲医院", district="徐汇区", **SHANGHAI),
]


@pytest.fixture
def places(db: Engine, tmp_path: Path) -> list[Place]:
    """The sites above, in their order."""
    return load_places(tmp_path, SITES)


def levels(places: list[Place], *, day: date = DAY, kind: str = KIND, insurer: int | None = None) -> str:
    """The levels of the places in their order, by their first letters; `.` for not covered."""
    with reading() as session:
        found = [level_at(session, kind, place.id, day, insurer_id=insurer) for place in places]
    return "".join({"covered": "c", "on_request": "r", "not_covered": "."}[each] for each in found)


def _line(level: str | None, day: date = DAY, **part: object) -> Line:
    return Line(KIND, *BEIJING, day, level, **part)  # type: ignore[arg-type]


def test_the_narrowest_line_counts_and_among_equals_the_newest(places: list[Place]) -> None:
    other = other_insurer("other")
    own = other_insurer("own")
    third = places[2]
    later = DAY + timedelta(1)
    for added, expected in (
        ([], "....."),
        ([_line("covered")], "cccc."),
        ([_line("on_request", tier="二级甲等")], "cccr."),
        ([_line("not_covered", district="海淀区")], "c..r."),
        ([_line("on_request", district="海淀区", tier="unknown")], "c.rr."),
        ([_line("covered", site=third.id)], "c.cr."),
        # of one part, the later day; of one day, what was written last; a day that is still to come does not count
        ([_line("on_request", DAY - timedelta(30))], "c.cr."),
        ([_line("on_request")], "r.cr."),
        ([_line("covered", later)], "r.cr."),
        # taken back: the next wider line
        ([_line(None, district="海淀区")], "rrcr."),
        ([_line(None, site=third.id)], "rrrr."),
        ([_line(None)], "..rr."),
        # another insurer's word and another kind's say nothing here; the own one stands before what is said for all
        ([_line("covered", insurer=other)], "..rr."),
        ([Line("health_check", *BEIJING, DAY, "covered")], "..rr."),
    ):
        store(added)
        assert levels(places, insurer=own) == expected, added
    store([_line("covered", insurer=own)])
    assert levels(places, insurer=own) == "ccrr."
    assert levels(places) == "..rr."
    store([_line("not_covered", later, insurer=own, tier="二级甲等")])
    assert levels(places, insurer=own, day=later) == "ccr.."
    store([_line(None, later, insurer=own, tier="二级甲等")])
    assert levels(places, insurer=own, day=later) == "ccrr."
    assert levels(places, day=later) == "ccrr."


def test_a_site_that_is_not_there_is_not_covered(db: Engine) -> None:
    with reading() as session:
        assert level_at(session, KIND, 2**40, DAY, insurer_id=None) == "not_covered"


def test_it_is_what_another_way_of_counting_finds(places: list[Place]) -> None:
    insurers = [other_insurer(code) for code in ("one", "two")]
    lines = any_lines(Random(20), places, 150, insurers)
    store(lines)
    with reading() as session:
        for place in places:
            for day in (DAY - timedelta(6), DAY, DAY + timedelta(5)):
                for insurer in (None, *insurers):
                    found = level_at(session, KIND, place.id, day, insurer_id=insurer)
                    assert found == recount.level(lines, place, KIND, day, insurer), (place, day, insurer)


def test_the_database_refuses_what_says_nothing(places: list[Place], owner_connection: Connection) -> None:
    known = {"public_id": "cov_x", "kind": KIND, "province": "北京市", "city": "北京市", "level": "covered"}
    known |= {"counts_from": DAY, "actor": "x", "source": "x", "written_at": NOON}
    for columns, constraint in (
        ({"level": "perhaps"}, "ck_coverage_line_level"),
        ({"site_id": places[0].id, "district": "东城区"}, "ck_coverage_line_one_part"),
        ({"tier": ""}, "ck_coverage_line_no_blanks"),
    ):
        values = known | columns
        names = ", ".join(values)
        with pytest.raises(IntegrityError, match=constraint):
            owner_connection.execute(
                text(f"INSERT INTO coverage_line ({names}) VALUES ({', '.join(f':{name}' for name in values)})"), values
            )


def test_what_was_said_cannot_be_rewritten(places: list[Place]) -> None:
    store([_line("covered")])
    for rewriting in ("UPDATE coverage_line SET level = 'not_covered'", "DELETE FROM coverage_line"):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction() as session:
            session.execute(text(rewriting))


def test_a_kind_of_place_that_cannot_do_it_is_covered_by_no_line(db: Engine, tmp_path: Path) -> None:
    found = load_places(tmp_path, [row("北京急救中心"), row("北京医院")])
    store([_line("covered"), _line("covered", site=found[0].id)])
    assert levels(found) == ".c"
    assert levels(found, kind="appointment_help") == ".."


def test_what_was_said_of_an_entry_holds_for_the_place_that_it_was_made_part_of(places: list[Place]) -> None:
    store([_line("covered", site=places[1].id)])
    with transaction() as session:
        session.execute(
            text("UPDATE site SET merged_into = :into WHERE id = :part"), {"into": places[2].id, "part": places[1].id}
        )
    assert levels(places) == ".cc.."
    store([_line("on_request", tier="unknown", district="海淀区")])
    assert levels(places) == ".cc..", "the narrower one counts"
    store([_line(None, site=places[2].id)])
    assert levels(places) == ".rr..", "an entry is judged by its place: by the place's tier and district"
