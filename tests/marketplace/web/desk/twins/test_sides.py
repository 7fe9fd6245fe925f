"""A form is about the desk for which it was drawn, whatever another tab has switched since."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import func, select

from booking.twins.open import Twin
from marketplace.clients.models import ApiClient
from marketplace.core.database.db import reading
from marketplace.core.errors import Unauthenticated
from marketplace.web.cookies import DESK
from marketplace.web.urls import DESK_PAGES
from tests.booking.twins.stage import with_twin
from tests.desk import DOOR, PASSWORD, at_desk, make_member
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.world import World, set_provider
from vip.models import SignInSession
from vip.signin.authentication import authenticate_member

FORMS = [page for page in DESK_PAGES if "POST" in page.methods and not page.open and not page.any_side]


@pytest.fixture
def twin(world: World) -> Twin:
    """Of a provider that answers at the desk."""
    set_provider(world.provider, adapter="desk")
    return with_twin(world).twin


def switch(visitor: Visitor, do: str) -> None:
    """As another tab of the same browser does it."""
    path = "/desk/test-mode" if do == "on" else "/desk/test-mode/leave"
    assert visitor.post(path, "/desk/test-mode", do=do).status_code == 303


def drawn(visitor: Visitor, side: str) -> dict[str, str]:
    """What a form carries that is drawn in test mode or outside of it; then the browser changes over."""
    if side == "test":
        switch(visitor, "on")
    fields = visitor.hidden("/desk/setup/clients/new")
    switch(visitor, "off" if side == "test" else "on")
    return fields


@pytest.mark.parametrize("side", ["live", "test"])
def test_every_form_of_the_other_side_is_refused(app: Flask, world: World, twin: Twin, side: str) -> None:
    visitor = at_desk(app, make_member(world.provider.code))
    fields = drawn(visitor, side)
    for page in FORMS:
        answer = visitor.send(re.sub(r"<\w+>", "bkg_00000000000000000000", page.rule), fields)
        assert answer.status_code == 409, page.endpoint
        assert "This desk has changed over" in main(answer) and 'href="/desk"' in answer.text, page.endpoint


@pytest.mark.parametrize("side", ["live", "test"])
def test_nothing_is_made_at_the_side_that_was_not_meant(app: Flask, world: World, twin: Twin, side: str) -> None:
    visitor = at_desk(app, make_member(world.provider.code))
    fields = {**drawn(visitor, side), "name": "tried", "scopes": "slots"}
    assert visitor.send("/desk/setup/clients/new", fields).status_code == 409
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(ApiClient).where(ApiClient.name == "tried")) == 0


def test_a_form_that_names_no_side_is_the_live_one_s(app: Flask, world: World, twin: Twin) -> None:
    """As the release before drew it."""
    visitor = at_desk(app, make_member(world.provider.code))
    token = {"csrf_token": visitor.hidden("/desk/setup/clients/new")["csrf_token"]}
    path, made = "/desk/setup/clients/new", {**token, "name": "tried", "scopes": "slots"}
    assert visitor.send(path, made).status_code != 409
    switch(visitor, "on")
    assert visitor.send(path, made).status_code == 409


def test_one_may_sign_out_and_switch_from_a_page_of_the_other_side(app: Flask, world: World, twin: Twin) -> None:
    visitor = at_desk(app, make_member(world.provider.code))
    fields = drawn(visitor, "live")
    assert visitor.send("/desk/test-mode/leave", fields).status_code == 303
    switch(visitor, "on")
    assert visitor.send("/desk/sign-out", fields).status_code == 303


def test_code_that_knows_of_no_test_mode_finds_no_session_in_it(app: Flask, world: World, twin: Twin) -> None:
    visitor = at_desk(app, make_member(world.provider.code))
    cookie = visitor.client.get_cookie(DESK.name, path=DESK.path)
    assert cookie is not None
    before = stored()
    switch(visitor, "on")
    assert stored() != before, "the release before looks for this"
    assert authenticate_member(cookie.value, now=NOON).provider_id == twin.id
    switch(visitor, "on")
    assert authenticate_member(cookie.value, now=NOON).test
    switch(visitor, "off")
    assert stored() == before
    assert authenticate_member(cookie.value, now=NOON).provider_id == world.provider.id


def test_a_session_in_test_mode_ends_when_its_browser_signs_in_again(app: Flask, world: World, twin: Twin) -> None:
    visitor = at_desk(app, make_member(world.provider.code))
    cookie = visitor.client.get_cookie(DESK.name, path=DESK.path)
    assert cookie is not None
    switch(visitor, "on")
    assert visitor.post(DOOR, "/desk/password", name="manager", password=PASSWORD).status_code == 303
    with pytest.raises(Unauthenticated):
        authenticate_member(cookie.value, now=NOON)


def stored() -> list[bytes]:
    """The hashes of the tokens of members' sessions."""
    with reading() as session:
        query = select(SignInSession.token_hash).where(SignInSession.operator_id.is_not(None))
        return list(session.scalars(query.order_by(SignInSession.id)))
