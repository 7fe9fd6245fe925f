"""Clients of the partner API at the desk: made with scopes, secrets shown once, added and ended."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import get_args

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.clients import credentials
from marketplace.clients.credentials import By
from marketplace.clients.owners import SCOPES
from marketplace.core import clock
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading
from marketplace.core.errors import NotFound
from marketplace.web.desk.setup import words
from providers.staff import programs
from tests.desk import account, at_desk, make_member, member
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.providers.partner_api.partner import partner_of
from tests.world import World
from vip.principal import MemberRole
from vip.signin.signin import RECENT, SignInAgain

SETUP, NEW = "/desk/setup", "/desk/setup/clients/new"


@pytest.fixture
def fang(app: Flask, world: World) -> Visitor:
    """A manager of the world's provider, at the desk."""
    return at_desk(app, make_member(world.provider.code, login="fang"))


def made(fang: Visitor, name: str = "hall", scopes: str = "slots") -> tuple[str, str]:
    """The page of a new client, and its secret."""
    answer = fang.post(NEW, NEW, name=name, scopes=scopes)
    assert answer.status_code == 200, main(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    found = re.search(r"axs_[\w-]+", answer.text)
    client = re.search(r"/desk/setup/clients/cli_\w+", answer.text)
    assert found is not None and client is not None
    return client[0], found[0]


def token(app: Flask, page: str, secret: str) -> int:
    """How a client that signs in with this secret is answered."""
    client = app.test_client()
    auth = (page.rpartition("/")[2], secret)
    with clock.frozen(NOON):
        return client.post("/partner/v1/oauth/token", data={"grant_type": "client_credentials"}, auth=auth).status_code


def actors(action: str) -> list[tuple[str, str]]:
    with reading() as session:
        rows = session.execute(select(AuditLine.actor_kind, AuditLine.actor).where(AuditLine.action == action))
        return [(row[0], row[1]) for row in rows]


def test_a_client_is_made_and_its_secret_is_shown_once(app: Flask, fang: Visitor) -> None:
    assert "No program of yours is connected" in main(fang.get(SETUP))
    page, secret = made(fang)
    assert token(app, page, secret) == 200
    assert secret not in fang.get(page).text and "hall" in main(fang.get(SETUP))
    assert "Publish free times" in main(fang.get(page)) and "Deliver and correct" not in main(fang.get(page))
    assert actors("api_client.added") == [("provider", account("fang").public_id)]


def test_a_form_that_lacks_something_makes_nothing_and_says_what(fang: Visitor) -> None:
    nameless = fang.post(NEW, NEW, name=" ", scopes="slots")
    assert nameless.status_code == 422 and 'id="f-name-error"' in nameless.text
    assert re.search(r'value="slots" checked', nameless.text)
    long = fang.post(NEW, NEW, name="x" * (credentials.LONGEST_NAME + 1), scopes="slots")
    assert long.status_code == 422 and "at most 80 characters" in long.text
    for scopes in ("", "everything"):
        answer = fang.post(NEW, NEW, name="hall", scopes=scopes)
        assert answer.status_code == 422 and 'id="f-scopes-error"' in answer.text
    assert "No program of yours is connected" in main(fang.get(SETUP))


def test_a_form_that_is_sent_twice_makes_one_client(app: Flask, fang: Visitor) -> None:
    key = re.search(r'name="key" value="([^"]+)"', fang.get(NEW).text)
    assert key is not None
    given = {"name": "hall", "scopes": "slots", "key": key[1]}
    first, second = (fang.post(NEW, NEW, **given) for _click in range(2))
    assert first.status_code == second.status_code == 200
    [client] = programs.programs_of(member("fang"))
    [secret] = re.findall(r"axs_[\w-]+", second.text)
    page = f"/desk/setup/clients/{client.id}"
    assert token(app, page, secret) == 200
    third = fang.post(NEW, NEW, **given)
    assert third.status_code == 409 and "This form was sent before" in main(third)


def test_more_clients_than_there_may_be_are_refused_in_words(fang: Visitor, world: World) -> None:
    for number in range(credentials.MOST):
        by = credentials.operator("test")
        credentials.add_client(world.provider.code, f"c{number}", ["slots"], by=by, now=NOON)
    refused = fang.post(NEW, NEW, name="hall", scopes="slots")
    assert refused.status_code == 409 and "There are 20 clients in use at most" in main(refused)
    assert 'value="hall"' in refused.text and re.search(r'value="slots" checked', refused.text)


def test_a_second_secret_takes_over_from_the_first(app: Flask, fang: Visitor) -> None:
    page, first = made(fang)
    answer = fang.post(page, page, act="secret")
    second = re.search(r"axs_[\w-]+", answer.text)
    assert answer.status_code == 200 and second is not None and second[0] != first
    third = fang.post(page, page, act="secret")
    assert third.status_code == 409 and "There are two secrets at most" in main(third)
    old = re.findall(r'name="secret" value="(sec_\w+)"', third.text)[0]
    assert fang.post(page, page, act="end_secret", secret=old).headers["Location"] == page
    assert "The secret is ended" in fang.get(page).text
    assert (token(app, page, first), token(app, page, second[0])) == (401, 200)
    assert fang.post(page, page, act="end_secret", secret="sec_x").status_code == 404
    assert actors("api_secret.added") == actors("api_secret.ended") == [("provider", account("fang").public_id)]


def test_a_client_that_is_ended_can_do_nothing_and_nothing_be_done_with_it(app: Flask, fang: Visitor) -> None:
    page, secret = made(fang)
    assert fang.post(page, page, act="end").headers["Location"] == page
    shown = fang.get(page).text
    assert "Has ended" in main(fang.get(SETUP)) and 'value="secret"' not in shown and token(app, page, secret) == 401
    assert fang.post(page, page, act="secret").status_code == 404
    assert actors("api_client.ended") == [("provider", account("fang").public_id)]


def test_a_session_that_was_left_open_connects_nothing(fang: Visitor) -> None:
    page, _secret = made(fang)
    who, late = member("fang"), NOON + RECENT + timedelta(seconds=1)
    with clock.frozen(late):
        asked = fang.post(NEW, NEW, name="other", scopes="slots")
        assert asked.status_code == 403 and "/desk/sign-in?again=1" in asked.text
        for act in ("secret", "end_secret", "end"):
            refused = fang.post(page, page, act=act, secret="sec_x")
            assert refused.status_code == 403 and "Sign in once more" in main(refused), act
        assert fang.get(page).status_code == fang.get(SETUP).status_code == 200
    client = page.rpartition("/")[2]
    for do in (
        lambda: programs.add_program(who, "n", ["slots"], now=late),
        lambda: programs.add_secret(who, client, now=late),
        lambda: programs.end_secret(who, client, "sec_x", now=late),
        lambda: programs.end_program(who, client, now=late),
    ):
        with pytest.raises(SignInAgain):
            do()


@pytest.mark.parametrize("role", [role for role in get_args(MemberRole) if role != "manager"])
def test_only_a_manager_connects_programs(fang: Visitor, world: World, role: MemberRole) -> None:
    page, _secret = made(fang)
    who, client = member(make_member(world.provider.code, role)), page.rpartition("/")[2]
    for do in (
        lambda: programs.programs_of(who),
        lambda: programs.program_of(who, client),
        lambda: programs.add_program(who, "n", ["slots"], now=NOON),
        lambda: programs.add_secret(who, client, now=NOON),
        lambda: programs.end_secret(who, client, "sec_x", now=NOON),
        lambda: programs.end_program(who, client, now=NOON),
    ):
        with pytest.raises(NotFound):
            do()


def test_a_client_of_another_provider_is_not_there(fang: Visitor, world: World) -> None:
    page, _secret = made(fang)
    client, other = page.rpartition("/")[2], By("provider", "mbr_x", world.provider.id + 1)
    secret = programs.program_of(member("fang"), client).secrets[0].id
    for do in (
        lambda: credentials.add_client(world.provider.code, "n", ["slots"], by=other, now=NOON),
        lambda: credentials.add_secret(client, by=other, now=NOON),
        lambda: credentials.end_secret(client, secret, by=other, now=NOON),
        lambda: credentials.end_client(client, by=other, now=NOON),
    ):
        with pytest.raises(NotFound):
            do()


def test_clients_that_an_operator_made_are_shown_too_and_every_scope_has_words(
    app: Flask, fang: Visitor, world: World
) -> None:
    partner_of(app, world.provider)
    assert "program" in main(fang.get(SETUP))
    assert [code for code, _text in words.scopes()] == list(SCOPES)
