"""Sites merged into one place and parted again: nothing moves, so that undoing is exact whatever came in between."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.exc import IntegrityError

from marketplace.catalog.importer import import_sites
from marketplace.catalog.models import Site
from marketplace.catalog.one_place.find import look_for_doubles
from marketplace.catalog.one_place.merge import NotOnePlace, keep_apart, merge, propose_again, undo
from marketplace.catalog.one_place.models import SiteDouble
from marketplace.catalog.search import SiteQuery, cities, search_sites, site
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from tests.concurrency.controls import all_at_once
from tests.people import NOON
from tests.sites import load_sites, row, write_sites

pytestmark = pytest.mark.every_postgres

ROWS = [
    row("安康医院", district="朝阳区", address="文溪路8号"),
    row("北京安康医院", alias="安康总院"),
    row("北京市安康医院"),
    row("安康医院", province="天津市", city="天津市"),
]


@pytest.fixture(autouse=True)
def listed(db: Engine, tmp_path: Path) -> None:
    load_sites(tmp_path, ROWS)


def id_of(name: str, city: str = "北京市") -> str:
    with reading() as session:
        return session.scalars(select(Site.public_id).where(Site.name == name, Site.city == city)).one()


def put(name: str, into: str, city: str = "北京市") -> str:
    with transaction() as session:
        return merge(session, id_of(name, city), id_of(into), by="opr_1", now=NOON)


def part(merge_id: str) -> bool:
    with transaction() as session:
        return undo(session, merge_id, by="opr_1", now=NOON)


def found(q: str) -> list[str]:
    return [each.name for each in search_sites(SiteQuery(q=q, city="北京市")).items]


def places() -> dict[str, str | None]:
    """Where each site of Beijing leads."""
    with reading() as session:
        sites = session.scalars(select(Site).where(Site.city == "北京市")).all()
        names = {each.id: each.name for each in sites}
        return {each.name: names.get(each.merged_into or 0) for each in sites}


def refused(step: Callable[[], object]) -> str:
    with pytest.raises(NotOnePlace) as refusal:
        step()
    return str(refusal.value.facts["reason"])


def rows_of_sites() -> list[tuple[object, ...]]:
    with reading() as session:
        return [tuple(each) for each in session.execute(text("SELECT * FROM site ORDER BY id"))]


def test_a_merged_site_is_found_by_its_names_as_the_place_it_is_part_of() -> None:
    before = rows_of_sites()
    made = put("北京安康医院", "安康医院")
    assert found("安康总院") == ["安康医院"]
    assert found("北京安康") == ["安康医院", "北京市安康医院"], "by the name of what is part of it before a likeness"
    assert sorted(found("安康")) == ["北京市安康医院", "安康医院"]
    assert {each.name: each.sites for each in cities()} == {"北京市": 2, "天津市": 1}
    assert site(id_of("北京安康医院")).name == "安康医院", "its old address leads to the place"
    assert site(id_of("安康医院")).aliases == ["北京安康医院"]
    assert part(made) and not part(made), "twice changes nothing"
    assert rows_of_sites() == before, "as if it had never been"


def test_what_is_merged_into_a_merged_site_follows_it_and_is_its_own_again() -> None:
    put("北京安康医院", "北京市安康医院")
    second = put("北京市安康医院", "安康医院")
    assert places() == {"安康医院": None, "北京安康医院": "安康医院", "北京市安康医院": "安康医院"}
    assert found("安康总院") == ["安康医院"]
    part(second)
    assert places() == {"安康医院": None, "北京安康医院": "北京市安康医院", "北京市安康医院": None}
    assert found("安康总院") == ["北京市安康医院"]


def test_a_merge_in_the_middle_is_undone_alone() -> None:
    first = put("北京安康医院", "北京市安康医院")
    put("北京市安康医院", "安康医院")
    part(first)
    assert places() == {"安康医院": None, "北京安康医院": None, "北京市安康医院": "安康医院"}


def test_into_a_part_means_into_its_place_and_round_in_a_circle_is_refused() -> None:
    first = put("北京安康医院", "安康医院")
    put("北京市安康医院", "北京安康医院")
    assert places()["北京市安康医院"] == "安康医院"
    assert refused(lambda: put("安康医院", "北京安康医院")) == "same_place"
    assert refused(lambda: put("安康医院", "安康医院")) == "same_place"
    part(first)
    assert places()["北京市安康医院"] == "安康医院", "it was put there itself"


def test_what_can_be_no_one_place_is_refused(owner_connection: Connection) -> None:
    put("北京安康医院", "安康医院")
    assert refused(lambda: put("北京安康医院", "北京市安康医院")) == "merged_already"
    assert refused(lambda: put("安康医院", "安康医院", "天津市")) == "other_city"
    owner_connection.execute(text("UPDATE site SET time_zone = 'Asia/Urumqi' WHERE name = '北京市安康医院'"))
    assert refused(lambda: put("北京市安康医院", "安康医院")) == "other_time_zone"
    owner_connection.execute(text("UPDATE site SET closed_at = now() WHERE name = '北京市安康医院'"))
    assert refused(lambda: put("北京市安康医院", "安康医院")) == "closed"
    with pytest.raises(NotFound), transaction() as session:
        merge(session, "sit_0", id_of("安康医院"), by="opr_1", now=NOON)
    with pytest.raises(NotFound):
        part("mrg_0")


def test_the_database_lets_no_place_lead_on_and_no_site_be_merged_twice(owner_connection: Connection) -> None:
    """The control: what merge() looks at is refused by the schema too."""
    put("北京安康医院", "安康医院")
    ids = {
        row.name: row.id for row in owner_connection.execute(text("SELECT name, id FROM site WHERE city = '北京市'"))
    }
    into = "UPDATE site SET merged_into = :into WHERE id = :site"
    for name, target in (
        ("北京市安康医院", "北京安康医院"),
        ("安康医院", "北京市安康医院"),
        ("安康医院", "安康医院"),
    ):
        with pytest.raises(IntegrityError):
            owner_connection.execute(text(into), {"into": ids[target], "site": ids[name]})
    with pytest.raises(IntegrityError, match="uq_site_merge_standing"):
        owner_connection.execute(
            text(
                "INSERT INTO site_merge (public_id, site_id, into_id, merged_at, merged_by) "
                "SELECT 'mrg_x', site_id, into_id, now(), 'x' FROM site_merge"
            )
        )


def test_of_two_who_merge_each_into_the_other_at_once_one_is_told_that_it_is_done() -> None:
    found = all_at_once([lambda: put("北京安康医院", "安康医院"), lambda: put("安康医院", "北京安康医院")])
    (late,) = [each for each in found if isinstance(each, Exception)]
    assert isinstance(late, NotOnePlace) and late.facts == {"reason": "same_place"}


def test_a_merge_is_never_rewritten() -> None:
    put("北京安康医院", "安康医院")
    with pytest.raises(Exception, match="permission denied"), transaction() as session:
        session.execute(text("UPDATE site_merge SET merged_by = 'somebody'"))


def test_the_list_read_again_neither_parts_nor_doubles_what_was_merged(tmp_path: Path) -> None:
    put("北京安康医院", "安康医院")
    again = import_sites(write_sites(tmp_path / "again.csv", ROWS))
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, 4)
    changed = [row("北京安康医院", alias="安康总院|安康本院"), row("安康医院", address="上塘路8号")]
    assert import_sites(write_sites(tmp_path / "changed.csv", changed)).updated == 2
    assert places()["北京安康医院"] == "安康医院"
    assert found("安康本院") == ["安康医院"], "a new name of a part is a name of the place"
    assert found("安康总院") == ["安康医院"], "a change of the place's own row keeps its parts' names"
    assert found("上塘路") == ["安康医院"]


def test_pairs_are_found_at_import_remembered_as_not_the_same_and_come_back_when_parted(tmp_path: Path) -> None:
    def pairs() -> set[frozenset[str]]:
        with reading() as session:
            names = {site.id: site.name for site in session.scalars(select(Site))}
            rows = session.scalars(select(SiteDouble).where(SiteDouble.lost_at.is_(None)))
            return {frozenset((names[each.first_id], names[each.second_id])) for each in rows}

    assert len(pairs()) == 3 and {"安康医院", "北京安康医院"} in pairs()
    assert look_for_doubles(now=NOON).new == 0
    with reading() as session:
        public_id = session.scalars(select(SiteDouble.public_id).order_by(SiteDouble.id)).first() or ""
    for said, step in ((True, keep_apart), (False, keep_apart)):
        with transaction() as session:
            assert step(session, public_id, by="opr_1", now=NOON) is said
    look_for_doubles(now=NOON)
    with transaction() as session:
        kept = session.scalars(select(SiteDouble).where(SiteDouble.public_id == public_id)).one()
        assert kept.apart_by == "opr_1", "a search forgets no decision"
        assert propose_again(session, public_id) and not propose_again(session, public_id)
    made = put("北京安康医院", "安康医院")
    look_for_doubles(now=NOON)
    part(made)
    assert len(pairs()) == 3, "a pair that was one place for a while is a pair again at once"
    renamed = import_sites(write_sites(tmp_path / "more.csv", [row("北京安康医院西院")]))
    assert renamed.doubles == 0
