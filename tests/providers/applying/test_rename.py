"""Once a provider is approved, operators alone call it otherwise."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from marketplace.catalog.provider_profile import NamesApproved, ProfileChanged, change_profile, profile_of
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.sending import email
from marketplace.core.text import Text
from providers.applying.rename import names_of, rename
from providers.applying.review import NamesChanged, application, approve
from tests.booking.twins.stage import with_twin
from tests.people import NOON
from tests.providers.applying.applicants import registered, stored
from tests.world import World, make_world
from vip.principal import Principal
from vip.signin.signin import RECENT, SignInAgain

pytestmark = pytest.mark.usefixtures("db")

BEFORE, AFTER = Text("和馨", "Hexin"), Text("和馨体检", "Hexin Health")


@pytest.fixture
def world(db: object) -> World:
    """A provider that is approved."""
    return make_world()


def test_an_operator_renames_it_and_that_is_audited_as_hers(lin: Principal, world: World) -> None:
    code = world.provider.code
    assert names_of(lin, code) == BEFORE
    rename(lin, code, BEFORE, AFTER, now=NOON)
    assert names_of(lin, code) == AFTER
    with reading() as session:
        [line] = session.scalars(select(AuditLine).where(AuditLine.action == "provider.profile_changed")).all()
    assert (line.actor_kind, line.actor, line.subject) == ("operator", lin.public_id, world.provider.public_id)
    assert line.facts == {"changed": ["name_zh", "name_en"]}
    with pytest.raises(ProfileChanged):
        rename(lin, code, BEFORE, Text("甲", "A"), now=NOON)
    for wrong, at in ((Text("", "A"), "name_zh"), (Text("甲", "see evil.com/now"), "name_en")):
        with pytest.raises(Invalid) as refused:
            rename(lin, code, AFTER, wrong, now=NOON)
        assert refused.value.at == at
    assert names_of(lin, code) == AFTER


def test_a_session_that_was_left_open_renames_nothing(lin: Principal, world: World) -> None:
    with pytest.raises(SignInAgain):
        rename(lin, world.provider.code, BEFORE, AFTER, now=NOON + RECENT + timedelta(seconds=1))
    assert names_of(lin, world.provider.code) == BEFORE


def test_a_test_modes_names_are_not_there(lin: Principal, world: World) -> None:
    twin = with_twin(world).twin
    for code in (twin.code, "nothing", "\0"):
        with pytest.raises(NotFound):
            names_of(lin, code)
        with pytest.raises(NotFound):
            rename(lin, code, BEFORE, AFTER, now=NOON)


def test_its_own_people_rename_it_until_it_is_approved(lin: Principal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email, "backend", lambda: object())
    public_id = registered()
    provider_id = stored().provider_id
    assert provider_id is not None
    read, known = application(lin, public_id).line.name, profile_of(provider_id)
    other = type(known)("启航", "Qihang", known.time_zone)
    change_profile(provider_id, known, other, actor="mbr_1", now=NOON)
    with pytest.raises(NamesChanged):
        approve(lin, public_id, names=read, now=NOON)
    approve(lin, public_id, names=Text("启航", "Qihang"), now=NOON)
    with pytest.raises(NamesApproved):
        change_profile(provider_id, other, known, actor="mbr_1", now=NOON)
    assert profile_of(provider_id) == other
