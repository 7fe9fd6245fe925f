"""Cases about bookings for which somebody is sent, as the provider's people read them: what is so, and what to do."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

ESCORT_CASES = {
    "escort_nobody": (
        _("Nobody is found to be sent"),
        _("Look at the booking: see whom you could ask all the same, or call the customer about another time."),
    ),
    "escort_late": (
        _("Somebody you send is late"),
        _("Call your worker now: nobody else could be there in time."),
    ),
    "escort_away": (
        _("Somebody who is with a customer can't stay"),
        _("She is written as absent, or works for you no more. Call her; send somebody else if she has to go."),
    ),
    "escort_lost": (
        _("Nobody is known to have come"),
        _("Find out whether somebody of yours went, and tell our operations: they call the customer and settle it."),
    ),
    "escort_came_after_all": (
        _("It took place after it was cancelled"),
        _(
            "Your worker's phone told it later; the customer has her benefit back. Tell our operations what your worker"
            " says: they agree with you and the customer how it is settled."
        ),
    ),
}
"""By the kind of the case."""

CANCELLED = (
    ESCORT_CASES["escort_lost"][0],
    _("It was cancelled, and the customer has her benefit back. If somebody of yours went, tell our operations."),
)
"""Of one that nobody is known to have come to and that does not stand any more."""
