"""Test consultations: opened and written down like every test booking, and what is said in them."""

from __future__ import annotations

import hashlib
import secrets
import struct
import zlib
from dataclasses import dataclass

from marketplace.core import clock
from providers.conformance.journal import Made
from providers.conformance.kit import CONFIRMED_OR_LATER, TEST_CONFIRMED, Kit, said
from providers.conformance.step import NoSuchMode, NotTried, expect
from providers.conformance.words import phrase
from providers.conversing import Converses, Delivered, OpenConversation, OutgoingMessage, Picture
from providers.port import Accepted, Answer, Confirmed, ProviderAdapter, Unknown
from providers.reported import TEST_PREFIX, RemoteMessage

MOST_PAGES = 20
ANSWER_SECONDS = 90

NO_CONSULTATION = phrase(
    "no-consultation-known",
    "没有可发起的测试问诊：请指定一个，或由测试模式给出",
    "no consultation is known to open: give one, or let the test mode say it",
)
NOT_CONVERSING = phrase(
    "kind-without-consultations", "这类系统不接在线问诊", "systems of this kind answer no consultations"
)
READABLE_LINES = phrase("lines-readable", "每一句都能读取", "lines that can all be read")
UNREADABLE_LINES = phrase("lines-unreadable", "有读不懂的：{reasons}", "unreadable ones: {reasons}")
WITHOUT_GAP = phrase("lines-without-gap", "从 {first} 起连续编号", "numbers from {first} on without a gap")
NUMBERS = phrase("numbers-that-came", "编号为 {numbers}", "the numbers {numbers}")
LIST_ENDS = phrase("line-list-ends", "有尽头的列表", "a list that ends")
TOO_LONG = phrase("lines-more-pages", "超过 {number} 页", "more than {number} pages")
NEXT_LINE = phrase(
    "next-line-listed", "医生的下一句（第 {seq} 句）在列表里", "the doctor's next line, number {seq}, in the list"
)


@dataclass(frozen=True)
class Talk:
    """A test consultation that the provider has confirmed."""

    wish: OpenConversation
    reference: str


def conversing(adapter: ProviderAdapter) -> Converses:
    """The adapter, as one whose provider's doctors answer. Raises NotTried."""
    if not isinstance(adapter, Converses):
        raise NoSuchMode(NOT_CONVERSING())
    return adapter


def wish_of(kit: Kit) -> OpenConversation:
    """A command for a test consultation of its own. Raises NotTried."""
    offer, department = kit.consultation
    if not offer:
        raise NotTried(NO_CONSULTATION())
    ours = f"{TEST_PREFIX}{secrets.token_hex(10)}"
    answers = {"symptoms": "测试 test", "since": "today"}
    return OpenConversation(
        f"{ours}-key", ours, offer, department, "zh", kit.target.person, answers, False, ANSWER_SECONDS
    )


def send(kit: Kit, wish: OpenConversation, *, hasty: bool = False) -> Answer:
    """Open it, once that is written down."""
    adapter = conversing(kit.hasty if hasty else kit.adapter)
    now = clock.now()
    kit.journal.add(Made("booking", wish.our_reference, now.isoformat(), "", now.date().isoformat()))
    kit.unsure.add(wish.our_reference)
    answer = adapter.open(wish)
    if not isinstance(answer, Unknown):
        kit.unsure.discard(wish.our_reference)
    return answer


def confirmed(kit: Kit, wish: OpenConversation, answer: Answer) -> Talk:
    """The consultation that this answer promised, once it is confirmed. Raises Failed."""
    if isinstance(answer, Accepted):
        there = kit.until(wish, ("confirmed", "rejected"))
        expect(there.status == "confirmed", TEST_CONFIRMED(), said(there))
        return Talk(wish, there.reference)
    expect(isinstance(answer, Confirmed), CONFIRMED_OR_LATER(), said(answer))
    assert isinstance(answer, Confirmed)  # noqa: S101  for the type
    return Talk(wish, answer.reference)


def opened(kit: Kit) -> Talk:
    """A test consultation that is confirmed. Raises Failed, NotTried."""
    wish = wish_of(kit)
    return confirmed(kit, wish, send(kit, wish))


def message(talk: Talk, number: int, text: str = "测试 test", picture: Picture | None = None) -> OutgoingMessage:
    """The number-th thing that the customer says in it."""
    ours = talk.wish.our_reference
    words = "" if picture else text
    return OutgoingMessage(f"{ours}-{number}", talk.reference, ours, number, clock.now(), words, picture)


def say(kit: Kit, talk: Talk, number: int) -> Delivered:
    """Say it."""
    return conversing(kit.adapter).post(message(talk, number))


def lines(kit: Kit, talk: Talk, after: int = 0) -> list[RemoteMessage]:
    """All that was said after a number. Raises Failed for what cannot be read and for gaps."""
    found: list[RemoteMessage] = []
    goes_on: int | None = after
    for _number in range(MOST_PAGES):
        page = conversing(kit.adapter).said_after(talk.reference, goes_on or 0)
        reasons = sorted({row.reason for row in page.unreadable})
        expect(not reasons, READABLE_LINES(), UNREADABLE_LINES(reasons=", ".join(reasons)[:200]))
        found += page.messages
        goes_on = page.next
        if goes_on is None:
            break
    expect(goes_on is None, LIST_ENDS(), TOO_LONG(number=MOST_PAGES))
    numbers = [each.seq for each in found]
    gapless = numbers == list(range(after + 1, after + 1 + len(found)))
    expect(gapless, WITHOUT_GAP(first=after + 1), NUMBERS(numbers=", ".join(map(str, numbers))[:100]))
    return found


def answered(kit: Kit, talk: Talk, *orders: str) -> list[RemoteMessage]:
    """All lines, once a doctor has said what is ordered of the test mode: say, picture, summarise. Raises NotTried,
    Failed."""
    known = lines(kit, talk)
    for order in orders:
        kit.mode.move(talk.reference, order)
        before = len(known)

        def more(before: int = before) -> list[RemoteMessage] | None:
            found = lines(kit, talk)
            return found if len(found) > before else None

        known = kit.wait(more, NEXT_LINE(seq=before + 1))
    return known


def white_point() -> Picture:
    """One white point, as PNG."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checked)

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0\xff\xff\xff")
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return Picture(content, "image/png", hashlib.sha256(content).hexdigest())
