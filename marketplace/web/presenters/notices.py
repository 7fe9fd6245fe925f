"""What customers were told, as the inbox shows it."""

from __future__ import annotations

from booking.messages.inbox import Notice
from marketplace import notice_words
from marketplace.web import view_models as v
from marketplace.web.presenters.people import named
from marketplace.wording import reader_language

_LOOKS = {
    "held": v.Pill("", "wait", icon="hourglass"),
    "confirmed": v.Pill("", "ok", icon="check"),
    "rejected": v.Pill("", "bad", icon="calendar-x"),
    "changed": v.Pill("", "ok", icon="calendar-check"),
    "change_refused": v.Pill("", "wait", icon="calendar-x"),
    "time_proposed": v.Pill("", "wait", icon="calendar-clock"),
    "cancelled": v.Pill("", "off", icon="x"),
    "outcome_unknown": v.Pill("", "wait", icon="hourglass"),
    "reminder": v.Pill("", "plain", icon="bell"),
    "no_show": v.Pill("", "bad", icon="calendar-x"),
    "dispute_answered": v.Pill("", "plain", icon="info"),
    "report_ready": v.Pill("", "ok", icon="file-heart"),
    "report_partial": v.Pill("", "wait", icon="file-heart"),
    "report_corrected": v.Pill("", "wait", icon="file-heart"),
    "report_overdue": v.Pill("", "bad", icon="clock"),
    "report_shared": v.Pill("", "plain", icon="file-heart"),
    "entitlement_expiring": v.Pill("", "wait", icon="clock"),
    "waitlist_offer": v.Pill("", "wait", icon="hourglass"),
    "waitlist_booked": v.Pill("", "ok", icon="check"),
    "waitlist_ended": v.Pill("", "off", icon="info"),
    "site_closed": v.Pill("", "bad", icon="info"),
}
_OTHER = v.Pill("", "plain", icon="info")


def row(notice: Notice) -> v.NoticeRow:
    """One line of the inbox."""
    said = notice_words.say(notice.kind, notice.facts, reader_language(), told_at=notice.created_at)
    look = _LOOKS.get(notice.kind, _OTHER)
    whose = (
        named(notice.person, notice.relation) if notice.person and notice.relation and notice.relation != "self" else ""
    )
    return v.NoticeRow(
        notice.id, said.title, said.text, whose, notice.created_at, look.icon, look.tone, notice.read_at is None
    )
