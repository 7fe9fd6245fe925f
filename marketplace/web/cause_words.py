"""Why something happened to a booking, in words. One table, so that the customer's pages and the console agree.

A cause is a code of ours or of the provider protocol, or what a provider wrote itself.
"""

from __future__ import annotations

import re

from flask_babel import gettext as _

_CODE = re.compile(r"[a-z][a-z0-9_.:]*")


def refusal_line(cause: str) -> str:
    """Why a provider said no, as a sentence for the customer; blank where it gave no reason that says anything."""
    words = {
        "sold_out": _("That time is no longer free there."),
        "closed": _("It is closed on that day."),
        "not_eligible": _("It says this package is not for this person."),
        "too_late": _("The request reached it too late."),
        "unknown_slot": _("It has moved that time."),
    }
    return words.get(cause) or _in_its_words(cause)


def cause_line(cause: str) -> str:
    """Any cause, for the desk; blank without one. A code that nobody has words for yet is said to be one."""
    words = {
        "": "",
        "submitted": "",
        "other": _("No reason was given."),
        "rescheduled": _("The provider agreed to the new date."),
        "customer_asked": _("The customer asked for it."),
        "chose_another_time": _("The customer chose another time before submitting."),
        "hold_expired": _("The customer did not confirm in time."),
        "not_answered_in_time": _("The provider did not answer in time."),
        "taken_by_clinician": _("A doctor took it."),
        "first_answer": _("A doctor gave the first answer."),
        "no_clear_answer": _("The provider gave no clear answer."),
        "sending_again": _("It had not arrived at the provider and is sent again."),
        "not_there": _("The provider does not have the booking."),
        "cancelled_by_provider": _("The provider cancelled it."),
        "cancelled": _("The booking was cancelled."),
        "withdrawn": _("The customer took it back."),
        "overtaken": _("The booking had moved on meanwhile."),
        "not_wanted": _("It was not wanted any more."),
        "time_proposed": _("The provider proposes another time."),
        "proposal_accepted": _("The customer accepted the proposed time."),
        "proposal_declined": _("The customer declined the proposed time."),
        "proposal_lapsed": _("The customer did not answer the proposed time."),
        "proposal_withdrawn": _("The provider took its proposal back."),
        "old_date_served": _("The provider served the old date."),
        "dispute_accepted": _("The customer's objection was accepted."),
        "not_recorded": _("The provider recorded no visit."),
        "test_cleared": _("The test bookings were cleared."),
        "erased": _("The customer's data was erased."),
        "site_closed": _("The site is closed."),
        "demonstration": _("An example of the demonstration."),
        "settled_by_operator": _("The desk settled a difference with the provider."),
        "standing_wish": _("A place became free and was booked from the waiting list."),
        "stopped_waiting": _("The customer left the waiting list."),
        "closed_by_clinician": _("A doctor closed it with a summary."),
        "closed_there": _("The doctors ended it without a summary."),
        "nobody_came": _("Nobody came to the customer."),
        "confirmed_by_customer": _("The customer said that it went well."),
        "confirmed_by_silence": _("The customer said nothing against it for a day."),
        "idle": _("Nothing more was said for two days."),
        "reopened": _("The customer opened it again."),
        "desk_customer_phoned": _("The customer asked for it by phone."),
        "desk_provider_trouble": _("The provider can't keep it."),
        "desk_unwell": _("The person is unwell."),
        "desk_duplicate": _("It was booked twice."),
        "desk_other": _("The desk cancelled it for another reason."),
    }
    known = words.get(cause)
    return refusal_line(cause) or _("Code %(code)s", code=cause) if known is None else known


def _in_its_words(cause: str) -> str:
    return "" if not cause or _CODE.fullmatch(cause) else _("In its words: %(reason)s", reason=cause)
