"""Refusals about taking a place, waiting for one, changing and cancelling, and what is said afterwards."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _

from marketplace.refusal_words.words import Words

WORDS: Mapping[str, Words] = {
    "slot_full": Words(
        _("This time has just gone"), _("This time has just gone. Your benefit is untouched. Choose another one.")
    ),
    "slot_past": Words(
        _("This time can't be booked any more"),
        _("Booking for this time closed on %(closes_at)s. Your benefit is untouched. Choose a later one."),
    ),
    "slot_moved": Words(_("This time was moved"), _("The provider has just moved this time. Look at the times again.")),
    "slot_closed": Words(
        _("This time is no longer offered"),
        _("The provider no longer offers this time. Your benefit is untouched. Choose another one."),
    ),
    "offer_closed": Words(_("No longer offered"), _("This is no longer offered. Your benefit is untouched.")),
    "beneficiary_busy": Words(
        _("Already booked at that time"), _("This person has another booking at that time. Your benefit is untouched.")
    ),
    "hold_expired": Words(
        _("The hold is over"), _("The time to confirm it is over. The place is free again and your benefit is back.")
    ),
    "not_held": Words(_("Not waiting for you"), _("Only a held booking can be submitted.")),
    "cancel_too_late": Words(
        _("Too late to cancel online"), _("Online cancellation closed on %(until)s. You can still call us.")
    ),
    "only_admins_cancel": Words(
        _("Only an administrator can cancel it"),
        _(
            "The customer's own window closed on %(until)s, or the visit has begun. "
            "Only an administrator can still cancel it."
        ),
    ),
    "no_open_change": Words(
        _("No change to take back"), _("No change of date is open any more. Look at the booking: it shows what holds.")
    ),
    "not_cancellable": Words(_("Can't be cancelled"), _("This booking has begun or is over.")),
    "not_cancellable.answered": Words(
        _("Can't be cancelled"),
        _("It was answered, so one use was taken up. A doctor closes it, or it ends by itself."),
    ),
    "has_no_times": Words(
        _("There is no time to choose"), _("This begins at once: there is no time to choose, to change or to wait for.")
    ),
    "not_waited_for": Words(
        _("There is no waiting list here"),
        _("Somebody comes to the place that you choose. Choose another day, or another service in the city."),
    ),
    "offer_has_times": Words(_("A time has to be chosen"), _("This offer is given out by times. Choose one of them.")),
    "too_many_open": Words(
        _("Too many are open"),
        _("%(most)s of these are open for you, as many as may be. Go on in one of them, or cancel one that waits."),
    ),
    "too_many_held": Words(
        _("Too many places are held for you"),
        _("At most %(most)s places are held for you at a time. Confirm or cancel one of them first."),
    ),
    "rating_too_early": Words(_("Not done yet"), _("A service can be rated once it is done.")),
    "rating_fixed": Words(
        _("The rating stands"), _("A rating can be changed within a day. Yours was given on %(at)s, and stands.")
    ),
    "waiting_list_full": Words(
        _("You wait for many things already"),
        _("You can wait for at most %(most)s things at once. Stop waiting for one of them first."),
    ),
    "already_waiting": Words(
        _("Already on the waiting list"),
        _("This person waits for one of these places already. To change the limits, stop waiting there first."),
    ),
    "not_waiting": Words(_("No longer on the waiting list"), _("This wait is over already. Nothing was changed.")),
    "not_disputable": Words(_("Nothing to dispute"), _("Only a visit that was recorded as missed can be disputed.")),
    "dispute_too_late": Words(
        _("Too late to dispute online"), _("Disputing closed on %(until)s. You can still call us.")
    ),
    "dispute_closed": Words(_("Answered already"), _("This dispute has been answered already.")),
    "change_too_late": Words(
        _("Too late to change the date online"),
        _("Changing the date online closed on %(until)s. Your date stays. You can still call us."),
    ),
    "no_changes_left": Words(
        _("No more changes"), _("This booking was changed as often as its offer allows. Your date stays.")
    ),
    "not_changeable": Words(
        _("The date can't be changed now"),
        _("Only a confirmed booking that waits for no other answer can be moved. Your date stays."),
    ),
    "proposal_over": Words(
        _("This proposal is over"),
        _("The proposal was answered, taken back, or its time is over. Look at the booking again."),
    ),
    "same_slot": Words(_("That is your date already"), _("Your booking has this time. Choose another one.")),
    "illegal_move": Words(_("Not possible in this state"), _("The booking's state does not allow that.")),
}
