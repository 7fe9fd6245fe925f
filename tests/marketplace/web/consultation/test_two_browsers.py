"""A customer and a doctor in two browsers, over a lost network and a web server that is killed: what was said is the
same on both sides and in the database, each word once and in its place."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect
from sqlalchemy import Engine, select, text

from booking.consultation.models import ConversationMessage
from booking.consultation.read import messages_after
from marketplace.core import clock
from marketplace.core.database.db import reading, transaction
from marketplace.development.embedded.postgres import free_port
from marketplace.web.cookies import SIGNED_IN
from providers.staff.models import Clinician
from tests.booking.consultation.rooms import Practice, make_practice
from tests.conftest import TestDatabase
from tests.desk import PASSWORD, account, make_member
from tests.eventually import eventually
from tests.marketplace.live.streams import start_live
from tests.pictures import make_picture
from tests.processes import Running, killed_afterwards, start_web
from vip.signin.signin import issue_token

PHONE = "13800000021"
OFFLINE_SECONDS = 30
SOON = 15_000
pytestmark = pytest.mark.browser


@dataclass
class Rig:
    """The product's own processes, and what is said through them."""

    practice: Practice
    conversation: str
    environment: dict[str, str]
    port: int
    log: Path
    web: Running

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def begin_again(self) -> None:
        """As a supervisor does after a kill."""
        self.web = start_web(self.environment, self.log, self.port)

    def said(self) -> list[str]:
        """What the database holds, in order."""
        found = messages_after(self.practice.world.principal, self.conversation, 0, now=clock.now())
        return [it.text or f"[{it.kind}]" for it in found]


@pytest.fixture
def rig(worker_database: TestDatabase, db: Engine, tmp_path: Path) -> Iterator[Rig]:
    practice = make_practice(phone=PHONE)
    conversation = practice.open(now=clock.now()).conversation
    port, log = free_port(), tmp_path / "web.log"
    there = {**worker_database.environment, "PUBLIC_URL": f"http://127.0.0.1:{port}"}
    live = start_live(there, tmp_path / "live.log")
    environment = {**there, "STREAM_URL": live.url}
    made = Rig(practice, conversation, environment, port, log, start_web(environment, log, port))
    try:
        with killed_afterwards(live):
            yield made
    finally:
        made.web.kill()


@pytest.fixture
def contexts(chromium: Browser) -> Iterator[Callable[[], BrowserContext]]:
    opened: list[BrowserContext] = []

    def make() -> BrowserContext:
        opened.append(chromium.new_context(locale="en-GB", reduced_motion="reduce", service_workers="block"))
        return opened[-1]

    yield make
    for context in opened:
        context.close()


def customer_page(rig: Rig, context: BrowserContext) -> Page:
    token = issue_token(PHONE, clock.now()).token
    context.add_cookies([{"name": SIGNED_IN.name, "value": token, "url": rig.url("/")}])
    page = context.new_page()
    page.goto(rig.url(f"/consultation/{rig.conversation}"))
    return page


def doctor_page(rig: Rig, context: BrowserContext) -> Page:
    login = make_member(rig.practice.world.provider.code, "clinician", "he", name="何医生")
    with transaction() as session:
        session.add(
            Clinician(
                member_id=account(login).id,
                provider_id=rig.practice.world.provider.id,
                shown_name="Dr He",
                title_zh="主治医师",
                title_en="Attending physician",
                licence="110310000012346",
                departments=["general"],
                languages=["zh", "en"],
                lead=False,
                verified_at=clock.now(),
                verified_by=account(login).id,
                created_at=clock.now(),
                updated_at=clock.now(),
            )
        )
    page = context.new_page()
    page.goto(rig.url("/desk/sign-in"))
    page.locator("[name=name]").fill(login)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("form [type=submit]").last.click()
    page.goto(rig.url("/desk/shift"))
    page.get_by_role("button", name="Begin the shift").click()
    page.goto(rig.url(f"/desk/consultations/{rig.conversation}"))
    return page


def customer_says(page: Page, words: str) -> None:
    page.locator("#say").fill(words)
    page.get_by_role("button", name="Send", exact=True).click()


def doctor_says(page: Page, words: str) -> None:
    page.locator("#say").fill(words)
    page.get_by_role("button", name="Send the answer").click()


def doctor_shows(page: Page, picture: Path) -> None:
    page.get_by_text("Send a picture", exact=True).first.click()
    page.locator("#f-picture").set_input_files(picture)
    page.get_by_role("button", name="Send the picture").click()


def on_customers(page: Page) -> list[str]:
    """All that stands on her page, sent or not; a picture as such."""
    return page.eval_on_selector_all(
        "[data-part=lines] > [data-line], #outbox > li",
        "all => all.map(it => it.querySelector('.shot') ? '[picture]' : it.querySelector('.prose').textContent)",
    )


def on_doctors(page: Page) -> list[str]:
    words = "it.querySelector('.talk__shot') ? '[picture]' : it.querySelector('.talk__words').textContent"
    return page.eval_on_selector_all(".talk__one", f"all => all.map(it => {words})")


def same_everywhere(rig: Rig, customer: Page, doctor: Page) -> list[str]:
    """Wait until both pages show what the database holds; that."""
    eventually(lambda: on_customers(customer) == on_doctors(doctor) == rig.said(), 60)
    return rig.said()


def test_over_a_lost_network_and_a_killed_server_nothing_is_lost_doubled_or_reordered(
    rig: Rig, contexts: Callable[[], BrowserContext], tmp_path: Path
) -> None:
    picture = tmp_path / "rash.jpg"
    picture.write_bytes(make_picture())
    hers, theirs = contexts(), contexts()
    customer, doctor = customer_page(rig, hers), doctor_page(rig, theirs)
    customer_says(customer, "ask 1")
    expect(customer.locator("#outbox > li")).to_have_count(0, timeout=SOON)
    doctor.reload()
    doctor.get_by_role("button", name="Accept", exact=True).click()
    doctor_says(doctor, "answer 1")
    doctor_shows(doctor, picture)

    hers.set_offline(True)
    gone_at = time.monotonic()
    customer_says(customer, "ask 2")
    customer.locator("#show [type=file]").set_input_files(picture)
    customer_says(customer, "ask 3")
    for number in (2, 3, 4):
        doctor_says(doctor, f"answer {number}")
    expect(customer.locator("#outbox > li")).to_have_count(3)
    customer.wait_for_timeout(max(0.0, OFFLINE_SECONDS - (time.monotonic() - gone_at)) * 1_000)
    customer_says(customer, "ask 4")

    doctor.locator("#say").fill("answer 5")
    hers.set_offline(False)
    customer_says(customer, "ask 5")
    eventually(lambda: "ask 2" in rig.said())
    rig.web.kill()  # in the middle of what she sends
    with pytest.raises(Error):
        doctor.get_by_role("button", name="Send the answer").click()
        doctor.reload()  # no page is there, and the browser offers to send it again
    rig.begin_again()
    doctor.reload()
    expect(doctor.locator(".talk__one").last).to_contain_text("answer 5", timeout=SOON)
    doctor_says(doctor, "answer 6")
    expect(customer.locator("#outbox > li")).to_have_count(0, timeout=40_000)

    said = same_everywhere(rig, customer, doctor)
    asked = ["ask 1", "ask 2", "[picture]", "ask 3", "ask 4", "ask 5"]
    answered = ["answer 1", "[picture]", *(f"answer {number}" for number in (2, 3, 4, 5, 6))]
    assert sorted(said) == sorted(asked + answered), "each once"
    with reading() as session:
        rows = session.execute(
            select(ConversationMessage.seq, ConversationMessage.author, ConversationMessage.kind).order_by(
                ConversationMessage.seq
            )
        ).all()
    assert [row.seq for row in rows] == list(range(1, len(said) + 1))
    by = {author: [words for words, row in zip(said, rows, strict=True) if row.author == author] for author in
          ("customer", "clinician")}  # fmt: skip
    assert by == {"customer": asked, "clinician": answered}, "each side in the order in which it was written"
    with reading() as session:
        assert session.scalar(text("SELECT count(*) FROM conversation_picture")) == 2
