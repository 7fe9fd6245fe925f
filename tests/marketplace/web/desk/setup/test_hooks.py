"""Webhooks at the desk: endpoints, their secrets and states; the log, a test, and sending once more; contacts."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from booking.feeds.unreadable import record_rows
from booking.webhooks import contacts, endpoints
from booking.webhooks.endpoints import Endpoint
from booking.webhooks.models import WebhookDelivery, WebhookEndpoint
from marketplace.core import clock
from marketplace.core.audit import AuditLine
from marketplace.core.database.db import reading, transaction
from marketplace.web.desk.setup import words
from providers.reported import UnreadableRow
from tests.booking.webhooks.hooks import booked
from tests.desk import account, at_desk, make_member
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.world import World
from vip.signin.signin import RECENT

SETUP, NEW, CONTACTS = "/desk/setup", "/desk/setup/webhooks/new", "/desk/setup/contacts"
URL = "https://hooks.example/anxiang"


@pytest.fixture
def fang(app: Flask, world: World) -> Visitor:
    """A manager of the world's provider, at the desk."""
    return at_desk(app, make_member(world.provider.code, login="fang"))


@pytest.fixture
def hook(world: World) -> Endpoint:
    """An endpoint with a booking whose two events wait to be sent."""
    return booked(world, URL)


def page_of(hook: Endpoint) -> str:
    return f"/desk/setup/webhooks/{hook.id}"


def set_state(hook: Endpoint, **values: object) -> None:
    with transaction() as session:
        session.execute(update(WebhookEndpoint).where(WebhookEndpoint.public_id == hook.id).values(**values))


def deliveries() -> list[WebhookDelivery]:
    with reading() as session:
        return list(session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)))


def end_all() -> None:
    with transaction() as session:
        session.execute(
            update(WebhookDelivery).values(state="failed", finished_at=NOON, status=503, answer="<b>no</b>")
        )


def test_an_endpoint_is_added_and_its_secret_shown_once_though_the_form_is_sent_twice(
    fang: Visitor, world: World
) -> None:
    assert "Nothing is told to a program of yours" in main(fang.get(SETUP))
    form = {"url": URL, "event_types": "booking.requested", "key": "k1"}
    first, again = (fang.post(NEW, NEW, **form) for _ in range(2))
    secrets = [re.findall(r"whsec_[\w+/=&#;]+", answer.text) for answer in (first, again)]
    assert first.status_code == 200 and secrets[0] == secrets[1] and len(secrets[0]) == 1
    [made] = endpoints.listed(world.provider.id)
    assert (made.url, made.event_types) == (URL, ["booking.requested"])
    assert "whsec_" not in fang.get(page_of(made)).text and URL in main(fang.get(SETUP))
    with reading() as session:
        rows = session.execute(
            select(AuditLine.actor_kind, AuditLine.actor).where(AuditLine.action == "webhook_endpoint.added")
        ).all()
    assert [tuple(row) for row in rows] == [("provider", account("fang").public_id)]


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        ({"url": "hooks.example", "event_types": "booking.requested"}, "url"),
        ({"url": "https://10.0.0.1/", "event_types": "booking.requested"}, "url"),
        ({"url": URL}, "event_types"),
        ({"url": URL, "event_types": "booking.nothing"}, "event_types"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    fang: Visitor, hook: Endpoint, form: dict[str, str], wrong: str
) -> None:
    for page, more in ((NEW, {}), (page_of(hook), {"act": "change"})):
        answer = fang.post(page, page, **form, **more)
        assert answer.status_code == 422 and f'id="f-{wrong}-error"' in answer.text
        assert form["url"] in answer.text


def test_there_are_ten_endpoints_at_most(fang: Visitor, world: World) -> None:
    for number in range(endpoints.MOST):
        fang.post(NEW, NEW, url=f"{URL}/{number}", event_types="booking.requested")
    answer = fang.post(NEW, NEW, url=URL, event_types="booking.requested")
    assert answer.status_code == 409 and "There are 10 endpoints at most" in main(answer)


def test_an_endpoint_is_changed_paused_and_goes_on(fang: Visitor, world: World, hook: Endpoint) -> None:
    page = page_of(hook)
    assert fang.post(page, page, act="paused").headers["Location"] == page
    assert "It was paused here" in main(fang.get(page))
    fang.post(page, page, act="change", url=URL + "/2", event_types="booking.moved")
    now = endpoints.one(world.provider.id, hook.id)
    assert (now.url, now.event_types, now.state) == (URL + "/2", ["booking.moved"], "paused")
    fang.post(page, page, act="active")
    now = endpoints.one(world.provider.id, hook.id)
    assert (now.url, now.event_types, now.state) == (URL + "/2", ["booking.moved"], "active")
    assert "The endpoint goes on." in fang.get(page).text


@pytest.mark.parametrize(
    ("state", "reason", "said", "do"),
    [("paused", "failing", "failed for five days", "active"), ("ended", "gone", "answered 410", "")],
)
def test_why_an_endpoint_stopped_is_said_with_what_to_do(
    fang: Visitor, hook: Endpoint, state: str, reason: str, said: str, do: str
) -> None:
    set_state(hook, state=state, reason=reason)
    page = fang.get(page_of(hook))
    assert said in main(page)
    assert re.findall(r'name="act" value="(active|test|delete)"', page.text) == (
        ["test", "active", "delete"] if do else ["delete"]
    )
    if not do:
        for act in ("active", "test"):
            refused = fang.post(page_of(hook), page_of(hook), act=act)
            assert refused.status_code == 409 and "the receiver" in main(refused).lower()


def test_a_second_secret_takes_over_and_the_last_one_stays(fang: Visitor, world: World, hook: Endpoint) -> None:
    page, old = page_of(hook), hook.secrets[0].id
    last = fang.post(page, page, act="end_secret", secret=old)
    assert last.status_code == 409 and "Without a secret" in main(last)
    added = fang.post(page, page, act="secret", key="k")
    assert added.status_code == 200 and "whsec_" in added.text
    third = fang.post(page, page, act="secret", key="l")
    assert third.status_code == 409 and "two secrets at most" in main(third)
    assert fang.post(page, page, act="end_secret", secret=old).status_code == 303
    assert [it.id for it in endpoints.one(world.provider.id, hook.id).secrets] != [old]
    assert fang.post(page, page, act="end_secret", secret="whs_x").status_code == 404


def test_a_deleted_endpoint_is_not_there(fang: Visitor, hook: Endpoint) -> None:
    page = page_of(hook)
    assert fang.post(page, page, act="delete").headers["Location"] == SETUP
    assert URL not in main(fang.get(SETUP))
    for path in (page, f"{page}/deliveries"):
        assert fang.get(path).status_code == 404 and fang.post(path, SETUP, act="test").status_code == 404


def test_a_test_is_sent_once_though_the_form_is_sent_twice_and_one_at_a_time(fang: Visitor, hook: Endpoint) -> None:
    page = page_of(hook)
    before = len(deliveries())
    for _ in range(2):
        assert fang.post(page, page, act="test", key="k").status_code == 303
    assert [it.event_type for it in deliveries()[before:]] == ["webhook.test"]
    waiting = fang.post(page, page, act="test", key="l")
    assert waiting.status_code == 409 and "has not been sent yet" in main(waiting)


def test_the_log_shows_what_was_sent_and_what_was_answered(fang: Visitor, hook: Endpoint) -> None:
    log = f"{page_of(hook)}/deliveries"
    waits = main(fang.get(log))
    assert "A booking is asked for" in waits and "not sent yet" in waits and "Send again" not in waits
    end_all()
    page = fang.get(log).text
    assert "&lt;b&gt;no&lt;/b&gt;" in page and "503" in page and "Send again" in page
    assert "There is no delivery in this state." in main(fang.get(log + "?state=done"))
    assert "A booking is asked for" in main(fang.get(log + "?state=failed"))
    assert fang.get(log + "?cursor=x").status_code == 422


def test_one_delivery_is_sent_again_or_all_of_a_time(fang: Visitor, hook: Endpoint) -> None:
    log = f"{page_of(hook)}/deliveries"
    end_all()
    first = deliveries()[0]
    assert fang.post(log, log, act="replay", delivery=first.public_id).headers["Location"] == log
    assert [it.state for it in deliveries()] == ["queued", "failed"]
    assert fang.post(log, log, delivery="whd_x").status_code == 404
    # NOON is 20:00 in Shanghai, where the provider is
    local = NOON + timedelta(hours=8)
    form = "%Y-%m-%dT%H:%M"
    outside = {"since": (local - timedelta(hours=8)).strftime(form), "until": local.strftime(form)}
    assert fang.post(log, log, **outside).status_code == 303
    assert [it.state for it in deliveries()] == ["queued", "failed"]
    within = {"since": local.strftime(form), "until": (local + timedelta(hours=1)).strftime(form)}
    assert fang.post(log, log, **within).status_code == 303
    assert [it.state for it in deliveries()] == ["queued", "queued"]


@pytest.mark.parametrize(
    ("since", "until", "wrong"),
    [
        ("", "2026-03-02T08:00", "since"),
        ("2026-03-02T08:00", "x", "until"),
        ("2026-03-02T08:00", "2026-03-02T08:00", "until"),
        ("2026-03-02T08:00", "2026-03-03T08:01", "until"),
    ],
)
def test_a_span_that_is_none_or_too_long_is_refused(
    fang: Visitor, hook: Endpoint, since: str, until: str, wrong: str
) -> None:
    log = f"{page_of(hook)}/deliveries"
    answer = fang.post(log, log, since=since, until=until)
    assert answer.status_code == 422 and f'id="f-{wrong}-error"' in answer.text


def test_a_session_that_was_left_open_changes_no_endpoint_and_no_contact(fang: Visitor, hook: Endpoint) -> None:
    page = page_of(hook)
    with clock.frozen(NOON + RECENT + timedelta(seconds=1)):
        for act in ("change", "paused", "secret", "end_secret", "delete"):
            answer = fang.post(page, page, act=act, url=URL, event_types="booking.moved", secret=hook.secrets[0].id)
            assert answer.status_code == 403 and "/desk/sign-in?again=1" in answer.text, act
        asked = fang.post(NEW, NEW, url=URL, event_types="booking.moved")
        assert asked.status_code == 403 and "Sign in once more" in main(asked)
        written = fang.post(CONTACTS, CONTACTS, email0="a@example.com")
        assert written.status_code == 403 and "Sign in once more" in main(written)
        assert fang.post(page, page, act="test").status_code == 303, "a test opens nothing to anybody"


def test_contacts_are_replaced_by_what_the_form_holds(fang: Visitor, world: World) -> None:
    assert "Nobody is written to" in main(fang.get(SETUP))
    fang.post(CONTACTS, CONTACTS, email0="a@example.com", language0="en", email3="b@example.com", language3="zh")
    known = contacts.contacts_of(world.provider.id)
    assert [(it.email, it.language) for it in known] == [("a@example.com", "en"), ("b@example.com", "zh")]
    assert "a@example.com" in main(fang.get(SETUP))
    form = fang.get(CONTACTS).text
    assert 'value="b@example.com"' in form
    wrong = fang.post(CONTACTS, CONTACTS, email0="a@example.com", email1="b@")
    assert wrong.status_code == 422 and 'id="f-email1-error"' in wrong.text
    assert len(contacts.contacts_of(world.provider.id)) == 2
    assert fang.post(CONTACTS, CONTACTS).status_code == 303 and contacts.contacts_of(world.provider.id) == []


def test_every_kind_of_event_and_every_state_has_words() -> None:
    assert [code for code, _text in words.event_types()] == list(endpoints.events.TYPES)


def test_own_faults_stand_beside_the_log_without_what_was_delivered(
    fang: Visitor, hook: Endpoint, world: World
) -> None:
    log = f"{page_of(hook)}/deliveries"
    assert "all that you sent could be used" in main(fang.get(log))
    row = UnreadableRow("status.unknown", b'{"name": "Shen Bonian"}', "0" * 64, "HX-<1>", None)
    record_rows(world.provider.id, "bookings", [row], now=NOON)
    page = fang.get(log)
    wrong = "status: a value that is not in the contract"
    assert f"A row of yours that we could not use Booking changes · {wrong}" in main(page)
    assert "HX-&lt;1&gt;" in page.text and "Shen" not in page.text
    fang.language = "zh"
    assert "您发来的一行数据无法使用" in main(fang.get(log))
