"""A conversation at the clinician's desk: its page, the part that changes by itself, its pictures, and an earlier
report of the patient."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from flask import Response, render_template

from booking.consultation import read
from booking.consultation.at_desk.in_hand import in_hand_of
from booking.consultation.at_desk.notes import MOST_CHARACTERS, notes_of
from booking.consultation.at_desk.patient import earlier_report, earlier_trend, patient_of
from booking.consultation.at_desk.phrases import phrases_for
from booking.consultation.pictures import picture_of
from booking.consultation.queue import waiting
from booking.consultation.views import ConversationView
from marketplace.core import clock
from marketplace.core.crypto import Unreadable
from marketplace.core.database.moment import now_by_database
from marketplace.core.errors import NotFound
from marketplace.web.answers import Views, asked, live, tag
from marketplace.web.desk.answers import desk_page
from marketplace.web.desk.consulting import board, board_page, talk_page, trend_page
from marketplace.web.desk.consulting.present import present
from marketplace.web.desk.consulting.talk_page import Composer, Talk
from marketplace.web.desk.results.delivering_page import reading
from marketplace.web.desk.session import member
from marketplace.web.kind_words import kind_name
from marketplace.web.language import by_language
from marketplace.web.parts import Form
from providers.staff.clinicians import profile_of
from vip.principal import Member

_MOST_DIGITS = 15


def consultation(conversation: str) -> Response:
    """The page."""
    return page(conversation, Form())


def page(conversation: str, form: Form, status: int = 200) -> Response:
    """The page with what a refused form held."""
    who, now = present(), now_by_database()
    view = read.conversation_of(who, conversation, now)
    talk = _talk(who, view, now)
    mine = talk.whose == "mine"
    beside = talk_page.beside(patient_of(who, conversation, now=now), conversation) if mine else None
    shown = board.of(who)
    return desk_page(
        "consulting/talk",
        "consultations",
        status,
        talk=talk,
        talk_version=tag(talk),
        beside=beside,
        notes=notes_of(who, conversation, now=now) if mine else (),
        longest_note=MOST_CHARACTERS,
        composer=_composer(who, view, form) if mine else Composer(form, secrets.token_hex(16)),
        assignable=_assignable(shown, view) if shown.leads and talk.whose != "over" else [],
        take_over=who.public_id if shown.leads and shown.may_take and talk.whose == "colleague" else "",
        colleagues=[each for each in shown.on_shift if each.free and each.id != who.public_id],
        **board.drawn(shown, conversation),
    )


def consultation_live(conversation: str) -> Response:
    """What is said, and its clock."""
    who, now = present(), now_by_database()
    talk = _talk(who, read.conversation_of(who, conversation, now), now)
    return live(render_template("desk/consulting/talk_live.html", talk=talk, now=now), tag(talk))


def consultation_picture(conversation: str, picture: str) -> Response:
    """A picture, or with `small` the small one of it."""
    small = bool(asked("small", 1))
    try:
        content = picture_of(member(), conversation, picture, now=clock.now(), thumbnail=small)
    except Unreadable as erased:
        raise NotFound() from erased
    return Response(content, content_type="image/jpeg", headers={"Content-Disposition": "inline"})


def consultation_report(conversation: str, report: str) -> Response:
    """An earlier report; each look is recorded."""
    who = present()
    view = earlier_report(who, conversation, report, now=clock.now())
    more: dict[str, Any] = {
        "name": kind_name(view.kind),
        "day": view.service_date,
        "conclusion": view.conclusion,
        "provider": by_language(view.provider_name),
        "rows": [(reading(it), it.item) for it in view.results],
        "conversation": conversation,
        **board.drawn(board.of(who), conversation),
    }
    return desk_page("consulting/report", "consultations", **more)


def consultation_trend(conversation: str, item: str) -> Response:
    """One item over the earlier reports; each of them that is shown is recorded."""
    who = present()
    shown = trend_page.page(earlier_trend(who, conversation, item, now=clock.now()), conversation)
    beside = board.drawn(board.of(who), conversation)
    return desk_page("consulting/trend", "consultations", trend=shown, conversation=conversation, **beside)


def with_phrase(conversation: str, phrase: str, written: str, named: str) -> Response:
    """The page with a phrase behind what is written: for browsers without scripts. Nothing is sent. Raises NotFound."""
    who = present()
    view = read.conversation_of(who, conversation, now_by_database())
    if talk_page.whose(view, who.public_id) != "mine":
        raise NotFound()
    for each in _inserts(who, view):
        if each.id == phrase:
            return page(conversation, Form({"text": talk_page.joined(written, each.text), "client_message_id": named}))
    raise NotFound(field="phrase_id")


def _assignable(shown: board_page.Board, view: ConversationView) -> list[board_page.OnShift]:
    """To whom a lead may give it: who is free and has it not."""
    holder = view.clinician.id if view.clinician else ""
    return [each for each in shown.on_shift if each.free and each.id != holder]


def _composer(who: Member, view: ConversationView, form: Form) -> Composer:
    named = form.values.get("client_message_id") or secrets.token_hex(16)
    return Composer(form, named, _inserts(who, view), f"{who.public_id} {view.id}")


def _inserts(who: Member, view: ConversationView) -> tuple[talk_page.Insert, ...]:
    found = phrases_for(who, view.department, view.language)
    profile = profile_of(who).profile
    return talk_page.inserts(found, view.beneficiary_name, profile.shown_name if profile else "")


def _talk(who: Member, view: ConversationView, now: datetime) -> Talk:
    found = read.messages_after(who, view.id, _since(view) - 1, now=now)
    shown = found[-1].seq if found else 0
    if talk_page.whose(view, who.public_id) == "mine" and view.read_seq < shown:
        read.mark_read(who, view.id, shown, now)  # asked for while it is looked at
    return talk_page.talk(view, found, who.public_id, _due_at(who, view), who.time_zone)


def _due_at(who: Member, view: ConversationView) -> datetime | None:
    """Until when the first answer is pledged, while that clock runs."""
    if view.state != "waiting":
        return None
    pledges = {it.conversation: (it.due_at, it.pledge) for it in in_hand_of(who)}
    pledges |= {it.conversation: (it.due_at, it.pledge) for it in waiting(who)}
    due_at, state = pledges.get(view.id, (None, None))
    return due_at if state in ("pending", "at_risk") else None


def _since(view: ConversationView) -> int:
    """From which message on the page shows MOST_MESSAGES at most: from the one that the address names; else all that
    she has not read, and with it the newest PAGE_MESSAGES."""
    wanted = asked("since", _MOST_DIGITS)
    if wanted.isascii() and wanted.isdecimal():
        return min(max(int(wanted), 1), max(view.last_seq, 1))
    return max(1, min(view.read_seq, view.last_seq - read.PAGE_MESSAGES) + 1)


VIEWS: Views = {
    "consultation": consultation,
    "consultation_live": consultation_live,
    "consultation_picture": consultation_picture,
    "consultation_report": consultation_report,
    "consultation_trend": consultation_trend,
}
