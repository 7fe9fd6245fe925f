"""The kinds of discrepancies in words, and what an operator does about each."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

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
    "slot_moved": (
        _("They moved a time that is sold"),
        _("The customers' time stays here. Ask the provider, then tell the customers."),
    ),
    "report_unmatched": (
        _("A report without a booking"),
        _("It is shown to nobody. Ask the provider whose it is."),
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
        _("The file is of a wrong type or may do harm; nothing was stored. Ask the provider for a sound one."),
    ),
}


def kind_words(kind: str) -> tuple[str, str]:
    """A kind of discrepancy, and what to do about it, in the reader's language. A kind without words is its code."""
    if kind not in WORDS:
        return kind, ""
    name, does = WORDS[kind]
    return str(name), str(does)
