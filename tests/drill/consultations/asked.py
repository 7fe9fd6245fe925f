"""Consultations in which everything has happened that a recount tells apart."""

from __future__ import annotations

from datetime import timedelta

from booking.consultation.assigning.escalate import escalate
from booking.pledges.keep import keep_pledges
from tests.booking.consultation.rooms import Practice, make_practice
from tests.booking.pledges.rows import after, give_up
from tests.people import NOON

DAY = {"since": NOON - timedelta(hours=12), "until": NOON + timedelta(hours=12)}


def five_asked() -> Practice:
    """Five who asked at noon: one was answered in time, one after the clock had come, one too late and before it came,
    one never, and one gave up."""
    made = make_practice(quantity=50)
    met, late, unseen, never, left = (made.open(department=it) for it in ("", "", "dermatology", "dermatology", ""))
    for each in (met, late, unseen, never, left):
        made.ask(each.conversation, "嗓子疼")
        made.ask(each.conversation, "还发烧", now=after(3))
    give_up(left.booking, now=after(10))
    made.answer(met.conversation, "多久了？", now=after(20))
    escalate(now=after(45.4))
    escalate(now=after(75.4))
    made.answer(unseen.conversation, "多久了？", now=after(91))
    keep_pledges(now=after(91.2))
    made.answer(late.conversation, "多久了？", now=after(120))
    return made
