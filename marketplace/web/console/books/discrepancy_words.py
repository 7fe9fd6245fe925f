"""The kinds of discrepancies in words, what an operator does about each, and how they are closed."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from marketplace.web.booking_words import known, provider_word

WORDS: Mapping[str, tuple[LazyString, LazyString]] = {
    "theirs_only": (
        _("A booking that only they have"),
        _("Nobody of ours made it. Ask the provider what it is, or have it cancelled there."),
    ),
    "ours_only": (
        _("A booking that only we have"),
        _("The provider expects nobody. Send it again, or cancel it and give the benefit back."),
    ),
    "duplicate_there": (
        _("The same booking twice there"),
        _("The surplus one is being cancelled there. If it stays, ask the provider."),
    ),
    "old_date_used": (
        _("The old date was used after a change"),
        _("Somebody came on a date that had been changed. Agree with the provider which one counts."),
    ),
    "too_early": (
        _("They report a visit before its day"),
        _("Nobody can have come, or stayed away, yet. Ask the provider whom it means; the booking stays."),
    ),
    "time_differs": (
        _("They have another time"),
        _("The customer's time stays here. Agree on one with the provider, then tell the customer."),
    ),
    "closure_stands": (
        _("Their site closes, and they keep the booking"),
        _("The provider refused to cancel it. Agree with them, then cancel it here."),
    ),
    "cancel_refused": (
        _("They refused our cancel"),
        _("The booking is over here and live there. Settle it by phone."),
    ),
    "allotment_refused": (
        _("They refused a place they had given us"),
        _("The customer has a confirmed date. Find another place at once."),
    ),
    "state_differs": (
        _("We and they say different things"),
        _("Look at both histories and ask the provider."),
    ),
    "outcome_unknown": (
        _("Nobody knows whether it was booked"),
        _("The deadline is over. Ask the provider by phone and tell the customer."),
    ),
    "commands_waiting": (
        _("Commands wait and are not taken"),
        _("They go out by themselves when the provider takes them. Ask it what is wrong, or pause it."),
    ),
    "slot_oversold": (
        _("They offer less than we have sold"),
        _("All sold places stay, and the customers were told so. Ask the provider to honour them."),
    ),
    "unreadable_row": (
        _("They sent something that cannot be read"),
        _("It was passed over, all else was taken. It is asked for again; tell the provider what is wrong."),
    ),
    "clinician_not_verified": (
        _("A doctor of theirs has answered and is not verified"),
        _("Her words wait, and the patient with them. Compare her with the register now (Providers, Clinicians)."),
    ),
    "clinician_unknown": (
        _("Somebody answers who is not on their roster"),
        _("Her words wait, and the patient with them. Ask the provider to list her."),
    ),
    "messages_waiting": (
        _("What patients write is not taken"),
        _("It goes out by itself when the provider takes it; the clocks run. Ask the provider what is wrong."),
    ),
    "message_refused": (
        _("They did not take what a customer wrote"),
        _("It is marked as not delivered. Ask the provider why, and tell the customer."),
    ),
    "line_differs": (
        _("A doctor's message came twice, with other words"),
        _("The first one stands. Ask the provider which is right."),
    ),
    "line_after_end": (
        _("A doctor wrote after the end"),
        _("It is shown once the customer opens the consultation again. Ask the provider whether it is urgent."),
    ),
    "line_missing": (
        _("A doctor's message is missing in their list"),
        _("What came after it waits. Ask the provider for the missing one."),
    ),
    "picture_not_fetched": (
        _("A doctor's picture can't be fetched"),
        _("What was said after it goes on after two minutes. Ask the provider."),
    ),
    "list_not_read": (
        _("The doctors' messages of a consultation can't be read"),
        _("We ask again and again, with growing pauses. Ask the provider what is wrong with this one."),
    ),
    "ended_without_answer": (
        _("They ended a consultation that nobody answered"),
        _("The customer still waits here. Ask the provider, or cancel it and give the benefit back."),
    ),
    "escort_complaint": (
        _("A customer says that something was wrong with an escort"),
        _("Call her now. Close it once it is settled, or cancel the booking and give the benefit back."),
    ),
    "escort_lost": (
        _("Nobody is known to have come to an escort"),
        _("Call the customer now. If the booking still stands, say whether it took place: that settles its unit."),
    ),
    "escort_came_after_all": (
        _("An escort that was cancelled, as nobody came, took place"),
        _("The worker's phone told it later. The benefit was given back: agree with provider and customer."),
    ),
    "escort_nobody": (
        _("Nobody is found to be with a customer"),
        _("The customer was told if their desk can't find anybody either. Ask the provider whom it can send."),
    ),
    "escort_late": (
        _("Somebody who is sent is late"),
        _("Nobody else could be there in time. Ask the provider to call the worker, and tell the customer."),
    ),
    "escort_away": (
        _("Somebody who is with a customer can't stay"),
        _("Her provider has her as absent, or as no longer there. Ask it who goes on, then close this."),
    ),
    "escort_not_named": (
        _("Somebody whom they did not name says she is with a customer"),
        _("What she said is kept out. Call the customer and ask who is with her, then ask the provider."),
    ),
    "escort_line_differs": (
        _("An escort's step came twice, with other contents"),
        _("The first one stands. Ask the provider which is right."),
    ),
    "escort_after_end": (
        _("They say something of an escort that is over or was given up"),
        _("It changes nothing. If somebody was with the customer all the same, agree with provider and customer."),
    ),
    "escort_wrong_code": (
        _("An escort was given a wrong code"),
        _("The step stands, without the code. Call the customer and ask who is with her."),
    ),
    "escort_two_at_once": (
        _("They send one escort to two customers at the same time"),
        _("Both stand here. Ask the provider whom it sends where."),
    ),
    "escort_line_missing": (
        _("A step is missing in their list of an escort"),
        _("What came after it waits. Ask the provider for the missing one."),
    ),
    "escort_picture_not_fetched": (
        _("The picture of an escort's step can't be fetched"),
        _("What was done after it goes on after two minutes. Ask the provider."),
    ),
    "escort_list_not_read": (
        _("The steps of an escort can't be read"),
        _("We ask again and again, with growing pauses. Ask the provider who goes, and how far she is."),
    ),
    "escort_end_unproved": (
        _("They say how an escort ended, and their steps say otherwise"),
        _("Ask the customer whether somebody was with her. Her silence says nothing until you close this."),
    ),
    "escort_called_off": (
        _("They gave up an escort shortly before it began"),
        _(
            "The benefit is back, and the customer was told the nearest other times. Call her: see whether somebody "
            "else can come."
        ),
    ),
    "slot_moved": (
        _("They moved a time that is sold"),
        _("The customers' time stays here. Ask the provider, then tell the customers."),
    ),
    "report_unmatched": (
        _("A report without a booking"),
        _("It is shown to nobody. Ask the provider whose it is."),
    ),
    "report_not_confirmed": (
        _("A report for a booking that is not confirmed"),
        _("It is shown to nobody, and taken once the provider confirms the booking. Ask the provider what is right."),
    ),
    "report_overdue": (
        _("A report is late"),
        _("It was promised and has not come. Ask the provider; the customer was notified."),
    ),
    "report_critical": (
        _("A result asks for a doctor at once"),
        _("The provider marked it critical; the customer was told first. Call her now and make sure she has seen it."),
    ),
    "report_incomplete": (
        _("A delivered report has gaps"),
        _(
            "Results it names are missing in the file, or a paper is of a type we don't show. The customer is "
            "told. Ask the provider for the rest."
        ),
    ),
    "report_not_fetched": (
        _("A report can't be fetched"),
        _("It was tried six times; we go on trying. The customer is told. Ask the provider."),
    ),
    "report_refused": (
        _("A delivered report was refused"),
        _(
            "The file is of a wrong type, may do harm, or names another person than the booking; nothing was stored. "
            "Ask the provider for the right one, or see whether our name, birth date and ID number of her are right."
        ),
    ),
}

RESOLUTIONS: Mapping[str, LazyString] = {
    "agrees_again": _("Both sides agree again."),
    "followed_provider": _("Repaired by itself: our books followed the provider's."),
    "cancelled_there": _("It was cancelled there."),
    "cancelled_here": _("It was cancelled here and the benefit given back."),
    "cancelled_again": _("The cancel was sent again."),
    "the_other_is_surplus": _("It counts, and the other one is surplus."),
    "took_their_time": _("The provider's time was taken over."),
    "took_their_status": _("The provider's status was taken over."),
    "went_on": _("The commands went out, or need not any more."),
    "took_place": _("It took place: the unit was used."),
    "did_not_take_place": _("It did not take place: the benefit was given back."),
    "explained": _("Closed with a note."),
    "booking_ended": _("The booking has ended."),
    "corrected_by_provider": _("The provider has corrected it."),
    "given_up_in_time": _("Nobody came on a date that had been given up in time."),
    "read_again": _("It could be read when it came again."),
    "not_delivered_again": _("The provider does not list it any more."),
    "became_ours": _("It has become a booking of ours, and was not cancelled."),
    "moved": _("The booking was moved to another time."),
    "old_date_served": _("The old date was served, so the booking went back to it."),
    "offered_again": _("They offer as much as we have sold again."),
    "fits_again": _("What we have sold fits again."),
    "same_time_again": _("They have the old time again."),
    "nobody_holds_the_old_time": _("Nobody has the old time any more."),
    "accepted": _("The provider has it, and will decide."),
    "taken": _("It was taken."),
    "read": _("They can be read again."),
    "listed": _("They list her now."),
    "verified": _("She was verified."),
    "matched": _("Its booking was found."),
    "came": _("It came."),
    "delivered": _("It was delivered."),
    "deleted": _("The customer deleted the report."),
    "assigned": _("Somebody goes."),
    "arrived": _("She arrived."),
    "told": _("Their steps say so too."),
    "taken_back": _("The customer says that it went well after all."),
    "confirmed_by_customer": _("The customer says that it went well."),
}
"""How a discrepancy was closed, by the code of that."""


def kind_words(kind: str) -> tuple[str, str]:
    """A kind of discrepancy, and what to do about it, in the reader's language. A kind without words is its code."""
    if kind not in WORDS:
        return kind, ""
    name, does = WORDS[kind]
    return str(name), str(does)


def resolution_words(code: str) -> str:
    """How a discrepancy was closed, in the reader's language; blank of one that is open. Where it was the booking's
    state that explained it, that; a code without words is itself."""
    if code in RESOLUTIONS:
        return str(RESOLUTIONS[code])
    return gettext("The booking: %(state)s.", state=provider_word(code)) if known(code) else code.replace("_", " ")
