"""One thing that a member says of a booking, from her form to the use case, and what became of it in words.

Each form carries the version of the booking that its reader saw. It makes the key of the request: sent twice it is
carried out once, and of two members who answer at once the second is told what the first one said.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from booking.answering import answer, queue, shown
from booking.answering.answer import ProvidersAnswer, TooEarly
from booking.answering.possible import no_show_from
from booking.answering.shown import ShownBooking
from booking.changes.reschedule import OutOfDate
from booking.idempotency import Repeatable
from marketplace import wording
from marketplace.core.errors import IdempotencyKeyReused, Invalid, NotFound, Refusal
from marketplace.web import formats
from marketplace.web.booking_words import provider_word
from marketplace.web.desk.work import words
from providers.staff import duties
from providers.staff.duties import DeskDuty
from vip.principal import Member

LONGEST_REASON = 200


@dataclass(frozen=True)
class Given:
    """What a form holds: the booking, the version that was seen, and what belongs to the saying."""

    booking: str
    version: int
    reason: str = ""
    slot: str = ""


@dataclass(frozen=True)
class Said:
    """What became of one of several: the booking's number, a sentence, and whether it was done."""

    number: str
    text: str
    done: bool


Do = Callable[[ProvidersAnswer, Given, datetime], None]

_DO: Mapping[str, Do] = {
    "confirm": lambda it, given, now: answer.confirm(it, now=now),
    "reject": lambda it, given, now: answer.reject(it, given.reason, now=now),
    "propose": lambda it, given, now: answer.propose(it, given.slot, reason=given.reason, expires_at=None, now=now),
    "accept_change": lambda it, given, now: answer.accept_change(it, now=now),
    "refuse_change": lambda it, given, now: answer.refuse_change(it, given.reason, now=now),
    "move": lambda it, given, now: answer.move(it, given.slot, now=now),
    "cancel": lambda it, given, now: answer.cancel(it, given.reason, now=now),
    "check_in": lambda it, given, now: answer.report(it, "checked_in", now=now),
    "start": lambda it, given, now: answer.report(it, "in_service", now=now),
    "complete": lambda it, given, now: answer.report(it, "fulfilled", now=now),
    "no_show": lambda it, given, now: answer.report(it, "no_show", now=now),
    "note": lambda it, given, now: queue.note_cancel(it.provider_id, it.booking, it.repeat, member=it.member, now=now),
}
SAYINGS = frozenset(_DO)
WITH_REASON = frozenset({"reject", "refuse_change", "cancel"})
WITH_SLOT = frozenset({"propose", "move"})
TO_CONFIRM = frozenset({"complete", "no_show"})
"""What ends the visit and uses up the benefit: said on a page of its own that tells so first."""
_OF_THE_VISIT = frozenset({"check_in", "start", "complete", "no_show"})


def duty_of(saying: str) -> DeskDuty:
    """The duty that it belongs to."""
    return "arrivals" if saying in _OF_THE_VISIT else "bookings"


def say(who: Member, saying: str, given: Given, *, now: datetime) -> None:
    """Say it. Raises NotFound for what nobody says or her role doesn't, Invalid(field="reason" or "slot") for what is
    missing, and what the use case raises (booking.answering.answer)."""
    if saying not in _DO:
        raise NotFound()
    duties.require(who, duty_of(saying))
    if saying in _OF_THE_VISIT:
        _check_visit(shown.booking(who.provider_id, given.booking), saying, now)
    if saying in WITH_REASON and not given.reason:
        raise Invalid(field="reason", reason="required")
    if saying in WITH_SLOT and not given.slot:
        raise Invalid(field="slot", reason="required")
    content = json.dumps([saying, given.reason, given.slot]).encode()
    repeat = Repeatable(
        f"member:{who.public_id}",
        f"{saying}:{given.booking}:{given.version}",
        hashlib.sha256(content).digest(),
    )
    it = ProvidersAnswer(who.provider_id, given.booking, repeat, given.version, member=who.public_id)
    _DO[saying](it, given, now)


def _check_visit(booking: ShownBooking, saying: str, now: datetime) -> None:
    opens_at = no_show_from(booking)
    if saying == "no_show" and now < opens_at:
        raise TooEarly(opens_at=opens_at, time_zone=booking.time_zone)


def agree(who: Member, chosen: str, *, now: datetime) -> Said | None:
    """Agree to one of several, named as the list names it: `confirm.ID.VERSION` or `accept_change.ID.VERSION`. None for
    what names nothing of this provider's."""
    saying, _dot, rest = chosen.partition(".")
    booking, _dot, version = rest.rpartition(".")
    if saying not in ("confirm", "accept_change") or not version.isdecimal() or len(version) > 9 or not booking:
        return None
    try:
        number = formats.reference(shown.booking(who.provider_id, booking).reference)
        say(who, saying, Given(booking, int(version)), now=now)
    except NotFound:
        return None
    except Refusal as refusal:
        return Said(number, why_not(who, booking, refusal), done=False)
    return Said(number, words.done_line(saying), done=True)


def why_not(who: Member, booking: str, refusal: Refusal) -> str:
    """Why it was not done; when somebody was faster, what the booking is now. Raises NotFound."""
    if not isinstance(refusal, (OutOfDate, IdempotencyKeyReused)):
        return wording.sentence(refusal)
    state = provider_word(shown.booking(who.provider_id, booking).status)
    return _("It changed while you looked at it. Nothing of yours was carried out. It is now: %(state)s.", state=state)
