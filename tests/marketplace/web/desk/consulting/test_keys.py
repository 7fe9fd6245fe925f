"""The keys of the clinician's pages, phrases and live parts that keep their place, in a real browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from flask import Flask, Response, render_template, request
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from marketplace.core import clock
from tests.marketplace.web.gallery import create_gallery
from tests.marketplace.web.samples import desk_consulting as samples
from tests.marketplace.web.samples.everyday import NOW


@dataclass
class Desk:
    """What the live parts answer: how many messages are added to the sample's, and how many of hers are left out."""

    more: int = 0
    fewer: int = 0
    sent: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    turn: threading.Lock = field(default_factory=threading.Lock)
    """The clock is stopped for one answer at a time."""

    def talk(self, conversation: str) -> Response:
        self.asked.append("talk")
        with self.turn, clock.frozen(NOW):
            context = samples.talk()
            said = context["talk"].said
            newer = tuple(
                replace(said[0], seq=len(said) + 1 + number, text=f"news {number}") for number in range(self.more)
            )
            context["talk"] = replace(context["talk"], said=said + newer)
            answer = Response(render_template("desk/consulting/talk_live.html", **context))
        answer.set_etag(f"talk {self.more}")
        return answer.make_conditional(request)

    def board(self) -> Response:
        self.asked.append("board")
        with self.turn, clock.frozen(NOW):
            context = samples.board()
            context["board"] = replace(context["board"], mine=context["board"].mine[self.fewer :], offered=())
            answer = Response(render_template("desk/consulting/board_live.html", **context))
        answer.set_etag(f"board {self.fewer}")
        return answer.make_conditional(request)

    def do(self, conversation: str, act: str) -> Response:
        if act != "typing":  # which is no word and no act
            self.sent.append(f"{conversation} {act}")
        return Response(status=204)

    def say(self, conversation: str) -> Response:
        self.sent.append(request.form["text"])
        return Response(status=204)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def address(desk: Desk) -> Iterator[str]:
    app: Flask = create_gallery()
    app.config["WTF_CSRF_ENABLED"] = False
    app.view_functions["desk.consultation_live"] = desk.talk
    app.view_functions["desk.consultations_live"] = desk.board
    app.view_functions["desk.consultation_do"] = desk.do
    app.view_functions["desk.consultation_say"] = desk.say
    app.view_functions["desk.consultation"] = lambda conversation: f"<p id=say>{conversation}</p>"
    app.view_functions["desk.consultation_close"] = lambda conversation: f"<p>close {conversation}</p>"
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/gallery"
    server.shutdown()
    thread.join()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(10_000)
    yield context.new_page()
    context.close()


TALK = "desk_consultation?lang=en"


def test_keys_lead_to_each_part(page: Page, address: str) -> None:
    page.goto(f"{address}/{TALK}")
    for key, there in (("m", "#talk"), ("r", "#say"), ("n", "#f-note"), ("o", "#f-to"), ("p", "#f-find")):
        page.keyboard.press(f"Alt+{key}")
        expect(page.locator(there)).to_be_focused()
    page.keyboard.press("Alt+c")
    expect(page.locator("body")).to_contain_text("close c1")


@pytest.mark.parametrize(("key", "neighbour"), [("j", "c2"), ("k", "c3")])
def test_one_goes_through_her_patients_and_around(page: Page, address: str, key: str, neighbour: str) -> None:
    page.goto(f"{address}/{TALK}")
    page.keyboard.press(f"Alt+{key}")
    page.wait_for_url(f"**/desk/consultations/{neighbour}#say")


def test_who_is_offered_is_accepted_by_a_key(page: Page, address: str, desk: Desk) -> None:
    page.goto(f"{address}/desk_consultations?lang=en")
    with page.expect_response("**/accept"):
        page.keyboard.press("Alt+a")
    assert desk.sent == ["w4 accept"]


def test_the_sheet_opens_by_a_question_mark_but_not_while_she_writes_one(page: Page, address: str) -> None:
    page.goto(f"{address}/{TALK}")
    page.locator("#say").press("?")
    expect(page.locator("#keys")).to_be_hidden()
    expect(page.locator("#say")).to_have_value("?")
    page.locator("#talk").press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Alt+r")
    expect(page.locator("#keys")).to_be_visible()
    expect(page.locator("#say")).not_to_be_focused()


def test_keys_can_be_turned_off_and_stay_so(page: Page, address: str) -> None:
    page.goto(f"{address}/{TALK}")
    page.get_by_role("button", name="Keys").click()
    page.locator("#keys-on").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    page.keyboard.press("Alt+r")
    page.locator("#talk").press("?")
    expect(page.locator("#say")).not_to_be_focused()
    expect(page.locator("#keys")).to_be_hidden()


def test_a_phrase_is_found_and_inserted_by_keys_and_not_sent(page: Page, address: str, desk: Desk) -> None:
    page.goto(f"{address}/{TALK}")
    page.locator("#say").fill("one two")
    page.locator("#say").evaluate("it => it.setSelectionRange(3, 3)")
    page.keyboard.press("Alt+p")
    expect(page.locator("#f-find")).to_be_focused()
    page.keyboard.type("sore")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-insert]:focus .strong")).to_have_text("Sore throat")
    page.keyboard.press("Enter")
    expect(page.locator("#say")).to_be_focused()
    assert page.locator("#say").input_value() == "one\n嗓子疼几天了？有没有发烧、咳嗽，吞咽时是否更疼？ two"
    page.keyboard.press("Alt+p")
    expect(page.locator("#f-find")).to_be_focused()
    page.locator("#f-find").fill("greeting")
    page.keyboard.press("Enter")
    assert "{name}，您好" in page.locator("#say").input_value()
    page.keyboard.press("Alt+p")
    expect(page.locator("#f-find")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#say")).to_be_focused()
    assert desk.sent == []
    with page.expect_response("**/words"):
        page.keyboard.press("Control+Enter")
    assert len(desk.sent) == 1


def test_a_phrase_is_inserted_by_the_mouse(page: Page, address: str, desk: Desk) -> None:
    page.goto(f"{address}/{TALK}")
    page.locator("#phrases summary").click()
    page.locator("[data-insert]").first.click()
    expect(page.locator("#say")).to_be_focused()
    assert page.locator("#say").input_value() and desk.sent == []


def test_what_is_written_stays_while_she_looks_at_another_patient(page: Page, address: str) -> None:
    page.goto(f"{address}/{TALK}")
    page.locator("#say").fill("half an answer")
    page.keyboard.press("Alt+j")
    page.wait_for_url("**/c2#say")
    page.goto(f"{address}/{TALK}")
    expect(page.locator("#say")).to_have_value("half an answer")
    sent = page.locator("[name=client_message_id]").first.input_value()
    with page.expect_response("**/words"):
        page.locator("#say").press("Control+Enter")
    page.goto(f"{address}/{TALK}")
    expect(page.locator("#say")).to_have_value("half an answer")  # nobody has seen it said: it is sent as the same one
    assert page.locator("[name=client_message_id]").first.input_value() == sent


def test_what_is_seen_to_be_said_is_no_draft_any_more(page: Page, address: str) -> None:
    page.goto(f"{address}/{TALK}")
    key = "'draft ' + document.getElementById('say-form').dataset.draft"
    kept = '{"text": "how long?", "id": "message-3"}'
    page.evaluate(f"kept => sessionStorage.setItem({key}, kept)", kept)
    page.goto(f"{address}/{TALK}")
    expect(page.locator("[data-client-id=message-3]")).to_have_count(1)
    expect(page.locator("#say")).to_have_value("")
    assert page.evaluate(f"sessionStorage.getItem({key})") is None


def test_what_is_said_is_added_where_she_reads_and_takes_no_focus(page: Page, address: str, desk: Desk) -> None:
    page.goto(f"{address}/{TALK}")
    shot = page.locator("#talk .talk__shot")
    shot.focus()
    shot.evaluate("it => { it.same = true }")
    first = page.locator("#talk li").first
    first.evaluate("it => getSelection().selectAllChildren(it)")
    chosen = page.evaluate("String(getSelection())")
    shot.focus()
    page.mouse.move(0, 0)
    desk.more = 2
    expect(page.locator("#talk")).to_contain_text("news 1", timeout=25_000)
    assert shot.evaluate("it => it.same && it === document.activeElement")
    assert chosen and page.evaluate("String(getSelection())") == chosen


def test_who_leaves_the_list_leaves_the_focus_in_it(page: Page, address: str, desk: Desk) -> None:
    page.goto(f"{address}/desk_consultations?lang=en")
    last, gone = page.locator("#c-c3"), page.locator("#c-c1")
    last.focus()
    desk.fewer = 1
    expect(gone).to_have_count(0, timeout=25_000)
    expect(last).to_be_focused()
    last.focus()
    desk.fewer = 3
    expect(last).to_have_count(0, timeout=25_000)
    expect(page.locator("#live")).to_be_focused()


def test_a_hidden_page_goes_on_to_say_that_she_is_at_work_and_asks_for_nothing_else(
    page: Page, address: str, desk: Desk
) -> None:
    page.clock.install()
    page.goto(f"{address}/{TALK}")
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true})")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    desk.asked.clear()
    with page.expect_response("**/consultations/live**"):
        page.clock.run_for(21_000)
    assert set(desk.asked) == {"board"} and len(desk.asked) <= 2
