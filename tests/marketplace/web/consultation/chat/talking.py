"""What a customer does in the page of a conversation, and what stands there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from booking.consultation.read import messages_after
from tests.booking.consultation.rooms import Practice
from tests.people import NOON

PHONE = "13800000021"
SOON = 9_000
STORED = """
    () => new Promise((done) => {
      const asked = indexedDB.open("conversations");
      asked.onsuccess = () => {
        const found = [...asked.result.objectStoreNames].filter((name) => name !== "owner");
        if (!found.length) {
          asked.result.close();
          return done([]);
        }
        const transaction = asked.result.transaction(found);
        const all = [];
        for (const name of found) {
          const rows = transaction.objectStore(name).getAll();
          rows.onsuccess = () => all.push(...rows.result.map((it) => it.text));
        }
        transaction.oncomplete = () => { asked.result.close(); done(all); };
      };
    })
"""
"""What lies in the browser, of whichever conversation."""


def write(page: Page, words: str) -> None:
    page.locator("#say").fill(words)
    page.get_by_role("button", name="Send", exact=True).click()


def said(practice: Practice, talk: str) -> list[str | None]:
    return [each.text for each in messages_after(practice.world.principal, talk, 0, now=NOON)]


def until(page: Page, look: Callable[[], object]) -> None:
    """Let the page go on, and what answers its requests here, until it is so: 20 s at most."""
    for _ in range(400):
        if look():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not come about")


def stored(page: Page) -> list[Any]:
    """What lies in this browser: words that wait and drafts."""
    found: list[Any] = page.evaluate(STORED)
    return sorted(found)


def bubbles(page: Page) -> list[str]:
    """All that stands on the page, sent or not, in order."""
    return page.locator(".bubble:not(.bubble--typing) .prose").all_inner_texts()


def all_sent(page: Page, *words: str) -> None:
    """All that was written has been taken. `words`: what stands among it, on a page that was just loaded, where nothing
    waits as long as it has not looked for what does."""
    for each in words:
        expect(page.get_by_role("log")).to_contain_text(each, timeout=SOON)
    expect(page.locator("#outbox > li")).to_have_count(0, timeout=SOON)


def all_sent_slowly(page: Page) -> None:
    """A picture is examined in a process of its own."""
    expect(page.locator("#outbox > li")).to_have_count(0, timeout=40_000)


def numbers(page: Page) -> list[int]:
    return [int(seq) for seq in page.eval_on_selector_all("[data-line]", "all => all.map(it => it.dataset.seq)")]
