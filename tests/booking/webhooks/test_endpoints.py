"""Endpoints and their secrets: how many there may be, also when several are made at once."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from booking.webhooks import endpoints
from booking.webhooks.endpoints import MOST, TooManyEndpoints
from booking.webhooks.models import WebhookEndpoint
from marketplace.clients.credentials import TwoSecrets
from marketplace.core.crypto import Unreadable
from marketplace.core.database.db import transaction
from tests.booking.webhooks.hooks import BY, add
from tests.people import NOON
from tests.world import World

pytestmark = pytest.mark.every_postgres

URL = "https://hooks.example/"


def at_once(work: object, many: int) -> list[BaseException]:
    """Do it in so many threads at the same moment; what they raised."""
    together, raised = threading.Barrier(many), list[BaseException]()

    def run() -> None:
        together.wait(60)
        try:
            work()  # type: ignore[operator]
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=run) for _ in range(many)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(120)
    return raised


def test_rivals_for_the_last_endpoint_leave_ten(world: World) -> None:
    for _ in range(MOST - 1):
        add(world, URL)
    raised = at_once(lambda: add(world, URL), 8)
    assert {type(error) for error in raised} == {TooManyEndpoints}
    assert (len(raised), len(endpoints.listed(world.provider.id))) == (7, MOST)


def test_rivals_for_the_second_secret_leave_two(world: World) -> None:
    made = add(world, URL)
    raised = at_once(lambda: endpoints.add_secret(world.provider.id, made.id, by=BY, now=NOON), 4)
    assert {type(error) for error in raised} == {TwoSecrets}
    assert len(endpoints.one(world.provider.id, made.id).secrets) == 2


@pytest.mark.every_postgres
def test_the_database_refuses_a_third_live_secret_too(world: World, db: Engine) -> None:
    made = add(world, URL)
    endpoints.add_secret(world.provider.id, made.id, by=BY, now=NOON)
    for place in (1, 2, 3):
        with pytest.raises(IntegrityError), db.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO webhook_secret (public_id, endpoint_id, place, sealed, created_at)"
                    " SELECT 'whs_x', id, :place, 'x', now() FROM webhook_endpoint"
                ),
                {"place": place},
            )


def test_a_secret_opens_for_its_own_endpoint_alone(world: World, db: Engine) -> None:
    add(world, URL)
    add(world, URL)
    with db.begin() as connection:
        connection.execute(
            text("UPDATE webhook_secret SET sealed = (SELECT sealed FROM webhook_secret ORDER BY id LIMIT 1)")
        )
    with transaction() as session:
        first, second = session.query(WebhookEndpoint).order_by(WebhookEndpoint.id).all()
        assert endpoints.open_secrets(session, first)
        with pytest.raises(Unreadable):
            endpoints.open_secrets(session, second)


def test_the_audit_says_the_host_of_an_address_and_no_more(world: World, db: Engine) -> None:
    made = add(world, "https://first.example/path?key=1")
    second = "https://second.example/path"
    endpoints.change(world.provider.id, made.id, second, ["booking.requested"], "active", by=BY, now=NOON)
    with db.connect() as connection:
        lines = connection.execute(
            text("SELECT facts FROM audit_line WHERE action LIKE 'webhook_endpoint.%' ORDER BY id")
        ).scalars()
        facts = list(lines)
    assert [each["host"] for each in facts] == ["first.example", "second.example"]
    assert "path" not in str(facts)
