"""What the page of a conversation shows, in any state of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from flask_babel import gettext as _
from flask_babel import ngettext

from booking.consultation import flags
from booking.consultation.place import Place
from booking.consultation.views import ConversationView
from booking.pledges.pledge import PledgeView
from booking.states import GIVEN_UP, BookingState
from marketplace.web import formats
from marketplace.web.consultation.lines import Line
from marketplace.web.consultation.start_page import pledged
from marketplace.web.language import by_language
from marketplace.web.parts import Form
from marketplace.web.people import named
from marketplace.web.rating_form import Stars
from providers.staff.clinicians import Shown

Mode = Literal["unasked", "waiting", "open", "closed", "given_up"]
"""How it stands: nothing was said yet; nobody has answered; a doctor has; it was closed; it was given up before."""


@dataclass(frozen=True)
class Doctor:
    """Who answers: her name, the one character of her portrait, her department and a line about her."""

    name: str
    face: str
    department: str
    line: str


@dataclass(frozen=True)
class Clock:
    """What was pledged and how it went. `state`: open, met or late. `left` of `total` are seconds; `share` is the part
    of the time that the answer took, `took` the time in words (blank before it). `given` says what a broken pledge
    gave; `owed`: a broken one gives something."""

    state: Literal["open", "met", "late"]
    pledged: str
    left: int
    total: int
    share: float = 0.0
    took: str = ""
    given: str = ""
    owed: bool = False


@dataclass(frozen=True)
class Waiting:
    """What a waiting customer is told. `nobody`: no doctor is on shift, so there is a choice, of which `chosen` says
    what she chose; `moments` are pairs of an ISO moment and its words for being called back. `promise`: within what
    time she is answered once she has asked, blank where nothing is pledged or the clock runs. `outside`: doctors of its
    provider answer in a system of their own."""

    title: str
    line: str
    nobody: bool
    chosen: str
    moments: tuple[tuple[str, str], ...]
    promise: str = ""
    outside: bool = False


@dataclass(frozen=True)
class Emergency:
    """Advice that stands above everything else."""

    title: str
    advice: tuple[str, ...]


@dataclass(frozen=True)
class Talk:
    """A conversation. `lines` end with the message `last_seq`, of `newest`; `earlier_url` and `later_url` lead to what
    stands before and behind them, blank where nothing does. Above the line `first_new` it is said that what follows is
    new (0: nowhere). `version` is the ETag that the live part would answer now for `last_seq`. `on_the_way` and
    `not_delivered`: numbers of messages of hers."""

    id: str
    booking: str
    mode: Mode
    title: str
    about: str
    doctor: Doctor | None
    clock: Clock | None
    waiting: Waiting | None
    emergency: Emergency | None
    lines: tuple[Line, ...]
    last_seq: int
    others_read: int
    last_mine: int
    typing: str
    ended: str
    can_cancel: bool
    reopen_until: str
    again_url: str
    report_url: str
    version: str
    message_id: str
    form: Form
    stars: Stars | None = None
    newest: int = 0
    earlier_url: str = ""
    later_url: str = ""
    first_new: int = 0
    on_the_way: tuple[int, ...] = ()
    not_delivered: tuple[int, ...] = ()


def mode(view: ConversationView) -> Mode:
    """How it stands."""
    if BookingState(view.booking_state) in GIVEN_UP:
        return "given_up"
    if view.state == "closed":
        return "closed"
    if view.state == "open":
        return "open"
    return "unasked" if view.first_message_at is None else "waiting"


def handed_back(view: ConversationView) -> bool:
    """Whether the doctor who answered has given it back, and no other has taken it yet."""
    return mode(view) == "open" and view.clinician is None


def emergency_card(view: ConversationView) -> Emergency | None:
    """What to do until help comes, for each sign of an emergency that stands in the customer's words; None without one,
    and once it is over."""
    if not view.flagged or mode(view) in ("closed", "given_up"):
        return None
    general = (
        _("Do not wait for an answer here, and do not drive yourself."),
        _("Say where you are and what has happened; stay on the line."),
        _("If somebody is with you, let her open the door and keep you company."),
    )
    signs = [flags.sign(code) for code in view.signs]
    advice = tuple(
        _("%(sign)s: %(advice)s", sign=by_language(each.name), advice=by_language(each.advice)) for each in signs
    )
    return Emergency(_("This may be an emergency. Dial 120 now."), advice or general)


def doctor(view: ConversationView, known: dict[str, Shown]) -> Doctor | None:
    """The one who has it in hand once she has answered."""
    if view.clinician is None or view.state == "waiting":
        return None
    shown = known.get(view.clinician.id)
    name = shown.name if shown else view.clinician.name
    title = by_language(shown.title) if shown else ""
    doing = _("has answered you") if view.state == "closed" else _("is with you now")
    return Doctor(name, name[:1], by_language(view.department_name), _joined(title, doing))


def _joined(title: str, doing: str) -> str:
    return _("%(title)s, %(doing)s", title=title, doing=doing) if title else doing


def clock(view: ConversationView, pledge: PledgeView | None, now: datetime) -> Clock | None:
    """The pledge; None where nothing is pledged, or where it was given up."""
    if pledge is None or pledge.state == "cancelled":
        return None
    left = max(0, int((pledge.due_at - now).total_seconds()))
    took = ""
    share = 1.0
    answered_at = view.first_answer_at
    if answered_at is not None and answered_at < pledge.begun_at:  # a doctor had written before she asked anything
        answered_at = pledge.ended_at if pledge.state == "met" else None
    if answered_at is not None:
        seconds = int((answered_at - pledge.begun_at).total_seconds())
        took, share = pledged(max(1, seconds)), min(1.0, max(1, seconds) / pledge.seconds)
    if pledge.state == "met":
        return Clock("met", pledged(pledge.seconds), left, pledge.seconds, share, took)
    late = pledge.state == "breached" or now >= pledge.due_at
    given = ""
    if late and pledge.given:
        given = ngettext(
            "We are sorry. %(num)d more consultation is yours for it.",
            "We are sorry. %(num)d more consultations are yours for it.",
            pledge.given,
        )
    elif late and pledge.state == "breached":
        given = _("We are sorry. It is counted in the record of what we pledged.")
    return Clock(
        "late" if late else "open",
        pledged(pledge.seconds),
        left,
        pledge.seconds,
        share,
        took,
        given,
        bool(pledge.units),
    )


def waiting(
    view: ConversationView, place: Place, shown: Clock | None, moments: tuple[tuple[str, str], ...], zone: str
) -> Waiting:
    """What she is told until somebody answers, or until another doctor takes over from the one who has."""
    if view.state == "open":
        return Waiting(_("Another doctor takes over"), _place_line(view, place), nobody=False, chosen="", moments=())
    nobody = place.on_shift == 0
    if view.first_message_at is None:
        title = _("What would you like to ask?")
    elif nobody:
        title = _("Your question is safe with us")
    elif shown is not None and shown.state == "late":
        late = _("We are late. Your question is still with the doctors")
        title = late if place.outside else _("We are late. Your question comes first now")
    elif place.outside:
        title = _("Your question is with the doctors of %(provider)s", provider=by_language(view.provider_name))
    else:
        title = _("Your question is with the doctors on shift")
    line = _outside_line(view, place) if place.outside else _place_line(view, place)
    return Waiting(title, line, nobody, _chosen(place, zone), moments, outside=place.outside)


def _outside_line(view: ConversationView, place: Place) -> str:
    """Of a provider whose queue nobody here knows."""
    provider = by_language(view.provider_name)
    if view.on_the_way:
        return _("We are passing your question on to %(provider)s.", provider=provider)
    said = _(
        "%(provider)s answers with doctors of its own. How many are waiting there we can't see.", provider=provider
    )
    if place.seconds is None:
        return said
    usual = _("In the last two hours an answer took about %(time)s.", time=pledged(place.seconds))
    return _("%(one)s %(two)s", one=said, two=usual)


def _place_line(view: ConversationView, place: Place) -> str:
    department = by_language(view.department_name)
    if place.on_shift == 0:
        return _("No doctor who could answer it is on shift just now.")
    there = ngettext(
        "%(department)s: %(num)d doctor on shift",
        "%(department)s: %(num)d doctors on shift",
        place.on_shift or 0,
        department=department,
    )
    if place.position is None:
        return there
    before = place.position - 1
    ahead = ngettext("%(num)d ahead of you", "%(num)d ahead of you", before) if before else _("nobody ahead of you")
    return _("%(there)s, %(ahead)s", there=there, ahead=ahead)


def _chosen(place: Place, zone: str) -> str:
    if place.choice == "call_back" and place.call_back_at:
        return _("You asked to be called back: %(time)s.", time=formats.moment(place.call_back_at, zone))
    if place.choice == "wait":
        return _("You chose to wait. Your question keeps its place.")
    if place.choice == "emergency":
        return _("You chose to seek help at once. Dial 120 if you have not yet.")
    return ""


def title(found: Mode, *, nobody: bool = False) -> str:
    """What the page is called; `nobody`: no doctor is there who could be found."""
    if found == "unasked" or (found == "waiting" and nobody):
        return _("Ask a doctor")
    return _("Finding your doctor") if found == "waiting" else _("Online consultation")


def about(view: ConversationView) -> str:
    """Whom it is about, in which department."""
    return formats.dotted((named(view.beneficiary_name, view.relation), by_language(view.department_name)))


def ended(view: ConversationView, zone: str) -> str:
    """Since when it is over; blank while it is not."""
    found = mode(view)
    if found == "given_up":
        return _("This question was taken back or could not be answered. Your benefit is back.")
    if found == "closed" and view.closed_at is not None:
        return _("Closed %(time)s", time=formats.deadline(view.closed_at, zone))
    return ""


def typing(it: Doctor | None) -> str:
    """That the other side is typing."""
    return _("%(name)s is typing", name=it.name) if it else _("The doctor is typing")
