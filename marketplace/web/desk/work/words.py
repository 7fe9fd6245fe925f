"""What is said at the desk: the buttons, what each does, what was done, and why a provider says no."""

from __future__ import annotations

from flask_babel import gettext as _

from marketplace.web import formats
from marketplace.web.desk.case_words import ESCORT_CASES


def reasons() -> tuple[tuple[str, str], ...]:
    """Why a provider says no: code and words."""
    texts = {
        "sold_out": _("That time is no longer free"),
        "closed": _("We are closed on that day"),
        "not_eligible": _("The package is not for this person"),
        "too_late": _("It came too late"),
        "other": _("Another reason"),
    }
    return tuple(texts.items())


def label(saying: str) -> str:
    """What a button says."""
    return {
        "confirm": _("Confirm"),
        "reject": _("Refuse"),
        "propose": _("Propose another time"),
        "accept_change": _("Agree to the new date"),
        "refuse_change": _("Refuse the new date"),
        "move": _("Move it"),
        "cancel": _("Cancel it"),
        "check_in": _("Check in"),
        "start": _("Service begins"),
        "complete": _("Service is done"),
        "no_show": _("Nobody came"),
    }[saying]


def effect(saying: str) -> str:
    """What saying it does, told before."""
    return {
        "reject": _("The place and the customer's benefit go back at once, and she is shown other times."),
        "propose": _("The customer is asked, and has a day to answer. A request that she declines ends."),
        "refuse_change": _("Her old date stands, and the place at the new one is free again."),
        "move": _(
            "The customer was promised another time: she is told, and a person of ours decides. To ask her first, "
            "propose the time."
        ),
        "cancel": _(
            "For what you can't keep: the customer's benefit comes back in full, and she is shown other times."
        ),
        "complete": _("The visit took place and is over: the customer's benefit counts as used."),
        "no_show": _(
            "It is recorded that nobody came, and the customer is told. Where her benefit says so it counts as used. "
            "She can object."
        ),
    }[saying]


def done_line(saying: str) -> str:
    """What was done, for the member who did it."""
    return {
        "confirm": _("Confirmed. The customer is told."),
        "reject": _("Refused. The customer is told, and shown other times."),
        "propose": _("Proposed. The customer accepts or declines it."),
        "accept_change": _("The new date is agreed. The customer is told."),
        "refuse_change": _("The new date is refused: the old date stands. The customer is told."),
        "move": _("Moved. The customer is told; where she did not ask for it a person of ours decides with you."),
        "cancel": _("Cancelled. The customer is told, and her benefit comes back."),
        "check_in": _("Checked in."),
        "start": _("The service has begun."),
        "complete": _("The service is done."),
        "no_show": _("Recorded: nobody came."),
        "note": _("You took note of it."),
    }[saying]


def difference(kind: str) -> str:
    """What is open between the two books, as the provider's people should hear it."""
    texts = {
        "time_differs": _("You said it is at another time than the customer was promised. A person of ours decides."),
        "state_differs": _("You said something of it that does not fit our books. A person of ours decides."),
        "too_early": _("Something was said of the visit before its day. A person of ours looks at it."),
        "old_date_used": _("It was said to have taken place at its old date. A person of ours looks at it."),
        "duplicate_there": _("It is there twice. A person of ours looks at it."),
        "cancel_refused": _("A cancel was refused. A person of ours looks at it."),
    }
    if kind in ESCORT_CASES:
        return formats.sentences(*(str(each) for each in ESCORT_CASES[kind][1:]))
    return texts.get(kind, "") or _("Something about it differs between your books and ours.")
