"""The connection in words: what a client may do, what an endpoint is told, and how both are."""

from __future__ import annotations

from flask_babel import gettext as _

from booking.webhooks.deliveries import Delivery
from booking.webhooks.endpoints import Endpoint
from marketplace.web.language import LANGUAGES
from marketplace.web.parts import Pill

Choices = tuple[tuple[str, str], ...]


def languages() -> Choices:
    """What a letter may be written in: code and its own name."""
    return tuple((code, language.name) for code, language in LANGUAGES.items())


def scopes() -> Choices:
    """What a client may be allowed: code and words."""
    texts = {
        "slots": _("Publish free times and the places of days"),
        "bookings": _("Read bookings, answer them, say what became of them"),
        "reports": _("Deliver and correct reports"),
        "webhooks": _("Set up webhooks and read their log"),
        "offers": _("Maintain packages and their prices"),
    }
    return tuple(texts.items())


def event_types() -> Choices:
    """What an endpoint may be told of: code and words."""
    texts = {
        "booking.requested": _("A booking is asked for"),
        "booking.confirmed": _("It is confirmed"),
        "booking.rejected": _("It is refused"),
        "booking.cancelled": _("It is cancelled"),
        "booking.checked_in": _("Somebody has come"),
        "booking.in_service": _("The service has begun"),
        "booking.fulfilled": _("The service is done"),
        "booking.no_show": _("Nobody came"),
        "booking.moved": _("It has another time"),
        "booking.change_asked": _("Another time is asked for"),
        "booking.change_ended": _("A change is decided or taken back"),
        "booking.cancel_asked": _("A cancellation is asked for"),
        "booking.time_proposed": _("Another time is proposed"),
        "booking.proposal_ended": _("A proposal is answered or over"),
        "booking.updated": _("Something else has changed"),
    }
    return tuple(texts.items())


def delivery_states() -> Choices:
    """How a delivery may be: code and words."""
    texts = {"queued": _("Waits"), "done": _("Received"), "failed": _("Failed"), "dropped": _("Not needed any more")}
    return tuple(texts.items())


def endpoint_pill(it: Endpoint) -> Pill:
    """How an endpoint is."""
    if it.state == "active":
        if it.failing_since is not None:
            return Pill(_("Failing"), "wait", icon="triangle-alert")
        return Pill(_("Active"), "ok", icon="check")
    if it.state == "ended":
        return Pill(_("Has ended"), "bad", icon="x")
    return Pill(_("Paused"), "bad" if it.reason == "failing" else "off", icon="clock")


def endpoint_reason(it: Endpoint) -> str:
    """Why an endpoint is as it is; blank where there is nothing to say."""
    return {
        "asked": _("It was paused here or by your program. What happens meanwhile is delivered when it goes on."),
        "failing": _(
            "Every delivery failed for five days, so it was paused. Put the receiver right, send a test, then let it "
            "go on: what happened meanwhile follows."
        ),
        "gone": _(
            "Your program answered 410: nothing is received there any more. Delete this address, and add a new one."
        ),
    }.get(it.reason, "")


def delivery_pill(it: Delivery) -> Pill:
    """How a delivery is."""
    tone, icon = {
        "queued": ("wait", "clock"),
        "done": ("ok", "check"),
        "failed": ("bad", "circle-alert"),
        "dropped": ("off", "x"),
    }[it.state]
    return Pill(dict(delivery_states())[it.state], tone, icon=icon)


def event(kind: str) -> str:
    """What a delivery tells of."""
    return dict(event_types()).get(kind, "") or _("Test")
