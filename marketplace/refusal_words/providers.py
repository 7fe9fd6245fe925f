"""Refusals about organisations that join, their programs, their test mode and what they have to prove."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _

from marketplace.refusal_words.words import Words

WORDS: Mapping[str, Words] = {
    "code_taken": Words(_("This code is taken"), _("Another provider has this code. Choose another one.")),
    "application_decided": Words(
        _("It is decided already"), _("Somebody else has approved or declined it meanwhile. Look at it again.")
    ),
    "application_closed": Words(_("It is approved"), _("Your organisation is approved: there is nothing to send in.")),
    "names_changed": Words(
        _("It is called otherwise now"),
        _("Its people changed its names meanwhile. Read it again before you approve it."),
    ),
    "names_approved": Words(
        _("An operator changes the names"),
        _("Your organisation was approved under its names. To change one, ask the operator. Nothing was saved."),
    ),
    "profile_changed": Words(
        _("The profile has changed"),
        _("Somebody else changed the profile meanwhile. This is how it stands now; change it again."),
    ),
    "insufficient_scope": Words(
        _("The token lacks a scope"), _("This needs a token with the scope %(scope)s. Ask for one, or have it added.")
    ),
    "two_secrets": Words(
        _("There are two secrets already"), _("There are two secrets at most. End one of them before the next.")
    ),
    "too_many_clients": Words(
        _("Too many clients"), _("There are %(most)s clients in use at most. End one that no program needs any more.")
    ),
    "made_before": Words(
        _("It was made before"),
        _("This form was sent before, and its client is in use. Open it from the list; nothing else was made."),
    ),
    "last_secret": Words(
        _("It is the last secret"), _("Without a secret nothing could be signed. Add another one before this one ends.")
    ),
    "too_many_endpoints": Words(
        _("Too many endpoints"), _("There are %(most)s endpoints at most. Delete one before the next.")
    ),
    "endpoint_ended": Words(
        _("The endpoint has ended"), _("The receiver answered that it is gone. Delete the endpoint and add a new one.")
    ),
    "test_waiting": Words(
        _("A test is on its way"), _("A test of this endpoint has not been sent yet. Wait for what comes of it.")
    ),
    "cursor_outlived": Words(
        _("The cursor is of before a restore"),
        _(
            "Our database was restored since, so this cursor says nothing any more. Take facts.next as your cursor, "
            "forget the ids of events that you have, and read all bookings once."
        ),
    ),
    "snapshot_over": Words(
        _("The snapshot is over"),
        _("The snapshot was completed, or its time is over. Lines that were applied stay. Open another one."),
    ),
    "snapshot_refused": Words(
        _("Lines of the snapshot were refused"),
        _("Nothing was closed: %(refused)s of the snapshot's lines were refused. Open another one."),
    ),
    "snapshot_lines_refused": Words(
        _("Lines of the snapshot were refused"),
        _("Nothing was ended: %(refused)s of the snapshot's lines were refused. Open another one."),
    ),
    "too_many_snapshots": Words(
        _("Too many snapshots"),
        _("At most %(most)s snapshots may be open. Complete one, or wait for the end of its time."),
    ),
    "nothing_to_prove": Words(
        _("There is nothing to prove"), _("Its people answer at the desk: there is no system to try.")
    ),
    "no_test_mode": Words(
        _("Test mode is not open"),
        _("A program is tried in test mode. Open test mode first, with a program and offers of its own."),
    ),
    "system_test_open": Words(
        _("A test is under way"), _("A test of your system is under way. Its answer comes within a minute.")
    ),
    "not_tried": Words(
        _("This was not tried"),
        _(
            "These values have not passed a test within a day, or other values were tried or connected since."
            " Test them once more."
        ),
    ),
    "loss_not_accepted": Words(
        _("This has to be confirmed"), _("This takes your services from customers for a while. Confirm it below.")
    ),
    "too_many_runs": Words(
        _("Too many runs"),
        _("There are %(most)s runs an hour at most. The next one is possible in %(retry_after)s seconds."),
    ),
    "too_many_runs.minutes": Words(
        _("Too many runs"),
        _("There are %(most)s runs an hour at most. The next one is possible in %(minutes)s minutes."),
    ),
    "desk_changed_over": Words(
        _("This desk has changed over"),
        _(
            "This page was opened before the desk went into test mode or out of it. Nothing was changed. Open the page"
            " again and do it there."
        ),
    ),
    "not_in_test_mode": Words(
        _("Not in test mode"), _("Faults strike test bookings only. Use a client that was made in test mode.")
    ),
    "rehearsal_under_way": Words(
        _("A rehearsal is under way"), _("A rehearsal is under way in test mode. Wait until it has ended, or end it.")
    ),
    "certification_under_way": Words(
        _("A certification run is under way"),
        _("It books in this test mode too. Wait until it has ended and its bookings are cancelled."),
    ),
    "is_a_twin": Words(_("This is test mode itself"), _("What is a test has no test mode of its own.")),
    "no_free_time": Words(
        _("No free time"), _("There is no free time in the next weeks. Open places in the calendar first.")
    ),
    "no_place_to_try": Words(
        _("No free time"), _("There is no free time in the next weeks. Open places in the calendar first.")
    ),
}
