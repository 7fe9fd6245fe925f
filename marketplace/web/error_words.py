"""What an error page says: the fact, the consequence for the reader, the next step."""

from __future__ import annotations

from flask_babel import gettext as _


def error_words(status: int) -> tuple[str, str]:
    """Title and text for an HTTP status. Unknown ones read as our fault."""
    words = {
        400: (_("We could not read that"), _("Something in the request was broken. Nothing was changed.")),
        401: (_("You are signed out"), _("Sign in again to go on. Nothing was lost.")),
        403: (
            _("This form was open too long"),
            _("For your safety it has ended, and nothing was changed. Open the page again."),
        ),
        404: (_("There is nothing here"), _("The address is wrong, or what stood here is not yours to see.")),
        405: (_("That can't be done here"), _("Go back and use the buttons of the page. Nothing was changed.")),
        409: (_("Somebody was faster"), _("What you saw has changed in the meantime. Open the page again.")),
        413: (_("That is too large"), _("Nothing was changed.")),
        429: (_("Too many tries"), _("To keep your account safe we ask you to wait. Nothing was changed.")),
        503: (
            _("We are back in a moment"),
            _("The service is being looked after. Your bookings and benefits are unchanged."),
        ),
    }
    fault = (_("This page didn't open"), _("The fault is ours. Your bookings and benefits are unchanged."))
    return words.get(status, fault)
