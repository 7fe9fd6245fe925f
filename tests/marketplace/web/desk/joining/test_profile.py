"""The provider's profile at its desk: what is written, refused, and never lost between two managers."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.catalog.provider_profile import Profile, profile_of
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from providers.conformance.certificates.issue import give_provisional, in_force
from tests.desk import account, at_desk, make_member
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.world import World, set_provider

PATH = "/desk/profile"
NEW = {"name_zh": "和馨体检", "name_en": "Hexin Health", "time_zone": "Asia/Urumqi"}


@pytest.fixture
def fang(app: Flask, world: World) -> Visitor:
    """A manager of the world's provider."""
    return at_desk(app, make_member(world.provider.code, login="fang"))


@pytest.fixture
def newcomer(fang: Visitor, world: World) -> Visitor:
    """The same, before an operator has approved it."""
    set_provider(world.provider, approved_at=None)
    return fang


def seen(world: World) -> dict[str, str]:
    it = profile_of(world.provider.id)
    return {"seen_name_zh": it.name_zh, "seen_name_en": it.name_en, "seen_time_zone": it.time_zone}


def test_names_and_time_zone_are_changed_and_the_change_is_audited(newcomer: Visitor, world: World) -> None:
    assert 'value="和馨"' in newcomer.get(PATH).text
    for _twice in range(2):
        newcomer.post(PATH, PATH, **seen(world), **NEW)
    assert profile_of(world.provider.id) == Profile(**NEW)
    with reading() as session:
        lines = session.scalars(select(AuditLine).where(AuditLine.action == "provider.profile_changed")).all()
    assert [(it.actor, it.subject) for it in lines] == [(account("fang").public_id, world.provider.public_id)]


def test_of_two_managers_the_second_sees_what_the_first_wrote(newcomer: Visitor, world: World) -> None:
    before = seen(world)
    assert newcomer.post(PATH, PATH, **before, **NEW).headers["Location"] == PATH
    late = newcomer.post(PATH, PATH, **before, **{**NEW, "name_en": "Another"})
    assert late.status_code == 409 and "Somebody else changed the profile" in main(late)
    assert 'value="Hexin Health"' in late.text and profile_of(world.provider.id) == Profile(**NEW)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("name_zh", ""),
        ("name_en", "x" * 201),
        ("name_en", "open evil.com/now"),
        ("time_zone", "Moon"),
        ("time_zone", ""),
    ],
)
def test_what_cannot_be_used_is_named_at_its_field(newcomer: Visitor, world: World, field: str, text: str) -> None:
    answer = newcomer.post(PATH, PATH, **seen(world), **{**NEW, field: text})
    assert answer.status_code == 422 and f'id="f-{field}-error"' in answer.text
    assert 'value="和馨体检"' in answer.text or field == "name_zh"
    assert profile_of(world.provider.id).name_en == "Hexin"


def test_the_page_says_that_another_zone_ends_certificates_and_it_does(newcomer: Visitor, world: World) -> None:
    with transaction() as session:
        give_provisional(session, world.provider.id, now=NOON)
    assert "ends your certificates" in main(newcomer.get(PATH))
    newcomer.post(PATH, PATH, **seen(world), **{**NEW, "time_zone": "Asia/Shanghai"})
    with reading() as session:
        assert in_force(session, world.provider.id)
    newcomer.post(PATH, PATH, **seen(world), **NEW)
    with reading() as session:
        assert not in_force(session, world.provider.id)
    assert "ends your certificates" not in main(newcomer.get(PATH))


def test_one_that_is_approved_changes_its_zone_and_none_of_its_names(fang: Visitor, world: World) -> None:
    page = fang.get(PATH)
    assert "You were approved under these names." in main(page) and 'id="f-name_zh"' not in page.text
    before = seen(world)
    own = {name: before[f"seen_{name}"] for name in NEW}
    for name in ("name_zh", "name_en"):
        refused = fang.post(PATH, PATH, **before, **{**own, name: NEW[name]})
        assert refused.status_code == 409 and "To change one, ask the operator." in main(refused)
        assert NEW[name] not in refused.text, "the form has what stands, to be sent with another zone"
    assert seen(world) == before
    assert fang.post(PATH, PATH, **before, **{**own, "time_zone": "Asia/Urumqi"}).status_code == 303
    assert profile_of(world.provider.id) == Profile("和馨", "Hexin", "Asia/Urumqi")


def test_an_approval_that_is_given_meanwhile_ends_the_naming(newcomer: Visitor, world: World) -> None:
    before = seen(world)
    set_provider(world.provider, approved_at=NOON)
    assert newcomer.post(PATH, PATH, **before, **NEW).status_code == 409
    assert seen(world) == before
