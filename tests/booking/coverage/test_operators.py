"""Coverage as operators see and change it: their own insurer's and what is said for all, and nothing of another's."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from booking.coverage import operators
from marketplace.catalog.coverage.importing import COVERAGE
from marketplace.catalog.coverage.models import CoverageLine
from marketplace.catalog.coverage.write import Statement
from marketplace.catalog.models import Site
from marketplace.catalog.one_place.merge import merge
from marketplace.core.audit import AuditLine
from marketplace.core.bulk.cells import Cells
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from tests.booking.coverage.stage import BEIJING, make_places, say
from tests.marketplace.catalog.coverage.stage import DAY, KIND, other_insurer
from tests.people import NOON
from vip.principal import Principal, Role

pytestmark = pytest.mark.usefixtures("db")


def at_work(insurer: int, role: Role = "admin") -> Principal:
    """An operator of that insurer."""
    return Principal("operator", 1, f"opr_{insurer}", insurer, 1, "Asia/Shanghai", role)


def test_an_operator_sees_her_insurers_lines_and_those_for_all(tmp_path: Path) -> None:
    make_places(tmp_path)
    insurer, foreign = other_insurer("one"), other_insurer("two")
    me = at_work(insurer)
    say("on_request")
    say("not_covered", insurer=foreign)
    say("covered", city=("天津市", "天津市"), insurer=foreign)
    say("covered", district="海淀区", insurer=insurer)
    say("not_covered", district="海淀区", day=DAY + timedelta(9), insurer=insurer)
    say("not_covered", tier="unknown", day=DAY - timedelta(9), insurer=insurer)
    say(None, tier="unknown", insurer=insurer)

    [beijing] = [row for row in operators.cities(me, KIND, DAY) if row.counts.city == "北京市"]
    counts = beijing.counts
    assert (counts.covered, counts.on_request, counts.not_covered) == (2, 1, 0)
    assert beijing.next_day == DAY + timedelta(9)
    assert len(operators.cities(me, KIND, DAY)) == 5
    for only, expected in (("some", ["北京市"]), ("changes", ["北京市"]), ("none", 4)):
        found = [row.counts.city for row in operators.cities(me, KIND, DAY, only=only)]  # type: ignore[arg-type]
        assert found == expected or len(found) == expected
    assert [row.counts.city for row in operators.cities(me, KIND, DAY, wanted="河北")] == ["廊坊市", "石家庄市"]

    view = operators.city(me, KIND, *BEIJING, DAY)
    assert [(it.district, it.tier, it.level, it.state, it.own) for it in view.lines] == [
        ("海淀区", None, "not_covered", "later", True),
        ("海淀区", None, "covered", "counts", True),
        (None, "unknown", None, "counts", True),
        (None, None, "on_request", "counts", False),
        (None, "unknown", "not_covered", "over", True),
    ]
    assert [(it.name, it.level) for it in view.sites][-1] == ("甲医院", "on_request")
    assert (view.districts, view.tiers) == (["东城区", "海淀区"], ["三级甲等", "二级甲等", "unknown"])
    for province, name in (("上海市", "上海市"), ("河北省", "北京市"), ("\x00", "x")):
        with pytest.raises(NotFound):
            operators.city(me, KIND, province, name, DAY)

    file, content = operators.lines_csv(me, KIND, DAY)
    assert file == f"coverage-{KIND}-2026-03-10.csv"
    lines = list(csv.DictReader(io.StringIO(content.removeprefix("\ufeff"))))
    assert [(it["district"], it["tier"], it["level"], it["counts_from"]) for it in lines] == [
        ("", "unknown", "taken_back", "2026-03-10"),
        ("海淀区", "", "covered", "2026-03-10"),
        ("海淀区", "", "not_covered", "2026-03-19"),
    ]
    kind = COVERAGE
    for line in lines:
        cells = Cells(kind.columns, line)
        kind.read(cells)
        assert cells.errors == [], "what is given out can be taken in again"


def test_what_she_writes_is_of_her_insurer_and_audited(tmp_path: Path) -> None:
    make_places(tmp_path)
    me = at_work(other_insurer("one"))
    statement = Statement(KIND, *BEIJING, "covered", DAY, site="甲医院")
    written = operators.write(me, statement, now=NOON)
    assert written.outcome == "added"
    assert operators.write(me, statement, now=NOON) == type(written)("unchanged", written.public_id)
    with reading() as session:
        [line] = session.scalars(select(CoverageLine)).all()
        [audited] = session.scalars(select(AuditLine).where(AuditLine.action == "coverage.written")).all()
    assert (line.insurer_id, line.actor, line.source) == (me.insurer_id, me.public_id, "console")
    assert (audited.actor, audited.subject, audited.insurer_id) == (me.public_id, line.public_id, me.insurer_id)
    assert audited.facts["level"] == "covered"
    with pytest.raises(Invalid):
        operators.write(me, Statement(KIND, *BEIJING, "covered", DAY, district="西湖区"), now=NOON)
    for kind in ("health_check", "nothing"):
        with pytest.raises(NotFound):
            operators.write(me, Statement(kind, *BEIJING, "covered", DAY), now=NOON)


def test_an_agent_has_nothing_to_do_with_it(tmp_path: Path) -> None:
    make_places(tmp_path)
    insurer = other_insurer("one")
    acts: list[Callable[[Principal], object]] = [
        operators.kinds_covered,
        lambda who: operators.cities(who, KIND, DAY),
        lambda who: operators.city(who, KIND, *BEIJING, DAY),
        lambda who: operators.lines_csv(who, KIND, DAY),
        lambda who: operators.write(who, Statement(KIND, *BEIJING, "covered", DAY), now=NOON),
    ]
    for act in acts:
        with pytest.raises(NotFound):
            act(at_work(insurer, "agent"))
        act(at_work(insurer))


def test_lines_about_two_entries_of_a_place_are_about_one_part(tmp_path: Path) -> None:
    ids = make_places(tmp_path)
    me = at_work(other_insurer("one"))
    with transaction() as session:
        sites = {site.name: site.id for site in session.scalars(select(Site))}
        merge(session, ids["丙医院"], ids["甲医院"], by="opr_1", now=NOON)
    for level, name, day in (("covered", "丙医院", DAY - timedelta(9)), ("not_covered", "甲医院", DAY)):
        say(level, site=sites[name], day=day, insurer=me.insurer_id)
    view = operators.city(me, KIND, *BEIJING, DAY)
    assert [(it.site, it.level, it.state) for it in view.lines] == [
        ("甲医院", "not_covered", "counts"),
        ("甲医院", "covered", "over"),
    ]
    assert next(it.level for it in view.sites if it.name == "甲医院") == "not_covered"
    lines = csv.DictReader(io.StringIO(operators.lines_csv(me, KIND, DAY)[1].removeprefix("\ufeff")))
    assert [(it["site"], it["level"]) for it in lines] == [("甲医院", "not_covered")]
