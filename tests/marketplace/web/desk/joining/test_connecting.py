"""A provider's manager connects its own system at its desk: choose, type, test, connect."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from booking.joining.ask import MOST_AN_HOUR
from booking.joining.carry_out import carry_out_tests
from booking.joining.models import SystemTest
from booking.joining.outcomes import Outcome
from booking.joining.view import LATE
from marketplace.core import clock
from marketplace.core.database.db import reading, transaction
from marketplace.web.desk.joining import connecting_page
from providers.conformance.certificates.issue import give_provisional, in_force
from providers.registry import settings_schema, with_system
from tests.booking.joining.proposed import connection, give_secret, provider
from tests.desk import at_desk, make_member
from tests.marketplace.web.visitors import Visitor, main
from tests.people import NOON
from tests.providers.conformance.served import KEY, Served, serve
from tests.world import World, set_provider
from vip.signin.signin import RECENT

SYSTEM, FORM = "/desk/system", "/desk/system/connection"
CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.fixture
def fang(app: Flask, world: World) -> Visitor:
    """A manager of the world's provider."""
    return at_desk(app, make_member(world.provider.code, login="fang"))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A sandbox."""
    with serve(tmp_path) as it:
        yield it


def asked(visitor: Visitor, served: Served, **changes: str) -> str:
    """Send the form; the address of the test's page."""
    fields = {"adapter": "open_protocol", "base_url": f"{served.url}/p/kit", "secret": KEY, **changes}
    answer = visitor.post(FORM, FORM, **fields)
    assert answer.status_code == 303, main(answer)
    return str(answer.headers["Location"])


def carried_out() -> None:
    assert sum(carry_out_tests(clock.now).values()) == 1


def test_a_system_is_tried_by_the_worker_and_connected_once_it_passed(
    fang: Visitor, served: Served, world: World
) -> None:
    test = asked(fang, served)
    waiting = fang.get(test)
    assert "Your system is being tried" in main(waiting) and f'hx-get="{test}/live"' in waiting.text
    assert "Connect" not in main(waiting).split("What was asked")[1]
    part = fang.get(f"{test}/live")
    assert "data-final" not in part.text
    assert fang.get(f"{test}/live", headers={"If-None-Match": part.headers["ETag"]}).status_code == 304
    carried_out()
    part = fang.get(f"{test}/live", headers={"If-None-Match": part.headers["ETag"]})
    assert part.status_code == 200 and "data-final" in part.text and KEY not in part.text
    after = fang.get(test)
    assert "GET /slots HTTP 200" in main(after) and "hx-get" not in after.text.split("<main")[1]
    assert fang.post(test, test).headers["Location"] == SYSTEM
    assert connection(world).secret == KEY and connection(world).base_url == f"{served.url}/p/kit"
    shown = fang.get(SYSTEM)
    assert f"{served.url}/p/kit" in main(shown) and "stored" in main(shown) and KEY not in shown.text
    again = fang.get(FORM)
    assert f'value="{served.url}/p/kit"' in again.text and KEY not in again.text
    assert "Blank keeps the present one." in main(again)


def test_a_test_that_nobody_carries_out_says_that_it_is_late(fang: Visitor, served: Served) -> None:
    test = asked(fang, served)
    assert "This takes seconds." in main(fang.get(test))
    with clock.frozen(clock.now() + LATE):
        assert "It takes longer than it should" in main(fang.get(test))


@pytest.mark.parametrize(("language", "said"), [("en", "does not accept our key"), ("zh", "不接受我们的密钥")])
def test_a_wrong_key_is_told_in_both_languages_and_its_values_can_be_changed(
    app: Flask, world: World, served: Served, language: str, said: str
) -> None:
    fang = at_desk(app, make_member(world.provider.code, login="fang"), language)
    test = asked(fang, served, secret="another-key")
    carried_out()
    page = fang.get(test)
    assert said in main(page) and "HTTP 401" in main(page) and "another-key" not in page.text
    assert "f-confirmed" not in page.text and f'action="{test}"' not in page.text
    change = f"{FORM}?test={test.rpartition('/')[2]}"
    assert html.escape(change) in page.text
    form = fang.get(change)
    assert f'value="{served.url}/p/kit"' in form.text and "another-key" not in form.text
    assert fang.post(test, change).status_code == 409


def test_what_would_be_lost_is_said_before_and_has_to_be_confirmed(fang: Visitor, served: Served, world: World) -> None:
    with transaction() as session:
        give_provisional(session, world.provider.id, now=NOON)
    test = asked(fang, served)
    carried_out()
    assert "Your certificates end with this." in main(fang.get(test))
    refused = fang.post(test, test)
    assert refused.status_code == 422 and 'id="f-confirmed-error"' in refused.text
    with reading() as session:
        assert in_force(session, world.provider.id)
    assert fang.post(test, test, confirmed="1").headers["Location"] == SYSTEM
    assert "Have your system certified now" in fang.get(SYSTEM).text
    with reading() as session:
        assert not in_force(session, world.provider.id)


def test_the_secret_alone_is_rotated_in_the_same_way_and_loses_nothing(
    fang: Visitor, served: Served, world: World
) -> None:
    set_provider(world.provider, base_url=f"{served.url}/p/kit")
    give_secret(world, "the-old-key")
    with transaction() as session:
        give_provisional(session, world.provider.id, now=NOON)
    test = asked(fang, served)
    carried_out()
    assert "Nothing is taken from customers by this." in main(fang.get(test))
    fang.post(test, test)
    assert connection(world).secret == KEY
    with reading() as session:
        assert in_force(session, world.provider.id)


def test_after_an_hour_the_page_asks_for_the_secret_once_more(fang: Visitor, served: Served, world: World) -> None:
    test = asked(fang, served)
    carried_out()
    with transaction() as session:
        for row in session.scalars(select(SystemTest)):
            row.secret_sealed = None
    assert 'id="f-secret"' in fang.get(test).text
    for typed in ("", "another"):
        refused = fang.post(test, test, secret=typed)
        assert refused.status_code == 422 and 'id="f-secret-error"' in refused.text
        assert "another" not in refused.text
    assert fang.post(test, test, secret=KEY).status_code == 303 and connection(world).secret == KEY


def test_a_stored_secret_is_removed_by_its_tick_like_every_other_change(
    fang: Visitor, served: Served, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 'name="without_secret"' not in fang.get(FORM).text, "nothing is stored"
    give_secret(world, "of-before")
    set_provider(world.provider, base_url=f"{served.url}/p/kit")
    assert 'name="without_secret"' in fang.get(FORM).text
    both = fang.post(
        FORM, FORM, adapter="open_protocol", base_url=f"{served.url}/p/kit", secret="x", without_secret="1"
    )
    assert both.status_code == 422 and "not both" in main(both) and 'name="without_secret" value="1"' in both.text
    monkeypatch.setattr("booking.joining.carry_out.try_out", lambda *_: ())
    test = asked(fang, served, secret="", without_secret="1")
    carried_out()
    page = fang.get(test)
    assert "The stored secret is removed with this" in main(page) and 'id="f-secret"' not in page.text
    change = fang.get(f"{FORM}?test={test.rpartition('/')[2]}").text
    assert re.search(r'name="without_secret"[^>]* checked', change)
    assert fang.post(test, test).headers["Location"] == SYSTEM
    assert connection(world).secret == "" and provider(world).secret_sealed is None


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("adapter", with_system())
def test_every_kind_of_system_has_a_form_with_labels_and_help_in_the_readers_language(
    app: Flask, world: World, adapter: str, language: str
) -> None:
    fang = at_desk(app, make_member(world.provider.code, login="fang"), language)
    page = fang.get(f"{FORM}?adapter={adapter}")
    assert page.status_code == 200
    for name, field in settings_schema(adapter)().fields.items():
        found = re.search(rf'(?s)<label class="label" for="f-settings\.{name}">(.*?)</label>', page.text)
        assert found is not None, f"{adapter}: {name} has no field"
        label, help = field.metadata["label"], field.metadata["help"]
        assert html.unescape(found[1]) == label.in_language(language)
        assert bool(label.zh) and bool(label.en) and bool(help.zh) == bool(help.en)
        assert not CHINESE.search(label.en + help.en)
        assert help.in_language(language) in html.unescape(page.text)


def test_each_fault_stands_at_its_field_and_what_was_typed_stays_but_the_secret(fang: Visitor, world: World) -> None:
    fields = {
        "adapter": "fhir",
        "base_url": "ftp://his.example",
        "secret": "hush-hush",
        "settings.client_id": "anxiang",
    }
    answer = fang.post(FORM, FORM, **fields)
    assert answer.status_code == 422 and 'id="f-base_url-error"' in answer.text
    assert 'value="ftp://his.example"' in answer.text and 'value="anxiang"' in answer.text
    assert "hush-hush" not in answer.text
    fields |= {"base_url": "http://127.0.0.1:9", "settings.page_size": "many", "settings.overlap_seconds": "-1"}
    answer = fang.post(FORM, FORM, **fields)
    assert answer.status_code == 422
    assert 'id="f-settings.page_size-error"' in answer.text and 'id="f-settings.overlap_seconds-error"' in answer.text
    assert 'value="many"' in answer.text and "This must be between 1 and 1000." in main(answer)
    with reading() as session:
        assert session.scalars(select(SystemTest)).all() == []


def test_what_is_chosen_is_stored_and_what_is_usual_is_left_out(fang: Visitor, world: World) -> None:
    fields = {
        "settings.auth": "bearer",
        "settings.books_as": "booked",
        "settings.page_size": "50",
        "settings.scope": "",
        "adapter": "fhir",
        "base_url": "http://127.0.0.1:9",
        "secret": "token",
    }
    assert fang.post(FORM, FORM, **fields).status_code == 303
    with reading() as session:
        row = session.scalars(select(SystemTest)).one()
    assert row.settings == {"auth": "bearer", "page_size": "50"}
    form = fang.get(f"{FORM}?test={row.public_id}").text
    assert '<option value="bearer" selected>' in form and 'value="50"' in form


def test_a_second_test_leads_to_the_one_that_is_under_way(fang: Visitor, served: Served) -> None:
    assert asked(fang, served) == asked(fang, served)
    assert "A test of your system is under way." in fang.get(SYSTEM).text


def test_too_many_tests_are_refused_with_the_time_to_wait(
    fang: Visitor, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_AN_HOUR > 1
    monkeypatch.setattr("booking.joining.ask.MOST_AN_HOUR", 1)
    asked(fang, served)
    carried_out()
    refused = fang.post(FORM, FORM, adapter="open_protocol", base_url=f"{served.url}/p/kit", secret=KEY)
    assert refused.status_code == 429 and "Too many tries." in main(refused)


def test_a_session_that_was_left_open_neither_tests_nor_connects(fang: Visitor, served: Served, world: World) -> None:
    test = asked(fang, served)
    carried_out()
    with clock.frozen(clock.now() + RECENT + timedelta(seconds=1)):
        connected = fang.post(test, test)
        tested = fang.post(FORM, FORM, adapter="open_protocol", base_url=f"{served.url}/p/kit", secret=KEY)
    for answer in (connected, tested):
        assert answer.status_code == 403 and "Sign in once more" in main(answer)
    assert provider(world).base_url != f"{served.url}/p/kit"


def test_who_has_no_system_finds_the_other_two_ways_and_may_connect_one(fang: Visitor, world: World) -> None:
    set_provider(world.provider, adapter="desk")
    page = fang.get(SYSTEM)
    assert "Your people answer at this desk" in main(page) and "Your program calls us" in main(page)
    assert f'href="{FORM}"' in page.text and 'href="/desk/setup"' in page.text
    kinds = fang.get(FORM)
    for code in with_system():
        assert f'href="{FORM}?adapter={code}"' in kinds.text
    for nothing in ("desk", "partner", "nothing"):
        assert "What does your system speak?" in main(fang.get(f"{FORM}?adapter={nothing}"))
        assert fang.post(FORM, "/desk/password", adapter=nothing).status_code == 422


def test_where_bookings_were_made_the_kind_stays_and_the_page_says_so(fang: Visitor, world: World) -> None:
    world.submit()
    assert "Another kind of system" not in main(fang.get(FORM))
    refused = fang.post(FORM, FORM, adapter="fhir", base_url="http://127.0.0.1:9", secret="x")
    assert refused.status_code == 422 and "so it stays" in main(refused)
    set_provider(world.provider, adapter="desk")
    assert f'href="{FORM}"' not in fang.get(SYSTEM).text
    assert "Bookings were made by the present way, so it stays." in main(fang.get(FORM))


def test_the_networks_that_an_operator_allowed_stand_at_the_address(
    fang: Visitor, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "https, to a public address." in main(fang.get(FORM))
    set_provider(world.provider, networks=["10.20.0.0/16"])
    assert "a network that the operator allowed: 10.20.0.0/16." in main(fang.get(FORM))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_outcome_has_words(app: Flask, language: str) -> None:
    with app.test_request_context(headers={"Accept-Language": language}):
        for outcome in Outcome:
            title, text = connecting_page._words(outcome, ["10.20.0.0/16"])
            assert title and text and bool(CHINESE.search(title)) == (language == "zh"), outcome
