"""One conversation in the clinician's words: what was said, whom it is about, and what she can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from flask import url_for
from flask_babel import gettext as _

from booking.consultation.at_desk.patient import Patient
from booking.consultation.at_desk.phrases import Phrase, filled
from booking.consultation.read import PAGE_MESSAGES
from booking.consultation.views import ConversationView, MessageView
from marketplace.web import formats
from marketplace.web.kind_words import answered, kind_name
from marketplace.web.language import by_language
from marketplace.web.parts import Fact, Form

Whose = Literal["mine", "waiting", "colleague", "over"]
"""Whose it is for the reader: hers; nobody's yet; a colleague's; or over."""
_SMALL = 320
"""The longest side of a thumbnail, in pixels."""


@dataclass(frozen=True)
class Shot:
    """A picture: its address, the small one's, the small one's sides, and what it is called."""

    url: str
    small: str
    width: int
    height: int
    alt: str


@dataclass(frozen=True)
class Summed:
    """With what it was closed. `next` is blank where nothing is suggested."""

    text: str
    advice: str
    next: str


@dataclass(frozen=True)
class Said:
    """One message. `side`: theirs, ours or automatic; `speaker` and `at` stand above it; `text` is blank of a picture
    or a summary. `client_id` is what the reader's own page called it."""

    seq: int
    side: Literal["theirs", "ours", "automatic"]
    speaker: str
    at: datetime
    text: str
    shot: Shot | None
    summed: Summed | None
    client_id: str = ""


@dataclass(frozen=True)
class Talk:
    """A conversation, or the part of a long one that begins at the first of `said`. `earlier` and `newest` are where
    what stands before and behind it is shown, blank where nothing does; `live` is where the part is asked for anew.
    `read` says whether the patient has read the newest of ours; `typing` that she is typing."""

    id: str
    whose: Whose
    title: str
    about: str
    holder: str
    flagged: bool
    answered: bool
    said: tuple[Said, ...]
    last_seq: int
    read: bool
    typing: bool
    due_at: datetime | None
    zone: str
    earlier: str = ""
    newest: str = ""
    live: str = ""


@dataclass(frozen=True)
class Beside:
    """What stands beside a conversation of her own: facts, answers given beforehand, earlier reports (a name and an
    address each), whether the person agreed to reports, and whether those of every provider may be seen."""

    facts: tuple[Fact, ...]
    answers: tuple[Fact, ...]
    reports: tuple[tuple[str, str], ...]
    agreed: bool
    every_provider: bool = False


@dataclass(frozen=True)
class Insert:
    """A canned phrase as it would stand in this conversation."""

    id: str
    name: str
    text: str


@dataclass(frozen=True)
class Composer:
    """The form of words: what a refused one held, the id that a message keeps for every try, and what can be inserted.
    `key` names whose draft of which conversation it is, for the reader's own browser."""

    form: Form
    message_id: str
    inserts: tuple[Insert, ...] = ()
    key: str = ""


def whose(view: ConversationView, me: str) -> Whose:
    """Whose it is for the member with the public id `me`."""
    if view.state == "closed":
        return "over"
    if view.clinician is None:
        return "waiting"
    return "mine" if view.clinician.id == me else "colleague"


def talk(view: ConversationView, found: Sequence[MessageView], me: str, due_at: datetime | None, zone: str) -> Talk:
    """The conversation as she sees it, of which `found` is shown. `due_at`: until when the first answer is pledged,
    while that clock runs."""
    first, last = (found[0].seq, found[-1].seq) if found else (1, view.last_seq)
    earlier = {"conversation": view.id, "since": max(1, first - PAGE_MESSAGES), "_anchor": f"m-{first}"}
    ours = [it.seq for it in found if it.author == "clinician"]
    return Talk(
        view.id,
        whose(view, me),
        view.beneficiary_name,
        formats.dotted((by_language(view.department_name), by_language(view.offer_name))),
        view.clinician.name if view.clinician else "",
        view.flagged,
        view.first_answer_at is not None,
        tuple(_said(view, it) for it in found),
        view.last_seq,
        bool(ours) and view.others_read >= max(ours),
        view.typing,
        due_at,
        zone,
        url_for("desk.consultation", **earlier) if first > 1 else "",  # type: ignore[arg-type]
        url_for("desk.consultation", conversation=view.id, _anchor="say") if last < view.last_seq else "",
        url_for("desk.consultation_live", conversation=view.id, since=first),
    )


def inserts(found: Sequence[tuple[Phrase, str]], patient: str, doctor: str) -> tuple[Insert, ...]:
    """The phrases of a conversation with the names in them."""
    values = {"name": patient, "doctor": doctor}
    return tuple(Insert(each.id, each.wording.name, filled(text, values)) for each, text in found)


def joined(written: str, text: str) -> str:
    """A phrase behind what is written already."""
    return f"{written.rstrip()}\n{text}" if written.strip() else text


def beside(patient: Patient, conversation: str) -> Beside:
    """Facts of the patient."""
    sexes = {"female": _("female"), "male": _("male")}
    return Beside(
        (
            Fact(_("Name"), patient.name),
            Fact(_("Sex"), sexes.get(patient.sex, patient.sex)),
            Fact(_("Age"), formats.number(patient.age)),
        ),
        answered(patient.details, patient.kind),
        tuple(
            (
                formats.dotted((kind_name(it.kind), formats.full_date(it.day), by_language(it.provider))),
                url_for("desk.consultation_report", conversation=conversation, report=it.id),
            )
            for it in patient.reports
        ),
        patient.agreed,
        patient.every_provider,
    )


def _said(view: ConversationView, it: MessageView) -> Said:
    side: Literal["theirs", "ours", "automatic"] = (
        "automatic" if it.author == "automatic" else "theirs" if it.author == "customer" else "ours"
    )
    speaker = _("You") if it.mine else it.clinician.name if it.clinician else _("Patient")
    return Said(it.seq, side, speaker, it.at, _text(it), _shot(view, it), _summed(it), it.client_message_id)


def _text(it: MessageView) -> str:
    if it.author == "automatic":
        return _automatic(it.kind)
    if it.kind == "text" and it.text is None:
        return _("These words were erased.")
    return it.text or ""


def _automatic(kind: str) -> str:
    words = {
        "emergency": _("These words may describe an emergency. The patient was told to dial 120."),
        "reopened": _("The patient opened the consultation again."),
        "closed_idle": _("Closed by itself, since nothing was said for two days."),
    }
    return words.get(kind) or _("Something changed.")


def _shot(view: ConversationView, it: MessageView) -> Shot | None:
    if it.picture is None:
        return None
    address = url_for("desk.consultation_picture", conversation=view.id, picture=it.picture.id)
    scale = min(1.0, _SMALL / max(it.picture.width, it.picture.height))
    return Shot(
        address,
        f"{address}?small=1",
        max(1, round(it.picture.width * scale)),
        max(1, round(it.picture.height * scale)),
        _("Picture, opens in full size"),
    )


def _summed(it: MessageView) -> Summed | None:
    if it.summary is None:
        return None
    following = it.summary.next_service
    return Summed(it.summary.summary, it.summary.advice, kind_name(following.kind) if following else "")
