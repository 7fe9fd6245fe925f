"""The messages of a conversation in the reader's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import url_for
from flask_babel import gettext as _

from booking.consultation.summary import NextService
from booking.consultation.views import ConversationView, MessageView
from marketplace.catalog.kinds import has_times, kinds
from marketplace.web import formats
from marketplace.web.consultation.next_times import NextTime
from marketplace.web.kind_words import kind_name
from marketplace.web.language import by_language
from providers.staff.clinicians import Shown

SMALL = 320
"""The longest side of a thumbnail, in pixels."""


@dataclass(frozen=True)
class Picture:
    """A picture: its address, that of the small one, and the small one's sides."""

    url: str
    small: str
    width: int
    height: int
    alt: str


@dataclass(frozen=True)
class SummaryCard:
    """With what the doctor closed it. `next` names the service that should follow, `next_url` where it is looked for;
    `times` are its soonest ones, each sent with `key` to be held for the person `person` (public id)."""

    text: str
    advice: str
    next: str
    next_url: str
    times: tuple[NextTime, ...] = ()
    person: str = ""
    key: str = ""


@dataclass(frozen=True)
class Line:
    """One message. `author`: customer, clinician or automatic. `speaker` is read out before it; `byline` stands above
    it where the speaker changed. `client_id` is what the reader's device called it."""

    seq: int
    kind: str
    author: str
    mine: bool
    client_id: str
    speaker: str
    byline: str
    text: str
    picture: Picture | None = None
    summary: SummaryCard | None = None


def lines(
    view: ConversationView, found: Sequence[MessageView], known: dict[str, Shown], zone: str, before: str = ""
) -> tuple[Line, ...]:
    """The messages in order. `before` is who spoke last ahead of them: customer, or a clinician's public id."""
    shown, last = [], before
    for message in found:
        speaker = message.author if message.clinician is None else message.clinician.id
        shown.append(_line(view, message, known, zone, new=speaker != last))
        last = speaker
    return tuple(shown)


def _line(view: ConversationView, it: MessageView, known: dict[str, Shown], zone: str, *, new: bool) -> Line:
    time = formats.moment(it.at, zone)
    name, title = "", ""
    if it.clinician is not None:
        doctor = known.get(it.clinician.id)
        name = doctor.name if doctor else it.clinician.name
        title = by_language(doctor.title) if doctor else ""
    byline = formats.dotted((name, title, time)) if name else time
    return Line(
        it.seq,
        it.kind,
        it.author,
        it.mine,
        it.client_message_id,
        _("You:") if it.mine else _("%(name)s:", name=name or _("Doctor")),
        byline if new or it.kind == "summary" else "",
        _text(it, time),
        _picture(view, it, time),
        _summary(view, it),
    )


def _text(it: MessageView, time: str) -> str:
    if it.author == "automatic":
        return automatic(it.kind, time)
    if it.text is None and it.kind == "text":
        return _("These words were erased.")
    return it.text or ""


def automatic(kind: str, time: str) -> str:
    """The words of a line that nobody wrote."""
    words = {
        "emergency": _("Your words may describe an emergency: dial 120."),
        "reopened": _("The consultation was opened again, %(time)s.", time=time),
        "closed_there": _("The doctors ended it without a summary, %(time)s.", time=time),
        "line_unreadable": _(
            "A message of the doctor could not be read, %(time)s. The provider has been told.", time=time
        ),
        "line_after_end": _("The doctor wrote after the end, %(time)s. Open it again to read it.", time=time),
        "closed_idle": _("Closed by itself, since nothing was said for two days, %(time)s.", time=time),
    }
    return words.get(kind) or _("Something changed, %(time)s.", time=time)


def _picture(view: ConversationView, it: MessageView, time: str) -> Picture | None:
    if it.picture is None:
        return None
    scale = min(1.0, SMALL / max(it.picture.width, it.picture.height))
    return Picture(
        url_for("web.consultation_picture", conversation=view.id, picture=it.picture.id),
        url_for("web.consultation_thumbnail", conversation=view.id, picture=it.picture.id),
        max(1, round(it.picture.width * scale)),
        max(1, round(it.picture.height * scale)),
        _("Picture, %(time)s. Opens in full size.", time=time),
    )


def _summary(view: ConversationView, it: MessageView) -> SummaryCard | None:
    if it.summary is None:
        return None
    following = it.summary.next_service
    text, url = ("", "") if following is None else _next(view, following)
    return SummaryCard(it.summary.summary, it.summary.advice, text, url)


def _next(view: ConversationView, following: NextService) -> tuple[str, str]:
    """What the doctor suggests, and where it is booked for the same person; no address for what nobody offers here."""
    if following.kind not in kinds():
        return "", ""
    name = kind_name(following.kind)
    if has_times(following.kind):
        query = urlencode({"benefit": following.kind, "for": view.beneficiary_id})
        return _("Book: %(service)s", service=name), f"{url_for('web.places')}?{query}"
    query = urlencode({"for": view.beneficiary_id, "department": following.department})
    return _("Ask: %(service)s", service=name), f"{url_for('web.consultation_start')}?{query}"
