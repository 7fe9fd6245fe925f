"""Refusals about accounts and signing in, of customers, of those who work here or for a provider, and by an app."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _

from marketplace.refusal_words.words import Words

WORDS: Mapping[str, Words] = {
    "wrong_code": Words(_("Not the right code"), _("That is not the code we sent. Tries left: %(tries_left)s.")),
    "code_ended": Words(_("The code has ended"), _("This code was used, replaced or is too old. Ask for a new one.")),
    "wrong_password": Words(_("Login or password is wrong"), _("Login or password is wrong.")),
    "wrong_second_factor": Words(
        _("Not the right code"),
        _("That code is not right, or was used before. Wait for the next one and try again."),
    ),
    "offer_ended": Words(_("The secret is too old"), _("That took too long. Scan the new code below.")),
    "own_account": Words(
        _("Not for your own account"),
        _("Somebody else who administers accounts has to do this to yours."),
    ),
    "last_admin": Words(_("The last one"), _("Nobody who administers accounts would be left. Make another one first.")),
    "has_manager": Words(_("There is a manager"), _("This provider has a manager, who invites its people.")),
    "login_taken": Words(_("The login is taken"), _("Another account has this login.")),
    "phone_taken": Words(_("The number is taken"), _("Another customer has this number. Nothing was changed.")),
    "sign_in_again": Words(
        _("Sign in once more"),
        _("Sign in once more, then do this within %(within)s minutes. It keeps your data safe."),
    ),
    "link_over": Words(
        _("This link is over"), _("It is good for one minute, and once. Open it from your insurer's app again.")
    ),
    "bad_assertion": Words(
        _("The signed token is not believed"), _("Have the app sign a new one, as the insurer's documents say.")
    ),
    "erasure_under_way": Words(
        _("A booking is under way"),
        _("Nothing was deleted: %(bookings)s is under way or in dispute. Cancel it or wait for its end first."),
    ),
    "no_email": Words(_("No e-mail here"), _("This service sends no e-mail. Messages come by SMS and to your inbox.")),
    "email_not_sent": Words(
        _("The mail was not sent"), _("The code could not be sent to this address just now. Try again in a minute.")
    ),
    "favourites_full": Words(
        _("Too many favourites"),
        _("There can be %(most)s favourite places. Take the heart off one that you need less."),
    ),
    "too_many_invitations": Words(
        _("Too many invitations"), _("%(most)s invitations are open at most. Take one back, or wait for one to end.")
    ),
    "invited_before": Words(
        _("It was sent before"),
        _("This form was sent before, and that invitation is over. Nothing was sent; sent once more, it invites anew."),
    ),
}
