"""Deleting a report: nothing of it can be opened again, by anybody, and it does not come back."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, select, text

from booking.messages.freshness import stale
from booking.notices.models import Notification
from booking.reports.box import document, report, reports
from booking.reports.delete import delete_report
from booking.reports.fetch import announce, fetch_due, store
from booking.reports.files import examine
from booking.reports.share import NewShare, find_link, share_report
from booking.views.customer import booking as view
from marketplace.core import crypto
from marketplace.core.config import settings
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound
from tests.files import make_png, make_zip
from tests.reports import LATER, PDF, ReportAdapter, content, deliver, listed, looks, report_row, versions
from tests.world import World, booking_row, connection_to, join, make_world

pytestmark = pytest.mark.usefixtures("db")

TWO = {"document": make_zip({"a.pdf": PDF, "b.png": make_png()}), "document_type": "application/zip"}


@pytest.fixture
def world() -> World:
    return make_world(quantity=4)


def kept_bytes(connection: Connection) -> list[bytes]:
    """Every sealed or wrapped thing that the database holds of reports."""
    rows = connection.execute(
        text(
            "SELECT wrapped_key FROM report_version UNION ALL SELECT content_sealed FROM report_version"
            " UNION ALL SELECT document_sealed FROM report_version UNION ALL SELECT sealed FROM report_document"
        )
    ).scalars()
    return [bytes(each) for each in rows if each]


def opens(sealed: list[bytes], public_id: str, number: int) -> list[bytes]:
    """What somebody with the master key and all of `sealed` can open of a version, trying everything on everything."""
    record = f"{public_id}:{number}"
    keys, found = [], []
    for each in sealed:
        opened = crypto.open_master(each, crypto.wrapping(record))
        keys += [] if opened is None else [opened[1]]
    for each in sealed:
        for key in (settings().master_keys[0].secret, *keys):
            for part in ("content", "document", "document:0", "document:1"):
                try:
                    found.append(crypto.unseal(each, key=key, record=f"{record}:{part}"))
                except crypto.Unreadable:
                    continue
    return found


def test_after_deletion_the_master_key_opens_nothing(world: World, owner_connection: Connection) -> None:
    booking = world.submit()
    public_id = deliver(world, booking, **TWO)
    deliver(world, booking, 2, now=LATER)
    before = kept_bytes(owner_connection)
    assert PDF in opens(before, public_id, 1) and PDF in opens(before, public_id, 2), "this test can open what is there"
    delete_report(world.principal, public_id, now=LATER)
    assert [opens(kept_bytes(owner_connection), public_id, number) for number in (1, 2)] == [[], []]
    without_keys = [each for each in before if not opens_as_key(each, public_id)]
    assert [opens(without_keys, public_id, number) for number in (1, 2)] == [[], []], (
        "nor an old copy of what was sealed"
    )
    assert [(kept.wrapped_key, kept.items, kept.abnormal) for kept in versions()] == [(None, 0, 0)] * 2


def opens_as_key(sealed: bytes, public_id: str) -> bool:
    """Whether it is a wrapped key of the report."""
    return any(crypto.open_master(sealed, crypto.wrapping(f"{public_id}:{number}")) for number in (1, 2))


def test_a_deleted_report_is_shown_nowhere_and_its_links_open_nothing(world: World) -> None:
    booking = world.submit()
    public_id = deliver(world, booking)
    token = share_report(world.principal, public_id, NewShare("doctor", 7), now=LATER).token
    delete_report(world.principal, public_id, now=LATER)
    assert reports(world.principal, cursor=None, limit=9, now=LATER).items == []
    for attempt in (
        lambda: report(world.principal, public_id, now=LATER),
        lambda: document(world.principal, public_id, now=LATER),
        lambda: delete_report(world.principal, public_id, now=LATER),
        lambda: find_link(token, now=LATER),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert looks(public_id) == ["report.shared", "report.deleted"]
    assert booking_row(booking).report_state == "none"


def test_its_booking_does_not_lead_to_it_any_more_and_its_message_is_not_sent(world: World) -> None:
    booking = world.submit()
    public_id = deliver(world, booking)
    assert view(world.principal, booking, now=LATER).report_id == public_id
    with reading() as session:
        told = session.scalars(select(Notification).where(Notification.kind == "report_ready")).one()
        assert stale(session, told, LATER) == ""
        delete_report(world.principal, public_id, now=LATER)
        assert stale(session, told, LATER) == "superseded"
    assert view(world.principal, booking, now=LATER).report_id is None


def test_it_does_not_come_back_when_the_provider_tells_of_it_again(world: World) -> None:
    booking = world.submit()
    public_id = deliver(world, booking)
    delete_report(world.principal, public_id, now=LATER)
    for version in (1, 2):
        with transaction() as session:
            assert announce(session, world.provider.id, listed(world, booking, version), now=LATER) == "deleted"
    corrected = content(listed(world, booking, 2))
    adapter = ReportAdapter(contents={("RR-1", 2): corrected})
    assert fetch_due(connection_to(world.provider), adapter, now=LATER) == {}  # type: ignore[arg-type]
    assert store(report_row().id, examine(corrected), now=LATER) == "deleted", "a fetch that was under way"
    assert [kept.version for kept in versions()] == [1]
    assert reports(world.principal, cursor=None, limit=9, now=LATER).items == []


def test_somebody_elses_report_cannot_be_deleted(world: World) -> None:
    public_id = deliver(world, world.submit())
    other = join(world.provider, world.offer, world.slots, phone="13800000047").principal
    for asked in (public_id, "rpt_00000000000000000000"):
        with pytest.raises(NotFound):
            delete_report(other, asked, now=LATER)
    assert report(world.principal, public_id, now=LATER).id == public_id
