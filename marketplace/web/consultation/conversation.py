"""The conversation of a consultation: its page, the part that changes by itself, and its pictures."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from flask import Response, render_template, url_for

from booking.consultation import read
from booking.consultation.at_desk.agreed import agreed_to
from booking.consultation.mark import Mark, mark
from booking.consultation.pictures import picture_of
from booking.consultation.place import Place, place
from booking.consultation.views import ConversationView, MessageView
from booking.views.customer import booking
from marketplace.core.crypto import Unreadable
from marketplace.core.database.moment import now_by_database
from marketplace.core.errors import NotFound
from marketplace.web import rating_form
from marketplace.web.answers import Views, asked, live, render, tag, unchanged
from marketplace.web.consultation import call_back, conversation_page
from marketplace.web.consultation.conversation_page import Talk
from marketplace.web.consultation.lines import Line, lines
from marketplace.web.consultation.next_times import next_times
from marketplace.web.consultation.start_page import promise
from marketplace.web.formats import deadline
from marketplace.web.parts import Form
from marketplace.web.session import principal
from providers.staff.clinicians import shown
from providers.staff.outside import shown_outside
from vip.principal import Principal

_MOST_DIGITS = 15


@dataclass(frozen=True)
class _Now:
    """What the live part depends on, read together."""

    view: ConversationView
    place: Place
    mark: Mark
    at: datetime

    def version(self, after: int) -> str:
        """The ETag of the live part for a reader who has what was said up to `after`."""
        return tag("talk", after, *self.mark)


@dataclass(frozen=True)
class _Part:
    """What is shown of what was said: messages in their order. `last` is the number of the last one, or of the last one
    before them where there are none. `spoke`: who spoke before them, so that it need not be said again: customer,
    automatic or a clinician's public id; blank where it is to be said. A `page` says what stands before and behind."""

    messages: Sequence[MessageView]
    last: int
    spoke: str = ""
    page: bool = True


def conversation(conversation: str) -> Response:
    """The page, whatever its state: where she stopped reading, or a part that is asked for by what it stands `before`
    or `after`."""
    return page(conversation, Form())


def page(conversation: str, form: Form, status: int = 200, stars: Form | None = None) -> Response:
    """The page with what a refused form held: of the composer, or of the rating."""
    me = principal()
    now = _now(me, conversation)
    talk = _talk(me, now, _wanted(me, now), form, stars)
    agreed = agreed_to(me, conversation, now=now.at)
    return render("consultation.html", status, page=talk, reports=agreed)


def conversation_live(conversation: str) -> Response:
    """What changed since the message `after`, MOST_MESSAGES of what was said at most. Asked every two seconds while the
    page is looked at, so that little is read while nothing moved."""
    me = principal()
    after, at = _number("after"), now_by_database()
    moved = mark(me, conversation, now=at)
    etag = tag("talk", after, *moved)
    if after >= moved[0] and unchanged(etag):
        return live("", etag)
    now = _now(me, conversation, moved, at)
    found = read.messages_after(me, conversation, after, now=now.at) if after < now.view.last_seq else ()
    part = _Part(found, found[-1].seq if found else after, _spoke_last(me, now.view, after, now.at), page=False)
    talk = _talk(me, now, part, Form(), None)
    return live(render_template("parts/consultation_live.html", page=talk), talk.version)


def picture(conversation: str, picture: str) -> Response:
    """A picture in full size."""
    return _jpeg(conversation, picture, thumbnail=False)


def thumbnail(conversation: str, picture: str) -> Response:
    """The small one of it."""
    return _jpeg(conversation, picture, thumbnail=True)


def _jpeg(conversation: str, picture: str, *, thumbnail: bool) -> Response:
    try:
        content = picture_of(principal(), conversation, picture, now=now_by_database(), thumbnail=thumbnail)
    except Unreadable as erased:
        raise NotFound() from erased
    return Response(content, content_type="image/jpeg", headers={"Content-Disposition": "inline"})


def _now(me: Principal, conversation: str, known: Mark | None = None, at: datetime | None = None) -> _Now:
    """The mark is read before what it marks: what changes in between is asked for again."""
    at = at or now_by_database()
    moved = known or mark(me, conversation, now=at)
    return _Now(read.conversation_of(me, conversation, at), place(me, conversation, now=at), moved, at)


def _number(name: str) -> int:
    """The number of a message that the address names; 0 for none."""
    wanted = asked(name, _MOST_DIGITS)
    return int(wanted) if wanted.isascii() and wanted.isdecimal() else 0


def _wanted(me: Principal, now: _Now) -> _Part:
    """The part of a conversation that its page shows: all that she has not read, as far as one answer holds it, so that
    nothing counts as read that she was not shown; and with it the newest PAGE_MESSAGES."""
    view = now.view
    found: Sequence[MessageView] = ()
    if before := _number("before"):
        found = read.messages_before(me, view.id, before, now=now.at)
    elif after := _number("after"):
        found = read.messages_after(me, view.id, after, read.PAGE_MESSAGES, now=now.at)
    if not found:
        first = max(0, min(view.read_seq, view.last_seq - read.PAGE_MESSAGES))
        found = read.messages_after(me, view.id, first, now=now.at)
    return _Part(found, found[-1].seq if found else 0)


def _talk(me: Principal, now: _Now, part: _Part, form: Form, stars: Form | None) -> Talk:
    view, zone, found = now.view, me.time_zone, part.messages
    speakers = {it.clinician.id for it in found if it.clinician} | ({view.clinician.id} if view.clinician else set())
    known = shown_outside(speakers) if view.outside else shown(speakers)
    mode = conversation_page.mode(view)
    clock = conversation_page.clock(view, now.place.pledge, now.at)
    moments = call_back.moments(now.at, now.place.call_back_until, zone) if now.place.on_shift == 0 else ()
    waits = mode in ("unasked", "waiting")
    doctor = conversation_page.doctor(view, known)
    again = {"for": view.beneficiary_id, "department": view.department}
    told = booking(me, view.booking_id, now=now.at) if mode in ("unasked", "closed") else None
    waiting = None
    if waits or conversation_page.handed_back(view):
        waiting = conversation_page.waiting(view, now.place, clock, moments, zone)
        waiting = replace(waiting, promise=promise(told.kind, told.package) if told else "")
    return Talk(
        view.id,
        view.booking_id,
        mode,
        conversation_page.title(mode, nobody=now.place.on_shift == 0),
        conversation_page.about(view),
        doctor,
        clock,
        waiting,
        conversation_page.emergency_card(view),
        _with_times(me, view, lines(view, found, known, zone, part.spoke), found, now.at),
        part.last,
        view.others_read,
        max((it.seq for it in found if it.mine), default=0),
        conversation_page.typing(doctor) if view.typing else "",
        conversation_page.ended(view, zone),
        waits,
        deadline(view.reopen_until, zone) if view.reopen_until and now.at < view.reopen_until else "",
        f"{url_for('web.consultation_start')}?{urlencode(again)}",
        url_for("web.report", report=told.report_id) if told and told.report_id else "",
        now.version(part.last),
        form.values.get("client_message_id") or secrets.token_hex(16),
        form,
        rating_form.stars(me, view.booking_id, view.booking_state, stars, now.at, zone) if mode == "closed" else None,
        max(view.last_seq, part.last),
        _beside(view, before=found[0].seq) if part.page and found and found[0].seq > 1 else "",
        _beside(view, after=part.last) if part.page and part.last < view.last_seq else "",
        _first_new(view, found) if part.page else 0,
        view.on_the_way,
        view.not_delivered,
    )


def _with_times(
    me: Principal, view: ConversationView, shown: tuple[Line, ...], found: Sequence[MessageView], at: datetime
) -> tuple[Line, ...]:
    """The lines; the summary with which it is closed now has the soonest times of what it suggests."""
    if view.state != "closed" or not found or found[-1].seq != view.last_seq:
        return shown
    summary, card = found[-1].summary, shown[-1].summary
    if summary is None or summary.next_service is None or card is None:
        return shown
    times = next_times(me, summary.next_service.kind, view.beneficiary_id, at)
    card = replace(card, times=times, person=view.beneficiary_id, key=secrets.token_urlsafe(16))
    return (*shown[:-1], replace(shown[-1], summary=card))


def _beside(view: ConversationView, **where: int) -> str:
    return url_for("web.consultation", conversation=view.id, **where)  # type: ignore[arg-type]


def _first_new(view: ConversationView, found: Sequence[MessageView]) -> int:
    """The first message of others that she has not read, if she has read any."""
    if not view.unread or not view.read_seq:
        return 0
    return next((it.seq for it in found if it.seq > view.read_seq and not it.mine), 0)


def _spoke_last(me: Principal, view: ConversationView, after: int, at: datetime) -> str:
    """Who spoke last up to that message: customer, automatic or a clinician's public id; blank for nobody."""
    if not 0 < after < view.last_seq:
        return ""
    before = read.messages_after(me, view.id, after - 1, limit=1, now=at)
    if not before:
        return ""
    return before[0].author if before[0].clinician is None else before[0].clinician.id


VIEWS: Views = {
    "consultation": conversation,
    "consultation_live": conversation_live,
    "consultation_picture": picture,
    "consultation_thumbnail": thumbnail,
}
