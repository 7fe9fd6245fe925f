"""Refusals about those who are sent to be with a customer."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _

from marketplace.refusal_words.words import Words

WORDS: Mapping[str, Words] = {
    "too_many_followers": Words(
        _("Too many links"), _("An escort can have at most %(most)s open links at a time. End one first.")
    ),
    "nothing_to_follow": Words(
        _("Nothing to follow"), _("This escort is over or does not take place, so nobody can follow it.")
    ),
    "nothing_to_confirm": Words(
        _("Nothing to confirm"), _("The escort is not over yet, or does not take place. You can say how it went then.")
    ),
    "nothing_to_complain_of": Words(
        _("Not now"), _("The escort has not begun yet, or is over for too long. Call us if something is wrong.")
    ),
    "wrong_escort_code": Words(
        _("Not the right code"),
        _("That is not the code of the person you escort. Ask her again. Tries left: %(left)s."),
    ),
    "deed_key_reused": Words(
        _("The step's key was used before"), _("Another step was recorded under this key. Record it under a new one.")
    ),
    "deed_told_too_late": Words(
        _("Too late to add to it"),
        _("This escort was over more than %(days)s days ago. Nothing was added. Tell your manager what is missing."),
    ),
    "too_many_deeds": Words(
        _("Many steps already"), _("An escort holds at most %(most)s steps and notes. Nothing was added.")
    ),
    "escort_worker_changed": Words(
        _("It changed meanwhile"),
        _("Somebody else changed this worker while you did. Nothing was saved: open her page again."),
    ),
    "escort_roster_full": Words(
        _("Many hours already"), _("A week has at most %(most)s lines. Take one off that does not hold any more.")
    ),
    "escort_venues_full": Words(_("Many places already"), _("At most %(most)s places are written down.")),
    "escort_already_asked": Words(
        _("Somebody is asked already"),
        _("Somebody is asked for this booking, or has said yes. Replace that worker first."),
    ),
    "escort_unavailable": Words(_("This worker can't go"), _("This worker can't be sent to this booking.")),
    "escort_unavailable.other_city": Words(_("This worker can't go"), _("This worker is in another city.")),
    "escort_unavailable.not_yet": Words(_("This worker can't go"), _("This worker has not started by then.")),
    "escort_unavailable.left": Words(_("This worker can't go"), _("This worker will have left by then.")),
    "escort_unavailable.papers": Words(
        _("This worker can't go"), _("Nobody has looked at the worker's identity and health certificate yet.")
    ),
    "escort_unavailable.absent": Words(_("This worker can't go"), _("This worker is absent at that time.")),
    "escort_unavailable.busy": Words(_("This worker can't go"), _("This worker is with somebody else at that time.")),
    "escort_unavailable.travel": Words(
        _("This worker can't go"), _("This worker could not get there, or on to the next one, in time.")
    ),
    "escort_ask_is_over": Words(
        _("This is over"), _("You are not asked for this any more: it was answered, taken back, or too late.")
    ),
    "nobody_assigned": Words(
        _("Nobody is asked"), _("Nobody is asked for this booking, so there is nobody to replace.")
    ),
    "not_to_be_escorted": Words(_("Nobody is sent here"), _("Nobody is to be sent to this booking now.")),
    "not_to_be_escorted.over": Words(_("Nobody is sent here"), _("The booking has ended, or was never sent off.")),
    "not_to_be_escorted.begun": Words(_("Nobody is sent here"), _("Its time has begun.")),
    "not_to_be_escorted.cancel_under_way": Words(
        _("Nobody is sent here"), _("The customer cancelled, and that is being carried out.")
    ),
    "not_to_be_escorted.moves": Words(
        _("Nobody is sent here"),
        _("The customer has agreed to another time. Once the booking is there, somebody is asked for that time."),
    ),
    "not_to_be_escorted.no_time": Words(
        _("Nobody is sent here"), _("Too little time is left for an answer. Call somebody, then confirm it yourself.")
    ),
    "not_to_be_escorted.elsewhere": Words(
        _("Nobody is sent here"), _("Your own system says who is sent. Do it there.")
    ),
}
