"""A provider that sends escorts, and a customer's side of it through the adapter."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from providers.adapters.open_protocol import OpenProtocol
from providers.port import Accepted, Cancel, Change, Confirmed, LookUp, Person, Reserve, Venue
from providers.reported import EscortLine, RemoteBooking, RemoteSlot
from tests.eventually import eventually
from tests.sandboxes import Control, Inbox, Sandbox, account

OFFER, POOL = "ESCORT", "HZ"
PERSON = Person("沈静宜", "female", date(1988, 4, 12))
VENUE = Venue("sit_1", "杭州示范总院", "杭州市", "西湖区", "文溪路 8 号")
ANSWERS = {"department": "心内科", "mobility": "wheelchair", "contact_name": "陆明", "contact_phone": "13900000099"}
WINDOWS = {"pool": POOL, "offers": [OFFER], "time_zone": "Asia/Shanghai", "pattern": "half_days"}
_numbers = count()


def sending(code: str, manner: str = "prompt", *, pools: Any = (WINDOWS,), **way: Any) -> dict[str, Any]:
    """An account of the configuration: somebody is named at once and does the next thing every moment, unless it says
    otherwise."""
    works = {"offers": [OFFER], "staff": 6, "assign_after": 0.1, "every": 0.1, **way}
    return account(code, manner, pools=list(pools), escorts=works)


@dataclass
class Sent:
    """A booking at an account, or yet to be made."""

    sandbox: Sandbox
    account: str
    slot: RemoteSlot
    ours: str = field(default_factory=lambda: "B-" + secrets.token_hex(6))
    reference: str = ""

    @property
    def control(self) -> Control:
        """The strings of the account."""
        return self.sandbox.control(self.account)

    @property
    def adapter(self) -> OpenProtocol:
        """Speaks to it."""
        return OpenProtocol(self.sandbox.connection(self.account))

    def book(self, **answers: Any) -> Confirmed | Accepted:
        """Ask for it."""
        at = (self.slot.service_date, self.slot.starts_at, self.slot.ends_at)
        wish = Reserve(
            *(f"{self.ours}-key", self.ours, OFFER, self.slot.pool, self.slot.reference, *at, PERSON),
            answers={**ANSWERS, **answers},
            venue=VENUE,
        )
        answer = self.adapter.reserve(wish)
        assert isinstance(answer, (Confirmed, Accepted)), answer
        self.reference = answer.reference
        return answer

    def move(self, slot: RemoteSlot) -> None:
        """To another window."""
        at = (slot.service_date, slot.starts_at, slot.ends_at)
        answer = self.adapter.change(Change(f"{self.ours}-move", self.ours, self.reference, slot.reference, *at))
        assert isinstance(answer, Confirmed), answer
        self.slot = slot

    def cancel(self) -> None:
        """Take it back."""
        answer = self.adapter.cancel(Cancel(f"{self.ours}-cancel", self.ours, self.reference, "customer"))
        assert isinstance(answer, Confirmed), answer

    def lines(self) -> list[EscortLine]:
        """All that was done, which can be read."""
        page = self.adapter.escort_lines_after(self.reference, 0)
        assert page.next is None and not page.unreadable, page
        return list(page.lines)

    def until(self, kind: str) -> list[EscortLine]:
        """The lines, once there is one of the kind."""

        def done() -> list[EscortLine]:
            lines = self.lines()
            return lines if kind in {each.kind for each in lines} else []

        return list(eventually(done, 20))

    def status(self) -> str:
        """The booking's."""
        found = self.adapter.look_up(LookUp("", self.ours))
        assert isinstance(found, RemoteBooking), found
        return found.status

    def kept(self) -> dict[str, Any]:
        """What the provider holds of it."""
        return self.control.escorts(self.ours)[0]


def windows(sandbox: Sandbox, account: str) -> list[RemoteSlot]:
    """All windows on sale, from the day after tomorrow on."""
    first = datetime.now(UTC).date() + timedelta(days=2)
    return list(OpenProtocol(sandbox.connection(account)).slots(first, first + timedelta(days=50), None, None).slots)


def wanted(sandbox: Sandbox, account: str) -> Sent:
    """A booking to be made, of a window that no other test uses."""
    return Sent(sandbox, account, windows(sandbox, account)[next(_numbers)])


def booked(sandbox: Sandbox, account: str, **answers: Any) -> Sent:
    """A booking that is confirmed."""
    sent = wanted(sandbox, account)
    assert isinstance(sent.book(**answers), Confirmed)
    return sent


def told(inbox: Inbox, sent: Sent) -> list[dict[str, Any]]:
    """The lines that events brought, in the order of arrival."""
    bodies = [json.loads(message.body) for message in list(inbox.received)]
    lines = [body["data"]["line"] for body in bodies if body["type"] == "escort.line"]
    return [line for line in lines if line["our_reference"] == sent.ours]
