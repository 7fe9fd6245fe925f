"""Notices, as the inbox shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from booking.messages.inbox import Notice
from marketplace.messages import compose
from marketplace.web.parts import Pill
from marketplace.web.people import named
from marketplace.wording import reader_language


@dataclass(frozen=True)
class NoticeRow:
    """A notice to the customer. `whose` names the person where it is not herself; `icon` and `tone` are a
    pill's."""

    id: str
    title: str
    text: str
    whose: str
    at: datetime
    icon: str
    tone: str
    unread: bool


@dataclass(frozen=True)
class Inbox:
    """Messages, newest first. `unread` is how many are new in all, `more_url` leads to earlier ones."""

    rows: tuple[NoticeRow, ...]
    unread: int
    more_url: str = ""


_LOOKS = {
    "held": Pill("", "wait", icon="hourglass"),
    "confirmed": Pill("", "ok", icon="check"),
    "rejected": Pill("", "bad", icon="calendar-x"),
    "changed": Pill("", "ok", icon="calendar-check"),
    "change_stands": Pill("", "wait", icon="calendar-check"),
    "change_refused": Pill("", "wait", icon="calendar-x"),
    "cancel_refused": Pill("", "bad", icon="calendar-x"),
    "time_proposed": Pill("", "wait", icon="calendar-clock"),
    "cancelled": Pill("", "off", icon="x"),
    "outcome_unknown": Pill("", "wait", icon="hourglass"),
    "command_waiting": Pill("", "wait", icon="hourglass"),
    "provider_differs": Pill("", "wait", icon="calendar-x"),
    "reminder": Pill("", "plain", icon="bell"),
    "no_show": Pill("", "bad", icon="calendar-x"),
    "escort_over": Pill("", "wait", icon="heart-handshake"),
    "dispute_answered": Pill("", "plain", icon="info"),
    "report_ready": Pill("", "ok", icon="file-heart"),
    "report_partial": Pill("", "wait", icon="file-heart"),
    "report_corrected": Pill("", "wait", icon="file-heart"),
    "report_critical": Pill("", "bad", icon="triangle-alert"),
    "report_unreadable": Pill("", "bad", icon="file-heart"),
    "report_overdue": Pill("", "bad", icon="clock"),
    "report_shared": Pill("", "plain", icon="file-heart"),
    "entitlement_expiring": Pill("", "wait", icon="clock"),
    "waitlist_offer": Pill("", "wait", icon="hourglass"),
    "waitlist_booked": Pill("", "ok", icon="check"),
    "waitlist_ended": Pill("", "off", icon="info"),
    "site_closed": Pill("", "bad", icon="info"),
    "place_covered": Pill("", "ok", icon="map-pin"),
    "pledge_breached": Pill("", "bad", icon="clock"),
    "doctor_answered": Pill("", "ok", icon="stethoscope"),
    "call_back_due": Pill("", "wait", icon="bell"),
    "nobody_on_shift": Pill("", "wait", icon="stethoscope"),
    "escort_assigned": Pill("", "ok", icon="heart-handshake"),
    "escort_confirmed": Pill("", "ok", icon="heart-handshake"),
    "escort_replaced": Pill("", "wait", icon="heart-handshake"),
    "escort_word": Pill("", "wait", icon="heart-handshake"),
    "escort_nobody": Pill("", "bad", icon="heart-handshake"),
    "escort_late": Pill("", "bad", icon="heart-handshake"),
}
_OTHER = Pill("", "plain", icon="info")


def row(notice: Notice) -> NoticeRow:
    """One line of the inbox."""
    said = compose.say(notice.kind, notice.facts, reader_language(), as_of=notice.created_at)
    look = _LOOKS.get(notice.kind, _OTHER)
    whose = (
        named(notice.person, notice.relation) if notice.person and notice.relation and notice.relation != "self" else ""
    )
    return NoticeRow(
        notice.id, said.title, said.text, whose, notice.created_at, look.icon, look.tone, notice.read_at is None
    )
