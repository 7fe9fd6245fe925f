"""Duties of a provider's people, and sessions that were left open. Who finds which page: tests/access/table/desk.py."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import get_args

import pytest
from flask import Flask

from marketplace.core import clock
from marketplace.core.errors import NotFound
from marketplace.web.urls import DESK_PAGES
from providers.staff.administration import members_of
from providers.staff.duties import DUTIES, DeskDuty, may, require
from tests.desk import at_desk, make_member, member
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.world import World
from vip.principal import MemberRole
from vip.signin.signin import RECENT

ROLES: tuple[MemberRole, ...] = get_args(MemberRole)
ACTS = ("role", "password", "reset", "end", "resume")


def test_a_part_of_a_page_that_nobody_asks_for_is_refused(app: Flask) -> None:
    """Else the sign-in would stand in the middle of the page."""
    for page in DESK_PAGES:
        if "GET" in page.methods and not page.open:
            path = re.sub(r"<\w+>", "bkg_00000000000000000000", page.rule)
            assert Visitor(app).get(path, headers={"HX-Request": "true"}).status_code == 401, path


def test_a_session_that_was_left_open_changes_nobody(app: Flask, world: World) -> None:
    make_member(world.provider.code, "clinician")
    visitor = at_desk(app, make_member(world.provider.code, "manager"))
    other = next(it.public_id for it in members_of(member("manager")) if not it.myself)
    path = f"/desk/members/{other}"
    with clock.frozen(NOON + RECENT + timedelta(seconds=1)):
        for act in ACTS:
            answer = visitor.post(path, "/desk/password", act=act, role="clinician")
            assert answer.status_code == 403 and "Sign in once more, then do this within 15 minutes." in main(answer), (
                act
            )
        asked = visitor.post("/desk/members/invite", "/desk/password", to="13900002222", role="manager")
        assert asked.status_code == 403 and "/desk/sign-in?again=1" in asked.text
        device = visitor.post("/desk/second-factor/device", "/desk/password", offer="", code="123456")
        assert device.status_code == 403


@pytest.mark.parametrize("role", ROLES)
def test_a_duty_that_the_role_lacks_is_not_there(world: World, role: MemberRole) -> None:
    who = member(make_member(world.provider.code, role))
    duties: tuple[DeskDuty, ...] = get_args(DeskDuty)
    assert {duty for duty in duties if may(who, duty)} == DUTIES[role]
    for duty in set(duties) - DUTIES[role]:
        with pytest.raises(NotFound):
            require(who, duty)


def test_the_menu_holds_the_pages_that_a_role_finds_and_a_phone_has_it_without_a_script(
    app: Flask, world: World
) -> None:
    page = at_desk(app, make_member(world.provider.code, "clinician")).get("/desk").text
    folded = re.search(r'(?s)<details class="side__fold"><summary>.*?Menu</summary><nav .*?</details>', page)
    assert folded is not None and 'href="/desk" aria-current="page"' in folded[0]
    found = set(re.findall(r'href="(/desk[^"]*)"', folded[0]))
    allowed = {page.rule for page in DESK_PAGES if page.duty is None or page.duty in DUTIES["clinician"]}
    assert found <= allowed and "/desk/password" in found
