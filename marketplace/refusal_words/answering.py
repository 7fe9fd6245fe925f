"""Refusals about what a provider says of its bookings, its times and its offers."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _

from marketplace.refusal_words.words import Words

WORDS: Mapping[str, Words] = {
    "said_where_it_is_done": Words(
        _("It is said where it is done"),
        _("What begins at once is answered and closed in its conversation. It has no visit to report."),
    ),
    "not_possible_now": Words(
        _("Not possible now"), _("That can't be said of the booking as it is now. Nothing was changed.")
    ),
    "not_confirmed": Words(
        _("Not confirmed yet"),
        _("This booking has not been confirmed. Confirm it first. Nothing was changed."),
    ),
    "complaint_open": Words(
        _("The customer says that something is wrong"),
        _("It can be said to be done once a person has settled that with the customer. Nothing was changed."),
    ),
    "cancel_under_way": Words(
        _("The customer cancelled"), _("The customer has cancelled this booking. Nothing else can be said of it now.")
    ),
    "answered_elsewhere": Words(
        _("Your system answers"),
        _("Your bookings are answered in your own system, which we call. Answer there; nothing was changed."),
    ),
    "too_early": Words(_("Too early"), _("That can be said from %(opens_at)s. Nothing was changed.")),
    "already_checked_in": Words(_("Already checked in"), _("This person has been checked in already.")),
    "other_day": Words(
        _("Another day"), _("This visit was on %(service_date)s. Nobody is expected by this code today.")
    ),
    "no_visit": Words(_("Not expected"), _("This booking was cancelled or refused: nobody is expected by it.")),
    "time_differs": Words(
        _("Another time was reported before"),
        _("You reported another time before, and a person has not decided on it yet. Nothing was changed."),
    ),
    "calendar_changed": Words(
        _("Somebody else has changed this"),
        _("The calendar was changed since you opened this page. Nothing was saved; look at it as it is now."),
    ),
    "bookings_to_decide": Words(
        _("Bookings would lose their places"),
        _("Say of each booking below what becomes of it. Nothing was saved."),
    ),
    "no_other_time": Words(
        _("No other time is free"), _("There is no other time of this service at which this customer could come.")
    ),
    "offer_changed": Words(
        _("The offer has changed"), _("The offer has changed since you read it. Read it again, then send your change.")
    ),
    "offer_version_needed": Words(
        _("If-Match is needed"),
        _("There is such an offer. Send its ETag as If-Match, so that no other change is lost."),
    ),
    "pool_at_another_site": Words(
        _("The pool is at another site"), _("A pool stays at its site. Use another reference for another site.")
    ),
}
