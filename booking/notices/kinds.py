"""The kinds of things a customer is told, and by which ways each may go.

The words are in marketplace.messages.words. What is told once is a row of `notification`; the inbox page shows every
one at once. SMS and e-mail carry the kinds that say so here, outside the customer's quiet hours unless urgent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Channel = Literal["sms", "email"]
CHANNELS: tuple[Channel, ...] = ("sms", "email")


@dataclass(frozen=True)
class NoticeKind:
    """`channels`: the ways besides the inbox. `urgent`: does not wait for the end of the quiet hours, because it would
    be worth nothing then."""

    channels: tuple[Channel, ...] = CHANNELS
    urgent: bool = False


KINDS: dict[str, NoticeKind] = {
    "held": NoticeKind(channels=()),  # over in ten minutes, and she is looking at it
    "confirmed": NoticeKind(),
    "rejected": NoticeKind(),
    "changed": NoticeKind(),
    "change_refused": NoticeKind(),
    "time_proposed": NoticeKind(),
    "cancelled": NoticeKind(),
    "outcome_unknown": NoticeKind(),
    "reminder": NoticeKind(),
    "no_show": NoticeKind(),
    "dispute_answered": NoticeKind(),
    "report_ready": NoticeKind(),
    "report_partial": NoticeKind(channels=()),  # the whole one follows
    "report_corrected": NoticeKind(),
    "report_overdue": NoticeKind(channels=("email",)),
    "report_shared": NoticeKind(),
    "entitlement_expiring": NoticeKind(),
    "waitlist_offer": NoticeKind(urgent=True),  # a short hold that is gone by the morning
    "waitlist_booked": NoticeKind(),
    "waitlist_ended": NoticeKind(),
    "site_closed": NoticeKind(),
}
"""Every kind there is."""

_UNKNOWN = NoticeKind(channels=())


def rule_of(kind: str) -> NoticeKind:
    """The rule of a kind; one that this version does not know (a newer process wrote it) stays in the inbox."""
    return KINDS.get(kind, _UNKNOWN)
