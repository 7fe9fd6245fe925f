"""An insurer's program or key ends while it brings a customer: afterwards she is not signed in by it, whoever came
first."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic, sleep
from typing import Any

import pytest
from sqlalchemy import Select, text
from sqlalchemy.orm import Session

from marketplace.clients.models import ApiClient
from marketplace.core import audit
from marketplace.core.database.db import reading
from marketplace.core.errors import Unauthenticated
from tests.people import NOON, make_customer
from tests.vip.insurers.app import AUDIENCE, InsurersApp, end, insurers_app, signed
from vip.insurers import bring
from vip.insurers.bring import LinkOver
from vip.signin import authentication
from vip.signin.signin import SignedIn

pytestmark = [pytest.mark.usefixtures("many_connections"), pytest.mark.every_postgres]

_WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
_FOR_ME = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")


@pytest.fixture
def ours() -> InsurersApp:
    """The app of the insurer of a customer, who holds the policy `p-1`."""
    make_customer()
    return insurers_app()


def exchange(app: InsurersApp) -> SignedIn:
    return bring.exchange(app.bringer, signed(), audience=AUDIENCE, now=NOON)


def opened(token: str) -> SignedIn:
    return bring.open_link(token, previous_token=None, now=NOON).signed_in


def _wait_until_waited_for(session: Session) -> None:
    until = monotonic() + 20
    while not session.scalar(_FOR_ME):
        assert monotonic() < until, "nobody waits"
        sleep(0.02)


@pytest.mark.parametrize(
    ("way", "what"), [("token", "secret"), ("token", "key"), ("made", "secret"), ("link", "client"), ("link", "key")]
)
def test_who_is_being_brought_while_it_ends_is_not_signed_in_afterwards(
    ours: InsurersApp, monkeypatch: pytest.MonkeyPatch, way: str, what: str
) -> None:
    link = bring.make_link(ours.bringer, "p-1", "/", now=NOON).token if way == "link" else ""
    record, ender = audit.record, threading.Thread(target=end, args=(what, ours))

    def slowly(session: Session, action: str, **facts: Any) -> None:
        record(session, action, **facts)
        if action.startswith("customer."):
            session.flush()
            ender.start()
            _wait_until_waited_for(session)

    monkeypatch.setattr(audit, "record", slowly)
    if way == "made":
        made = bring.make_link(ours.bringer, "p-1", "/", now=NOON)
        ender.join()
        with pytest.raises(LinkOver):
            opened(made.token)
    else:
        brought = exchange(ours) if way == "token" else opened(link)
        ender.join()
        with pytest.raises(Unauthenticated):
            authentication.authenticate(brought.token, now=NOON)


def test_a_program_ends_while_its_link_is_opened_and_neither_waits_for_the_other_in_a_circle(
    ours: InsurersApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = bring.make_link(ours.bringer, "p-1", "/", now=NOON).token
    live, ender = bring._live_client, ThreadPoolExecutor(1)
    ended: list[Future[None]] = []

    def meanwhile(client_id: int) -> Select[ApiClient]:
        ended.append(ender.submit(end, "client", ours))
        with reading() as session:
            while not (ended[0].done() or session.scalar(_WAITING)):
                sleep(0.02)
        return live(client_id)

    monkeypatch.setattr(bring, "_live_client", meanwhile)
    with pytest.raises(LinkOver):
        opened(link)
    assert ended[0].result(timeout=30) is None
