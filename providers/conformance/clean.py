"""Taking back what a run made, this one or one that was killed."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date

from providers.conformance.journal import Made
from providers.conformance.kit import Kit
from providers.conformance.step import NotTried
from providers.conformance.transcript import in_words, storable
from providers.conformance.words import Said, phrase
from providers.port import Accepted, Answer, Cancel, Confirmed, LookUp, NotFound, ProviderError
from providers.reported import RemoteBooking, RemoteSlot

LEFT_BOOKING = phrase("left-booking", "测试预约 {subject}（{why}）", "booking {subject} ({why})")
LEFT_SLOT = phrase("left-slot", "时段 {subject}（{why}）", "slot {subject} ({why})")
LEFT_WEBHOOKS = phrase("left-webhooks", "事件接收地址 {subject}（{why}）", "webhooks {subject} ({why})")
ON_ITS_WAY = phrase("perhaps-on-its-way", "可能仍在途中", "perhaps still on its way")
NO_LOOK_UP = phrase("cannot-be-looked-up", "无法查询", "cannot be looked up")
STILL = phrase("still-there", "仍为 {status}", "still {status}")
_LEFT = {"booking": LEFT_BOOKING, "slot": LEFT_SLOT, "webhooks": LEFT_WEBHOOKS}

OVER = ("cancelled", "rejected")
LATE_SECONDS = 60.0
"""How long after a command the provider may still carry it out (the protocol's bound)."""


def clean(kit: Kit, *, answered: bool = True, goes_on: Callable[[], bool] = lambda: True) -> list[Said]:
    """Take back all that the journal names; returns what is left. `answered`: the journal is this
    run's, which knows of what it sent whether that was answered: then it is not still on its way, and what is not there
    stays away. `goes_on` is asked before each: no longer, once somebody else has begun to use the provider."""
    left = []
    for made in list(kit.journal.left()):
        if made.what not in TAKEN_BACK:
            continue
        if not goes_on():
            break
        settled = (answered and made.subject not in kit.unsure) or made.age > LATE_SECONDS
        try:
            why = TAKEN_BACK[made.what](kit, made, settled)
        except NotTried as error:
            why = error.why
        except ProviderError as error:
            why = in_words(error)
        if why is None:
            kit.journal.gone(made)
        else:
            left.append(_LEFT[made.what](subject=made.subject, why=why).each(storable))
    return left


def _booking(kit: Kit, made: Made, settled: bool) -> Said | None:
    """None when nothing lives there under our reference, or no longer: what it says of a cancel counts where it can't
    be looked up. Why it may live there still otherwise."""
    there = kit.adapter.look_up(LookUp("", made.subject))
    if isinstance(there, NotFound):
        return None if settled else ON_ITS_WAY()
    if not isinstance(there, RemoteBooking):
        answer = _cancel(kit, made, None)
        if isinstance(answer, NotFound) and not settled:
            return ON_ITS_WAY()
        return None if isinstance(answer, _ENDED) else NO_LOOK_UP()
    while isinstance(there, RemoteBooking) and there.status not in OVER:
        ended, why = _end(kit, made, there)
        before, there = there, kit.adapter.look_up(LookUp("", made.subject))  # a double may stand behind it
        if isinstance(there, RemoteBooking) and there.reference == before.reference and there.status not in OVER:
            return why or STILL(status=there.status)
        if not isinstance(there, (RemoteBooking, NotFound)) and not ended:
            return why or NO_LOOK_UP()
    return None


_ENDED = (Confirmed, NotFound)
"""Answers to a cancel after which nothing lives there."""


def _end(kit: Kit, made: Made, there: RemoteBooking) -> tuple[bool, Said | None]:
    """Cancel it, or have the test mode remove what can't be cancelled: whether it has ended by the provider's word, and
    why the test mode removed nothing. That has nothing to remove where it is gone, so its word is not the last."""
    answer = _cancel(kit, made, there)
    if isinstance(answer, (*_ENDED, Accepted)):
        return not isinstance(answer, Accepted), None
    try:
        kit.mode.forget(there.reference)
    except NotTried as error:
        return False, error.why
    return True, None


def _cancel(kit: Kit, made: Made, there: RemoteBooking | None) -> Answer:
    key = f"{made.subject}-clean-{secrets.token_hex(4)}"  # a refusal of before is not repeated
    reference, version = (None, 0) if there is None else (there.reference, there.version)
    return kit.adapter.cancel(Cancel(key, made.subject, reference, "test", version))


def _slot(kit: Kit, made: Made, _settled: bool) -> None:
    slot = RemoteSlot(made.pool, made.subject, date.fromisoformat(made.service_date), None, None, 0)
    kit.mode.set_slot(slot, None)


def _webhooks(kit: Kit, _made: Made, _settled: bool) -> None:
    kit.mode.webhooks(None)


TAKEN_BACK = {"booking": _booking, "slot": _slot, "webhooks": _webhooks}
"""How each is taken back that is made at a provider's system; of a twin's bookings see booking.programs.clean."""
