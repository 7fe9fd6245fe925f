"""Why a place cannot be had: said alike when a booking is made and when it is moved."""

from __future__ import annotations

from marketplace.core.errors import Refusal


class SlotFull(Refusal):
    """The last place has just gone; `slot` and its times are among the facts."""

    code = "slot_full"
    field = "slot_id"


class SlotPast(Refusal):
    """The slot lies in the past or inside the time the provider needs; `closes_at` says until when it was open."""

    code = "slot_past"
    status = 422
    field = "slot_id"


class SlotClosed(Refusal):
    """The provider does not give this slot, or this day, out any more."""

    code = "slot_closed"
    field = "slot_id"


class SlotMoved(Refusal):
    """The provider moved the slot while it was being taken; look again."""

    code = "slot_moved"
    field = "slot_id"


class AlreadyBooked(Refusal):
    """The person has another booking at that time; `booking` is its id and `reference` its number, if it still is."""

    code = "beneficiary_busy"
    field = "beneficiary_id"


class TooManyHeld(Refusal):
    """As many places are held for the customer as may be at once (hold_booking.sql counts them); `most` says how many.
    Confirming or cancelling one makes room."""

    code = "too_many_held"


class HasNoTimes(Refusal):
    """What is booked begins at once: there is no time to choose, to change, to propose or to wait for."""

    code = "has_no_times"
    status = 422


class NotWaitedFor(Refusal):
    """There is no waiting list where somebody is sent to a venue: that and the answers are chosen with a time."""

    code = "not_waited_for"
    status = 422


class OfferClosed(Refusal):
    """The offer is no longer given out, or its site has closed."""

    code = "offer_closed"
    field = "offer_id"
