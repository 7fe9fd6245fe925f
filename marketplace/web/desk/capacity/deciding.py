"""What becomes of bookings at places that go off sale: the dialogue, and what came of it booking by booking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask import Response, request, url_for
from flask_babel import gettext as _

from booking.answering.shown import ShownBooking
from booking.capacity_rules import edit, view
from booking.capacity_rules.affected import AtSlot
from booking.capacity_rules.edit import Editor
from booking.capacity_rules.view import ItemView
from booking.offers.alternatives import Alternative
from marketplace import wording
from marketplace.core import clock
from marketplace.core.errors import Invalid, Refusal
from marketplace.edge import LARGE_FORM
from marketplace.refusal_words.every import WORDS
from marketplace.web import formats
from marketplace.web.answers import Views, see_other
from marketplace.web.desk import session
from marketplace.web.desk.answers import desk_page
from marketplace.web.desk.capacity import calendar_page, forms
from marketplace.web.desk.capacity.publishing import publish_now
from marketplace.web.parts import Pill


@dataclass(frozen=True)
class BookingRow:
    """A booking to decide. `slots`: other times to propose, as value and label; the first is the next free one."""

    id: str
    reference: str
    person: str
    day: date
    starts_at: datetime | None
    ends_at: datetime | None
    pill: Pill
    what: str
    why: str
    slot: str
    slots: Sequence[tuple[str, str]]
    error: str


@dataclass(frozen=True)
class Dialogue:
    """The bookings to decide, what is chosen for all, and what may be chosen."""

    rows: Sequence[BookingRow]
    what: str
    why: str
    actions: Sequence[tuple[str, str]]
    error: str


@dataclass(frozen=True)
class ItemRow:
    """What came of a decision, in words."""

    reference: str
    person: str
    day: date
    starts_at: datetime | None
    ends_at: datetime | None
    what: str
    reason: str
    pill: Pill
    note: str


def actions() -> Sequence[tuple[str, str]]:
    """What can become of a booking."""
    return (
        ("keep", _("Keep it, and only close to new ones")),
        ("propose", _("Propose another time")),
        ("cancel", _("Cancel it")),
    )


def lengths() -> Sequence[tuple[str, str]]:
    """Lengths of a slot to choose from."""
    minutes = (10, 15, 20, 30, 40, 45, 60, 90, 120, 180, 240)
    return (*((str(each), formats.span(each * 60)) for each in minutes), (forms.WHOLE, _("The whole day")))


def make_ups() -> Sequence[tuple[str, str]]:
    """As which weekday a working day that makes up for a holiday can count."""
    days = ((str(day.isoweekday()), formats.weekday(day)) for day in formats.week_heads())
    return (
        ("", _("Counts as the weekday it is")),
        *((value, _("Counts as %(weekday)s", weekday=name)) for value, name in days),
    )


def dialogue(
    bookings: Sequence[AtSlot],
    others: Mapping[str, Sequence[Alternative]],
    zone: str,
    fields: Mapping[str, str],
    refusal: Refusal | None = None,
) -> Dialogue:
    """The bookings with what was chosen so far."""
    errors = _errors(refusal, fields)
    rows = tuple(_row(each.booking, others.get(each.booking.id, ()), zone, fields, errors) for each in bookings)
    return Dialogue(rows, fields.get("what_all", ""), fields.get("why_all", ""), actions(), errors.get("", ""))


def _errors(refusal: Refusal | None, fields: Mapping[str, str]) -> dict[str, str]:
    """Sentences by booking; a reason that is missing for all stands at the top."""
    if not isinstance(refusal, Invalid):
        return {}
    _field, _dot, rest = (refusal.at or "").partition(".")
    booking = rest.partition(".")[0]
    own = fields.get(f"what_{booking}", forms.AS_ALL)
    return {booking if booking and own else "": wording.sentence(refusal)}


def _row(
    booking: ShownBooking,
    others: Sequence[Alternative],
    zone: str,
    fields: Mapping[str, str],
    errors: Mapping[str, str],
) -> BookingRow:
    near = [(each.slot_id, formats.appointment(each.service_date, each.starts_at, zone)) for each in others]
    return BookingRow(
        id=booking.id,
        reference=booking.reference,
        person=booking.person_name,
        day=booking.service_date,
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        pill=_status(booking),
        what=fields.get(f"what_{booking.id}", forms.AS_ALL),
        why=fields.get(f"why_{booking.id}", ""),
        slot=fields.get(f"slot_{booking.id}", ""),
        slots=(("", _("The next free time")), *near),
        error=errors.get(booking.id, ""),
    )


def _status(booking: ShownBooking) -> Pill:
    if booking.status == "confirmed":
        return Pill(_("Confirmed"), "ok", "circle-check")
    return Pill(_("Awaits your answer"), "wait", "clock")


def capacity_decide(pool: str) -> Response:
    """Bookings at places that are off sale already, of which nobody has said what becomes."""
    who, now = session.member(), clock.now()
    refusal: Refusal | None = None
    fields = forms.sent()
    found = view.to_decide(who.provider_id, pool, now=now)
    if request.method == "POST":
        try:
            said = forms.decisions_in(fields, [each.booking.id for each in found.bookings])
            if not said:
                raise Invalid(field="decisions", reason="required")
            change = edit.decide(Editor(who.provider_id, who.public_id), pool, said, now=now)
            publish_now(found.pool.key, change, now=now)
            return see_other(url_for("desk.capacity_change", change=change))
        except Invalid as wrong:
            refusal = wrong
    return desk_page(
        "capacity/decide",
        "capacity",
        200 if refusal is None else refusal.status,
        pool=found.pool,
        name=calendar_page.pool_name(found.pool),
        deciding=dialogue(found.bookings, found.others, found.pool.zone, fields, refusal),
    )


def capacity_change(change: str) -> Response:
    """What came of a change, booking by booking."""
    found = view.change_view(session.member().provider_id, change, now=clock.now())
    return desk_page(
        "capacity/change",
        "capacity",
        found=found,
        name=calendar_page.pool_name(found.pool),
        rows=tuple(map(item_row, found.items)),
    )


def item_row(item: ItemView) -> ItemRow:
    """What came of a decision, in words."""
    booking = item.booking
    pill, note = _outcome(item)
    return ItemRow(
        reference=booking.reference,
        person=booking.person_name,
        day=booking.service_date,
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        what=dict(actions()).get(item.action, ""),
        reason=item.reason,
        pill=pill,
        note=note,
    )


def _outcome(item: ItemView) -> tuple[Pill, str]:
    """What came of it, and what that means."""
    if item.state == "waiting":
        return Pill(_("Being carried out"), "wait", "hourglass"), ""
    if item.state == "refused":
        words = WORDS.get(item.outcome)
        return Pill(_("Could not be done"), "bad", "circle-alert"), str(words.title) if words else ""
    if item.state == "moved_on":
        return Pill(_("No longer there"), "off", "info"), _(
            "The booking was cancelled or moved meanwhile, or its place is on sale again."
        )
    if item.action == "keep":
        return Pill(_("Stays"), "ok", "circle-check"), ""
    if item.action == "cancel":
        return Pill(_("Cancelled"), "ok", "circle-check"), _("The customer was told, and the benefit was given back.")
    return _proposed(item)


def _proposed(item: ItemView) -> tuple[Pill, str]:
    proposal = item.booking.proposal
    if proposal is not None:
        time = formats.appointment(proposal.service_date, proposal.starts_at, item.booking.time_zone)
        return Pill(_("Other time proposed"), "wait", "clock"), _("%(time)s. The customer answers.", time=time)
    return Pill(_("Answered"), "ok", "circle-check"), ""


setattr(capacity_decide, LARGE_FORM, forms.FORM_BYTES)

VIEWS: Views = {"capacity_decide": capacity_decide, "capacity_change": capacity_change}
