"""The words of rehearsals: what each fault is, what a right system does, and what each verdict says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from booking.faults.kinds import Kind
from booking.rehearsals.view import Outcome, StepView


@dataclass(frozen=True)
class FaultWords:
    """`name` in a few words; `we` what we do; `right` what a right system does; `judged` how we judge it."""

    name: LazyString
    we: LazyString
    right: LazyString
    judged: LazyString


FAULTS: Mapping[Kind, FaultWords] = {
    Kind.LOST_ANSWER: FaultWords(
        _("The answer gets lost"),
        _("Your answer to the booking is carried out, but after a pause you get a 503 in place of ours."),
        _("Within a minute, send the same request with the same Idempotency-Key; you get the answer that was lost."),
        _("Right once the same key comes again. Wrong if it comes with another key, or not at all."),
    ),
    Kind.DUPLICATE: FaultWords(
        _("Everything comes twice"),
        _("Each webhook of the booking is sent twice with the same webhook-id."),
        _("Take both with a 2xx and act once."),
        _("Wrong if the second one is refused, or if the booking is answered under two keys."),
    ),
    Kind.OUT_OF_ORDER: FaultWords(
        _("The newest comes first"),
        _("The customer books and cancels at once; the webhook of the cancel is sent before that of the booking."),
        _("Take both with a 2xx. A booking whose version is lower than the one you have is old news: do nothing."),
        _("Wrong if you answer the booking after you were told that it is cancelled."),
    ),
    Kind.CLOCK_SKEW: FaultWords(
        _("The clock is wrong"),
        _("A webhook is signed for ten minutes ago or ahead, then sent again with the right time."),
        _("Refuse the first one: its webhook-timestamp is more than five minutes off. Take the second one."),
        _("Wrong if the first one is taken with a 2xx."),
    ),
    Kind.GONE: FaultWords(
        _("The booking is gone"),
        _("The customer cancels in the moment before you answer, so that your answer is refused by 412 or 409."),
        _("Look at the booking again, see that it is cancelled, and leave it."),
        _("Wrong if the booking is answered more than three times after that."),
    ),
    Kind.LATE: FaultWords(
        _("Everything is late"),
        _("The webhook comes some seconds late, and so does our answer to yours; meanwhile the customer cancels."),
        _("Wait for the answer, or repeat with the same key. Then take the cancel as the newest state."),
        _("Wrong if you answer under a second key, or answer again after you were told of the cancel."),
    ),
}

REASONS: Mapping[str, LazyString] = {
    "repeated": _("It was sent again with the same key."),
    "not_repeated": _("After the 503 it was not sent again within a minute."),
    "other_key": _("After the 503 it was sent again with another key: it was meant twice."),
    "no_answer": _("The booking was not answered in time."),
    "answered_once": _("Everything came twice, and the booking was answered once."),
    "answered_twice": _("The same answer was given under two keys."),
    "second_refused": _("The second one was not taken with a 2xx."),
    "not_taken": _("The webhook was not taken with a 2xx in time."),
    "not_reached": _("Your endpoint could not be reached, so that you were not told of the booking."),
    "older_ignored": _("The older news came last and changed nothing."),
    "believed_older": _("The booking was answered after its cancel was known."),
    "older_refused": _("The older news was not taken with a 2xx, so that it would be sent for days."),
    "skew_refused": _("The one with the wrong time was refused, and the right one taken."),
    "skew_accepted": _("The one with the wrong time was taken with a 2xx."),
    "accepted_the_end": _("The cancel was accepted as it is."),
    "retried_for_ever": _("The booking was gone, and it was answered again and again."),
    "found": _("The answer was thrown away, and the booking was found when we looked."),
    "not_found": _("The answer was thrown away, and the booking was not found when we looked."),
    "same_booking": _("The command came twice with the same key, and made one booking."),
    "made_twice": _("The command came twice with the same key, and the two answers differ."),
    "no_endpoint": _("No active endpoint of yours is told of these events."),
    "not_with_systems": _("This fault strikes programs that use the partner API, not a system that we call."),
    "not_booked": _("The test booking could not be made as this fault needs it."),
    "stopped": _("The rehearsal ended before."),
}
"""By the codes of a verdict (booking.rehearsals.judge.REASONS)."""


def explained(reason: str) -> str:
    """The sentence of a verdict's code, blank while there is none."""
    return str(REASONS[reason]) if reason else ""


OUTCOMES: Mapping[Outcome, LazyString] = {
    "passed": _("All right"),
    "failed": _("Not all right"),
    "incomplete": _("Incomplete"),
    "stopped": _("Ended early"),
}


def told(step: StepView) -> str:
    """A line of a timeline as a sentence."""
    facts = {**step.facts, "answered": _answer_of(step.facts.get("status"))}
    name = "delivered_again" if step.what in ("delivered", "not_delivered") and facts.get("copy") == 2 else step.what
    if facts.get("reference"):
        name = "in_the_way"
    if "found" in facts:
        name = "found" if facts["found"] else "not_found"
    if "seconds" in facts:
        facts["minutes"] = facts["seconds"] // 60
    return str(STEPS[name]) % facts


def _answer_of(status: object) -> str:
    return str(_("no answer")) if status is None else str(status)


STEPS: Mapping[str, LazyString] = {
    "booked": _("The test customer books."),
    "cancelled": _("The test customer cancels."),
    "delivered": _("Webhook %(type)s sent: %(answered)s"),
    "not_delivered": _("Webhook %(type)s sent: %(answered)s"),
    "delivered_again": _("Webhook %(type)s sent once more: %(answered)s"),
    "sent_ahead": _("Webhook %(type)s sent before its turn: %(answered)s"),
    "sent_skewed": _("Webhook %(type)s sent with a time that is %(minutes)s minutes off: %(answered)s"),
    "held": _("Webhook %(type)s held back for %(seconds)s seconds"),
    "answer_lost": _("Our answer is thrown away."),
    "read": _("Your program looks at the booking."),
    "answered": _("Your program sends %(answer)s with the key %(key)s…: %(answered)s"),
    "command_answered": _("Your system answers our command."),
    "found": _("We look it up: it is there."),
    "not_found": _("We look it up: it is not there."),
    "not_booked": _("The test booking was refused: %(code)s"),
    "in_the_way": _(
        "Test customer %(customer)s already has the booking %(reference)s at that time: cancel it, or clear all test "
        "bookings."
    ),
    "not_cancelled": _("The test customer could not cancel: %(code)s"),
}
"""By what was noted (booking.faults.models.RehearsalStep)."""
