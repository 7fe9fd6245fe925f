"""What the tests of messages share: times, and one run of the sender."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select

from booking.notices.models import NotificationDelivery
from marketplace.core.database.db import reading
from providers.port import Confirmed
from tests.people import NOON
from tests.world import FakeAdapter, World, one_pass


def confirmed(world: World, slot: int = 0) -> str:
    booking = world.submit(slot)
    one_pass(world, FakeAdapter(answers=[Confirmed(f"R-{slot}", 1)]), now=NOON)
    return booking


def states() -> list[tuple[str, str, str]]:
    with reading() as session:
        rows = session.scalars(select(NotificationDelivery).order_by(NotificationDelivery.id))
        return [(row.channel, row.state, row.reason) for row in rows]


@dataclass
class MailBox:
    """An e-mail gateway that keeps what it is handed."""

    mails: list[tuple[str, str, str, str]] = field(default_factory=list)

    def send(self, to: str, subject: str, text: str, *, key: str) -> None:
        """Keep it."""
        self.mails.append((to, subject, text, key))

    def code(self) -> str:
        """The code in the newest mail."""
        return next(word for word in self.mails[-1][2].replace("，", " ").split() if word.isdigit())
