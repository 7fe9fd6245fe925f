"""Consultations of every outcome at a practice, and the same counted again from messages, by other code."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil, inf

from sqlalchemy import select, text, update

from booking.consultation.close import close
from booking.consultation.figures.scope import Days, Whose
from booking.consultation.open import Opening, open_consultation
from booking.consultation.queue import accept, assign, hand_over
from booking.consultation.say import Said, customer_says
from booking.consultation.summary import Summary
from booking.hold.begin import BeginRequest
from booking.idempotency import Repeatable
from booking.pledges.keep import keep_pledges
from booking.ratings.rate import rate
from booking.twins.customers import customer
from booking.twins.open import open_test_mode
from marketplace.catalog.models import Insurer, Offer, Provider
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from tests.booking.consultation.rooms import Practice, make_clinician
from tests.booking.pledges.rows import give_up
from tests.booking.twins.stage import BY
from tests.people import NOON, TODAY
from tests.world import join
from vip.models import Customer

HOUR = timedelta(hours=1)
DAYS = Days(TODAY - timedelta(days=1), TODAY + timedelta(days=1))
NOW = NOON + 20 * HOUR
"""When everything in `lived` has happened; what is asked then still waits."""


def answered(
    practice: Practice, seconds: float, *, at: datetime = NOON, department: str = "", stars: int | None = None
) -> str:
    """One that was answered so many seconds after it was asked, and closed; the conversation."""
    opened = practice.open(department=department, now=at)
    practice.ask(opened.conversation, "嗓子疼", now=at)
    keep_pledges(now=at + timedelta(seconds=seconds))
    practice.answer(opened.conversation, "多久了？", now=at + timedelta(seconds=seconds))
    done = at + timedelta(seconds=seconds + 60)
    close(practice.clinician, opened.conversation, Summary("急性咽炎"), now=done)
    if stars is not None:
        rate(practice.world.principal, opened.booking, stars, "", done)
    return opened.conversation


def asked(practice: Practice, *, at: datetime = NOON, department: str = "") -> tuple[str, str]:
    """One that nobody has answered: booking and conversation."""
    opened = practice.open(department=department, now=at)
    practice.ask(opened.conversation, "嗓子疼", now=at)
    return opened.booking, opened.conversation


def given_up(practice: Practice, *, at: datetime = NOON) -> None:
    """One that its customer ended before she was answered."""
    booking, _ = asked(practice, at=at)
    give_up(booking, now=at + timedelta(seconds=10))


def handed(practice: Practice) -> None:
    """One that goes back to the queue, to a colleague, by a lead to another one, and is answered there."""
    second, lead = make_clinician(practice.world), make_clinician(practice.world, lead=True)
    booking, conversation = asked(practice, at=NOON + 5 * HOUR)
    moments = iter(NOON + 5 * HOUR + timedelta(seconds=10 * step) for step in range(1, 9))
    accept(practice.clinician, conversation, now=next(moments))
    hand_over(practice.clinician, conversation, None, now=next(moments))
    accept(practice.clinician, conversation, now=next(moments))
    hand_over(practice.clinician, conversation, second.public_id, now=next(moments))
    assign(lead, conversation, lead.public_id, now=next(moments))
    replace(practice, clinician=lead).answer(conversation, "您好", now=next(moments))
    close(lead, conversation, Summary("感冒"), now=next(moments))
    assert booking


def lived(practice: Practice) -> None:
    """Two days of a practice: met, late, never answered, given up, running, rated and handed over."""
    answered(practice, 20, stars=5)
    answered(practice, 40, stars=4)
    answered(practice, 89.5, at=NOON + 3 * HOUR, department="dermatology", stars=5)
    answered(practice, 95, at=NOON + 3 * HOUR, department="dermatology")
    answered(practice, 300, at=NOON + 9 * HOUR, department="dermatology", stars=1)
    answered(practice, 5, at=NOON + 15 * HOUR)
    given_up(practice, at=NOON + HOUR)
    handed(practice)
    asked(practice, at=NOON + 16 * HOUR)  # nobody ever answers
    keep_pledges(now=NOON + 17 * HOUR)
    asked(practice, at=NOW - timedelta(seconds=70), department="dermatology")
    asked(practice, at=NOW - timedelta(seconds=10))
    keep_pledges(now=NOW)


def of_another_insurer(practice: Practice) -> Practice:
    """The same practice, asked by somebody of another insurer."""
    world = practice.world
    there = join(world.provider, world.offer, [], phone="13800000077", quantity=50)
    with transaction() as session:
        other = Insurer(public_id=new_id("ins"), code=uuid.uuid4().hex, name_zh="另一家", name_en="Other")
        session.add(other)
        session.flush()
        session.execute(update(Customer).where(Customer.id == there.customer.id).values(insurer_id=other.id))
    principal = replace(there.principal, insurer_id=other.id)
    return Practice(replace(there, principal=principal), practice.clinician)


def asked_in_test_mode(practice: Practice) -> int:
    """A question of a test customer to the practice's twin, which is never answered; the twin's internal id."""
    twin = open_test_mode(practice.world.provider.id, BY, NOON)
    tester = customer(twin.id, 1)
    with transaction() as session:
        session.execute(update(Provider).where(Provider.id == twin.id).values(adapter="desk"))
        offer = session.scalars(select(Offer.public_id).where(Offer.provider_id == twin.id)).one()
    wanted = Opening(BeginRequest(offer, tester.person, None, {}), "", "zh")
    repeat = Repeatable(tester.principal.public_id, str(uuid.uuid4()), b"f")
    opened = open_consultation(tester.principal, wanted, repeat, now=NOON)
    customer_says(tester.principal, opened.conversation, Said(str(uuid.uuid4()), "试一试"), now=NOON)
    keep_pledges(now=NOW)
    return twin.id


def insurer_of(practice: Practice) -> Whose:
    """What an operator of the practice's insurer may see."""
    return Whose(practice.world.principal.insurer_id, None)


def mine(practice: Practice) -> Whose:
    """What the practice's manager may see."""
    return Whose(None, practice.world.provider.id)


@dataclass
class Recount:
    """What the messages of a practice's consultations say, and nothing else does but who ended one herself: seconds
    until the first answer of those that are over, infinite for those that were never answered; and how many run."""

    seconds: list[float]
    running: int
    cancelled: int

    @property
    def met(self) -> int:
        return sum(each < 90 for each in self.seconds)

    def percentile(self, part: float) -> float:
        """The nearest rank."""
        return sorted(self.seconds)[ceil(part * len(self.seconds)) - 1]


def recounted(provider_id: int, insurer_id: int, *, now: datetime, department: str = "") -> Recount:
    """From raw messages, with a promise of 90 seconds."""
    query = text("""
        SELECT min(m.at) FILTER (WHERE m.author = 'customer') AS asked_at,
               min(m.at) FILTER (WHERE m.author = 'clinician') AS answered_at,
               bool_or(b.state = 'cancelled') AS cancelled
          FROM conversation_message m JOIN conversation c ON c.id = m.conversation_id
          JOIN booking b ON b.id = c.booking_id
         WHERE b.provider_id = :provider AND b.insurer_id = :insurer AND :department IN ('', c.department)
         GROUP BY c.id
    """)
    found = Recount([], 0, 0)
    with reading() as session:
        for row in session.execute(
            query, {"provider": provider_id, "insurer": insurer_id, "department": department}
        ).all():
            if row.answered_at is not None:
                found.seconds.append((row.answered_at - row.asked_at).total_seconds())
            elif row.cancelled:
                found.cancelled += 1
            elif now - row.asked_at < timedelta(seconds=90):
                found.running += 1
            else:
                found.seconds.append(inf)
    return found
