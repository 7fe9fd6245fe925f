"""The kinds of notices, and the channels on which each is sent.

The words are in marketplace.messages.words. Each notice is a row of `notification`, which the inbox page shows at once.
It is also sent by the channels of its kind, outside the customer's quiet hours unless it is urgent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Channel = Literal["sms", "email"]
CHANNELS: tuple[Channel, ...] = ("sms", "email")


@dataclass(frozen=True)
class NoticeKind:
    """`channels`: those besides the inbox. `urgent`: it is sent during quiet hours if it would be useless after
    them."""

    channels: tuple[Channel, ...] = CHANNELS
    urgent: bool = False


KINDS: dict[str, NoticeKind] = {
    "held": NoticeKind(channels=()),  # over in ten minutes, and she is looking at it
    "confirmed": NoticeKind(),
    "rejected": NoticeKind(),
    "changed": NoticeKind(),
    "change_stands": NoticeKind(),
    "change_refused": NoticeKind(),
    "cancel_refused": NoticeKind(),
    "time_proposed": NoticeKind(),
    "cancelled": NoticeKind(),
    "outcome_unknown": NoticeKind(),
    "command_waiting": NoticeKind(),
    "provider_differs": NoticeKind(),
    "reminder": NoticeKind(),
    "no_show": NoticeKind(),
    "escort_over": NoticeKind(),
    "dispute_answered": NoticeKind(),
    "report_ready": NoticeKind(),
    "report_partial": NoticeKind(channels=()),  # the whole one follows
    "report_corrected": NoticeKind(),
    "report_critical": NoticeKind(urgent=True),  # a doctor is asked for at once
    "report_unreadable": NoticeKind(channels=("email",)),
    "report_overdue": NoticeKind(channels=("email",)),
    "report_shared": NoticeKind(),
    "entitlement_expiring": NoticeKind(),
    "waitlist_offer": NoticeKind(urgent=True),  # a short hold that is gone by the morning
    "waitlist_booked": NoticeKind(),
    "waitlist_ended": NoticeKind(),
    "site_closed": NoticeKind(),
    "place_covered": NoticeKind(),
    "pledge_breached": NoticeKind(urgent=True),  # she asked a moment ago and is waiting
    "doctor_answered": NoticeKind(urgent=True),
    "call_back_due": NoticeKind(urgent=True),  # the time is her own choice
    "nobody_on_shift": NoticeKind(urgent=True),
    "escort_assigned": NoticeKind(urgent=True),  # where she comes before the morning
    "escort_confirmed": NoticeKind(urgent=True),  # the same
    "escort_replaced": NoticeKind(urgent=True),  # a stranger would come instead of whom she expects
    "escort_word": NoticeKind(urgent=True),  # at the door she would wait for the word of before
    "escort_nobody": NoticeKind(urgent=True),  # it may be for the morning
    "escort_late": NoticeKind(urgent=True),  # she waits for her now
}
"""Every kind there is."""

_UNKNOWN = NoticeKind(channels=())


def rule_of(kind: str) -> NoticeKind:
    """The rule of a kind. A kind that this version does not know (a newer process wrote it) is shown in the inbox
    only."""
    return KINDS.get(kind, _UNKNOWN)
