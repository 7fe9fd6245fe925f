"""The faults of a provider's own in words, and what its people do about each (booking.health.own)."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from marketplace.web.desk.case_words import ESCORT_CASES

WORDS: Mapping[str, tuple[LazyString, LazyString]] = {
    "unreadable_row": (
        _("A row of yours that we could not use"),
        _("All others were taken. Correct it and deliver it again; we ask for it again too."),
    ),
    "slot_oversold": (
        _("You offer fewer places than are booked"),
        _("All bookings stay. Keep their places, or tell the operator."),
    ),
    "clinician_unknown": (
        _("Somebody answers patients who is not on your roster"),
        _("Her words wait. List her; then an operator verifies her."),
    ),
    "clinician_not_verified": (
        _("A doctor of yours has answered and is not verified"),
        _("Her words wait until an operator has compared her with the register."),
    ),
    "messages_waiting": (
        _("What patients write does not reach you"),
        _("It goes out by itself once your system takes it. Their clocks run."),
    ),
    "message_refused": (
        _("You did not take what a patient wrote"),
        _("She is told that it was not delivered. See why your system refused it."),
    ),
    "line_differs": (
        _("A message came twice with other words"),
        _("The first one stands. Say the other as a new message."),
    ),
    "line_after_end": (
        _("A doctor wrote after the end of a consultation"),
        _("The patient reads it once she opens the consultation again."),
    ),
    "line_missing": (
        _("A message is missing in your list"),
        _("What came after it waits. Deliver the missing one: numbers have no gap."),
    ),
    "picture_not_fetched": (
        _("A doctor's picture could not be fetched"),
        _("We try again for two minutes. See whether your system gives it out."),
    ),
    "list_not_read": (
        _("The messages of a consultation can't be read"),
        _("Others can. See what your system answers when we ask for the list of this one."),
    ),
    "ended_without_answer": (
        _("A consultation was ended that nobody answered"),
        _("The patient still waits. Answer her, or cancel the booking."),
    ),
    **ESCORT_CASES,
    "escort_not_named": (
        _("Somebody whom you did not name says she is with a customer"),
        _("Say who comes by a line of its own before she tells anything. What she said is kept out."),
    ),
    "escort_line_differs": (
        _("An escort's step came twice, with other contents"),
        _("The first one stands. Say the other as a new line."),
    ),
    "escort_after_end": (
        _("You say something of an escort that is over or was given up"),
        _("It changes nothing. See whether your worker knows that the booking has ended."),
    ),
    "escort_wrong_code": (
        _("An escort was given a wrong code"),
        _("The step stands, without the code. Call your worker: is she with the right person?"),
    ),
    "escort_two_at_once": (
        _("You send one escort to two customers at the same time"),
        _("Both stand here. Name somebody else for one of them."),
    ),
    "escort_line_missing": (
        _("A step is missing in your list of an escort"),
        _("What came after it waits. Deliver the missing one: numbers have no gap."),
    ),
    "escort_picture_not_fetched": (
        _("The picture of an escort's step could not be fetched"),
        _("We try again for two minutes. See whether your system gives it out."),
    ),
    "escort_list_not_read": (
        _("The steps of an escort can't be read"),
        _("Others can. See what your system answers when we ask for the list of this one."),
    ),
    "escort_end_unproved": (
        _("You say how an escort ended, and your steps say otherwise"),
        _("Deliver the steps that are missing, the hand-over among them."),
    ),
    "escort_called_off": (
        _("You gave up an escort shortly before it began"),
        _("The customer was told. We may call you about another time."),
    ),
    "slot_moved": (
        _("A time that is booked was moved"),
        _("The customers' time stays. Propose another one to each instead."),
    ),
    "too_early": (
        _("A visit was reported before its day"),
        _("Nobody can have come yet. Correct the status."),
    ),
    "time_differs": (
        _("You have another time than the customer"),
        _("The customer's time stays. Correct yours, or propose another one."),
    ),
    "state_differs": (
        _("Your status does not fit ours"),
        _("Compare both histories of the booking; the operator decides."),
    ),
    "theirs_only": (
        _("A booking that we do not know"),
        _("None of our customers made it. Cancel it, or tell the operator whose it is."),
    ),
    "duplicate_there": (
        _("The same booking twice at yours"),
        _("We cancel the surplus one. If it stays, cancel it."),
    ),
    "report_unmatched": (
        _("A report without a booking"),
        _("It is shown to nobody. Deliver it again with the reference of its booking."),
    ),
    "report_not_confirmed": (
        _("A report for a booking that is not confirmed"),
        _("It is shown to nobody. Confirm the booking; then the report is taken by itself."),
    ),
    "report_incomplete": (
        _("A delivered report has gaps"),
        _("Results or papers that it names are missing. Deliver a complete version."),
    ),
    "report_not_fetched": (
        _("A report could not be fetched"),
        _("We try again by ourselves. See whether your system gives it out."),
    ),
    "report_refused": (
        _("A delivered report was refused"),
        _("The file is of a wrong type, may do harm, or names another person than the booking. Deliver the right one."),
    ),
    "report_overdue": (
        _("A report is late"),
        _("It was promised and has not come. Deliver it; the customer was notified."),
    ),
    "outcome_unknown": (
        _("We do not know whether you booked it"),
        _("Your answer did not reach us in time. Confirm or refuse the booking."),
    ),
    "commands_waiting": (
        _("Requests to you wait"),
        _("They go out by themselves once your system takes them."),
    ),
    "cancel_refused": (
        _("You refused a cancel"),
        _("For us the booking is over. Settle it with the operator."),
    ),
    "allotment_refused": (
        _("A place that you had given us was refused"),
        _("The customer has a confirmed date. Keep it, or call the operator at once."),
    ),
}


def fault_words(kind: str) -> tuple[str, str]:
    """A kind of fault, and what to do about it. A kind without words is its code."""
    name, does = WORDS.get(kind, (kind, ""))
    return str(name), str(does)
