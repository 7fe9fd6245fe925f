"""Operators merge, part, keep apart and allow: with the duty, audited, and seen in what they are shown."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from booking.closures.close import close_site, reopen_site
from booking.closures.closed_by_others import closed_by_others
from booking.closures.view import find_sites, preview
from booking.models import Slot
from booking.places import decide, view
from marketplace.catalog.models import Insurer, Offer, Site
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from tests.people import NOON, make_insurer
from tests.sites import load_sites, make_offer, row
from tests.world import DAY, World, make_world
from tests.world import make_offer as offer_elsewhere
from vip.principal import Principal, Role

ROWS = [
    row("安康医院", address="文溪路8号", longitude="116.4", latitude="39.9"),
    row("北京安康医院"),
    row("甲口腔医院"),
]


def somebody(role: Role = "admin") -> Principal:
    return Principal("operator", 1, "opr_1", make_insurer().id, 1, "Asia/Shanghai", role)


@pytest.fixture
def admin(db: Engine, tmp_path: Path) -> Principal:
    load_sites(tmp_path, [*ROWS, row("甲口腔医院", province="天津市", city="天津市", kind="口腔医院")])
    return somebody()


def id_of(name: str) -> str:
    with reading() as session:
        return session.scalars(select(Site.public_id).where(Site.name == name).order_by(Site.id)).first() or ""


def audited() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(AuditLine.action).order_by(AuditLine.id)))


def test_only_who_keeps_the_books_decides_or_looks(admin: Principal) -> None:
    agent, site = somebody("agent"), id_of("安康医院")
    pair = view.pairs(admin, "open").items[0].id
    for step in (
        lambda who: view.pairs(who, "open"),
        lambda who: view.merges(who),
        lambda who: view.to_decide(who),
        lambda who: view.place(who, site),
        lambda who: decide.keep_apart(who, pair, now=NOON),
        lambda who: decide.propose_again(who, pair, now=NOON),
        lambda who: decide.allow(who, site, "health_check", now=NOON),
        lambda who: decide.end_allowance(who, site, "health_check", now=NOON),
        lambda who: decide.undo_merge(who, decide.merge_sites(admin, id_of("北京安康医院"), site, now=NOON), now=NOON),
        lambda who: decide.merge_sites(who, id_of("甲口腔医院"), site, now=NOON),
    ):
        with pytest.raises(NotFound):
            step(agent)


def test_a_pair_is_shown_with_both_sides_and_goes_where_it_is_decided(admin: Principal) -> None:
    make_offer("北京安康医院", code="two", name_zh="甄选套餐", name_en="Select package")
    assert view.to_decide(admin) == 1
    (pair,) = view.pairs(admin, "open", city="北京").items
    assert view.pairs(admin, "open", city="天津").items == []
    assert pair.reasons == ["same_name"] and pair.metres is None and pair.sure
    kept, other = (pair.first, pair.second) if pair.first.id == pair.keep else (pair.second, pair.first)
    assert (kept.name, kept.address, kept.offers) == ("安康医院", "文溪路8号", 0), "the one of which more is known"
    assert (other.name, other.offers) == ("北京安康医院", 1)
    assert other.samples == [(("甄选套餐", "Select package"), ("测试", "Test care"))]
    decide.keep_apart(admin, pair.id, now=NOON)
    assert view.pairs(admin, "open").items == [] and view.to_decide(admin) == 0
    assert [each.apart_at for each in view.pairs(admin, "apart").items] == [NOON]
    decide.propose_again(admin, pair.id, now=NOON)
    made = decide.merge_sites(admin, other.id, kept.id, now=NOON)
    assert view.pairs(admin, "open").items == view.pairs(admin, "apart").items == []
    (line,) = view.merges(admin).items
    assert (line.id, line.site.name, line.into, line.undone_at) == (made, "北京安康医院", "安康医院", None)
    shown = view.place(admin, other.id)
    assert (shown.side.name, shown.side.parts, shown.side.offers) == ("安康医院", ["北京安康医院"], 1)
    assert shown.entry == "北京安康医院" and view.place(admin, kept.id).entry == ""
    for _twice in range(2):
        decide.undo_merge(admin, made, now=NOON + timedelta(hours=1))
    assert view.merges(admin).items == [] and view.to_decide(admin) == 1
    shown = view.place(admin, other.id)
    assert shown.side.name == "北京安康医院" and shown.merges[0].undone_at == NOON + timedelta(hours=1)
    assert audited() == ["site.kept_apart", "site.proposed_again", "site.merged", "site.parted"]


def test_the_pages_of_pairs_follow_on_without_loss(admin: Principal, tmp_path: Path) -> None:
    load_sites(tmp_path, [row(f"{name}医院") for name in ["甲康", "乙康", "丙康"]])
    load_sites(tmp_path, [row(f"北京{name}医院") for name in ["甲康", "乙康", "丙康"]])
    whole = [pair.id for pair in view.pairs(admin, "open").items]
    assert len(whole) == 4
    paged, cursor = [], None
    while True:
        page = view.pairs(admin, "open", cursor=cursor, limit=3)
        paged += [pair.id for pair in page.items]
        if (cursor := page.next) is None:
            break
    assert paged == whole


def test_what_a_kind_cannot_do_is_shown_and_allowed_once(admin: Principal) -> None:
    with reading() as session:
        dental = session.scalars(select(Site.public_id).where(Site.kind == "口腔医院")).one()
    assert [(each.benefit, each.allowed) for each in view.place(admin, dental).suited] == [("health_check", False)]
    assert view.place(admin, id_of("安康医院")).suited == []
    for _twice in range(2):
        decide.allow(admin, dental, "health_check", now=NOON)
    assert view.place(admin, dental).suited[0].allowed
    for _twice in range(2):
        decide.end_allowance(admin, dental, "health_check", now=NOON)
    assert not view.place(admin, dental).suited[0].allowed
    assert audited() == ["site.allowed", "site.not_allowed"]


def test_a_place_that_closes_closes_at_every_entry_of_it_and_a_part_alone_does_not(db: Engine) -> None:
    world: World = make_world(quantity=4)
    other = offer_elsewhere()[1]
    who = somebody()

    def public_id(made: Offer) -> str:
        with reading() as session:
            return session.get_one(Site, made.site_id).public_id

    def closed() -> dict[int, bool]:
        with reading() as session:
            return {row.pool_id: row.closed for row in session.execute(select(Slot.pool_id, Slot.closed))}

    decide.merge_sites(who, public_id(other), public_id(world.offer), now=NOON)
    world.hold(0)
    assert [found[0] for found in find_sites(who, "示范医院")] == [public_id(world.offer)], "one place to close"
    found = preview(who, public_id(world.offer), DAY, None, now=NOON)
    assert (found.bookings, found.slots) == (1, 6)
    assert preview(who, public_id(other), DAY, None, now=NOON).slots == 3
    with transaction() as session:
        stranger = Insurer(public_id="ins_2", code="other", name_zh="另一家", name_en="Other", time_zone="UTC")
        session.add(stranger)
        session.flush()
        their = Principal("operator", 2, "opr_2", stranger.id, 2, "UTC", "admin")
    of_the_part = close_site(their, public_id(other), DAY, None, "cancel", now=NOON)
    assert closed() == {world.offer.pool_id: False, other.pool_id: True}
    assert closed_by_others(who, now=NOON) == [], "nothing of ours stands at the part that closed"
    close_site(their, public_id(world.offer), DAY, None, "cancel", now=NOON)
    assert closed() == {world.offer.pool_id: True, other.pool_id: True}
    assert [each.bookings for each in closed_by_others(who, now=NOON)] == [1]
    reopen_site(their, of_the_part, now=NOON)
    with transaction() as session:
        session.execute(Slot.__table__.update().values(closed=False))
    assert set(closed().values()) == {True}, "a feed opens no slot of the place"
