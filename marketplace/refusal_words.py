"""The words of each refusal: a title and a sentence. `marketplace.wording` chooses among them and fills in the facts.

A sentence never repeats what the caller sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString


@dataclass(frozen=True)
class Words:
    """`title` names the kind of refusal and is the same each time; `sentence` may use facts as `%(name)s`."""

    title: LazyString | str
    sentence: LazyString | str


WORDS: Mapping[str, Words] = {
    # what any request may meet
    "refused": Words(_("This can't be done"), _("This can't be done. Nothing was changed.")),
    "invalid": Words(_("Something needs another look"), _("Some of the values can't be used. Nothing was changed.")),
    "not_found": Words(_("Not found"), _("There is nothing here, or it is not yours.")),
    "unauthenticated": Words(_("Sign in first"), _("Sign in, then send the request again.")),
    "forbidden": Words(_("Not allowed"), _("This account can't do that.")),
    "insufficient_scope": Words(
        _("The token lacks a scope"), _("This needs a token with the scope %(scope)s. Ask for one, or have it added.")
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
    "code_taken": Words(_("This code is taken"), _("Another provider has this code. Choose another one.")),
    "application_decided": Words(
        _("It is decided already"), _("Somebody else has approved or declined it meanwhile. Look at it again.")
    ),
    "table_refused": Words(
        _("This file can't be imported"), _("The file can't be read as a table. Save it as XLSX or CSV and try again.")
    ),
    "import_moved": Words(
        _("It is somewhere else now"), _("Somebody else was faster, or the import is over. Look at it again.")
    ),
    "nothing_to_import": Words(
        _("There is nothing to import"), _("Every line of the file has an error. Correct them and upload it again.")
    ),
    "names_changed": Words(
        _("It is called otherwise now"),
        _("Its people changed its names meanwhile. Read it again before you approve it."),
    ),
    "application_closed": Words(_("It is approved"), _("Your organisation is approved: there is nothing to send in.")),
    "two_secrets": Words(
        _("There are two secrets already"), _("There are two secrets at most. End one of them before the next.")
    ),
    "too_many_clients": Words(
        _("Too many clients"), _("There are %(most)s clients in use at most. End one that no program needs any more.")
    ),
    "desk_changed_over": Words(
        _("This desk has changed over"),
        _(
            "This page was opened before the desk went into test mode or out of it. Nothing was changed. Open the page"
            " again and do it there."
        ),
    ),
    "made_before": Words(
        _("It was made before"),
        _("This form was sent before, and its client is in use. Open it from the list; nothing else was made."),
    ),
    "too_many_invitations": Words(
        _("Too many invitations"), _("%(most)s invitations are open at most. Take one back, or wait for one to end.")
    ),
    "invited_before": Words(
        _("It was sent before"),
        _("This form was sent before, and that invitation is over. Nothing was sent; sent once more, it invites anew."),
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
    "cursor_outlived": Words(
        _("The cursor is of before a restore"),
        _(
            "Our database was restored since, so this cursor says nothing any more. Take facts.next as your cursor, "
            "forget the ids of events that you have, and read all bookings once."
        ),
    ),
    "numbers_differ": Words(
        _("Another cluster"),
        _("This database lies in another cluster than the one released last, so that something was lost."),
    ),
    "too_many": Words(_("Too many tries"), _("Too many tries. The next one is possible in %(retry_after)s seconds.")),
    "too_many.minutes": Words(
        _("Too many tries"), _("Too many tries. The next one is possible in %(minutes)s minutes.")
    ),
    "crowded": Words(
        _("Many are trying just now"),
        _("Many are trying just now. Nothing was counted; please try again in %(retry_after)s seconds."),
    ),
    "busy": Words(
        _("Somebody else was faster"), _("Another request held this up. Nothing was changed; send it again.")
    ),
    "idempotency_key_reused": Words(
        _("The key was used before"),
        _("This Idempotency-Key belongs to an earlier request with other content. Use a new key."),
    ),
    "idempotency_key_missing": Words(
        _("An Idempotency-Key is needed"),
        _("Send an Idempotency-Key header of 1 to 255 visible ASCII characters, a new one for each new request."),
    ),
    "not_json": Words(
        _("The body is not JSON"), _("The body must be a JSON document in UTF-8, nested at most 32 levels deep.")
    ),
    "bad_request": Words(_("The request can't be read"), _("The request can't be read as HTTP.")),
    "method_not_allowed": Words(_("This method is not offered here"), _("See the Allow header for what is offered.")),
    "not_acceptable": Words(_("Not in this form"), _("This can't be given in the form you accept.")),
    "too_large": Words(_("The request is too large"), _("A request may hold at most 256 KiB.")),
    "not_ndjson": Words(
        _("This content type is not understood"), _("Send the body as application/x-ndjson: a JSON object a line.")
    ),
    "batch_too_large": Words(
        _("The request is too large"), _("A call may hold at most %(lines)s lines and %(bytes)s bytes. Send several.")
    ),
    "snapshot_over": Words(
        _("The snapshot is over"),
        _("The snapshot was completed, or its time is over. Lines that were applied stay. Open another one."),
    ),
    "snapshot_refused": Words(
        _("Lines of the snapshot were refused"),
        _("Nothing was closed: %(refused)s of the snapshot's lines were refused. Open another one."),
    ),
    "too_many_snapshots": Words(
        _("Too many snapshots"),
        _("At most %(most)s snapshots may be open. Complete one, or wait for the end of its time."),
    ),
    "snapshot_lines_refused": Words(
        _("Lines of the snapshot were refused"),
        _("Nothing was ended: %(refused)s of the snapshot's lines were refused. Open another one."),
    ),
    "link_over": Words(
        _("This link is over"), _("It is good for one minute, and once. Open it from your insurer's app again.")
    ),
    "bad_assertion": Words(
        _("The signed token is not believed"), _("Have the app sign a new one, as the insurer's documents say.")
    ),
    "unsupported_media_type": Words(_("This content type is not understood"), _("Send the body as application/json.")),
    "unavailable": Words(
        _("Not available right now"), _("The service can't be reached right now. Nothing was changed; try again soon.")
    ),
    "internal": Words(
        _("An error on our side"), _("Something went wrong on our side. Give this number when you ask: %(reference)s.")
    ),
    "record_unreadable": Words(
        _("This can't be opened"),
        _("A stored record can't be opened. The people who run this service have been told which one."),
    ),
    "not_in_production": Words(_("For development only"), _("Demonstration data is for development only.")),
    "development_only": Words(_("For development only"), _("This shortcut exists in development only.")),
    # signing in
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
    "erasure_under_way": Words(
        _("A booking is under way"),
        _("Nothing was deleted: %(bookings)s is under way or in dispute. Cancel it or wait for its end first."),
    ),
    # the family
    "favourites_full": Words(
        _("Too many favourites"),
        _("There can be %(most)s favourite places. Take the heart off one that you need less."),
    ),
    "family_full": Words(_("The family list is full"), _("You can have at most %(most)s family members here.")),
    "already_in_family": Words(_("Already in the family"), _("Somebody with this ID number is in your family list.")),
    "member_in_use": Words(_("A booking is for this person"), _("A booking is for this person. Cancel it first.")),
    "consent_missing": Words(
        _("Consent is needed"),
        _("This adult has not agreed yet that you see her or his reports. Ask for the consent first."),
    ),
    "consent_not_needed": Words(_("No consent is needed"), _("There is nothing to ask this person for.")),
    # escorts
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
    # reports
    "too_many_links": Words(
        _("Too many links"), _("A report can have at most %(most)s links at a time. Take one back first.")
    ),
    "wrong_access_code": Words(
        _("Not the access code"), _("That is not this link's access code. Tries left: %(tries_left)s.")
    ),
    # reports that providers deliver
    "not_multipart": Words(
        _("This content type is not understood"),
        _("Send multipart/form-data with two parts: report (the JSON) and document (the file)."),
    ),
    "report_too_large": Words(
        _("The request is too large"),
        _("A report's file may have at most %(document)s bytes, and its JSON at most %(report)s."),
    ),
    "hash_differs": Words(
        _("The file is not the one announced"),
        _("The file that came has another SHA-256 than document_sha256. Nothing was stored; send it again."),
    ),
    "report_file_refused": Words(
        _("The file is refused"),
        _("The file is not what it says it is, is damaged, or may do harm (%(reason)s). Nothing was stored."),
    ),
    "report_without_consent": Words(
        _("The person has not agreed"),
        _("The person has not agreed that her reports are taken and shown. Nothing was stored; try once a day."),
    ),
    "report_deleted": Words(
        _("The report was deleted"), _("The customer has deleted this report. It is not taken again.")
    ),
    "report_of_another_booking": Words(
        _("A report of another booking"),
        _("You delivered a report of this reference for another booking. Nothing was stored; use another reference."),
    ),
    "version_taken": Words(
        _("This version is here with other content"),
        _("This version was delivered before with other content. Send a correction as a new version."),
    ),
    # what providers say of themselves
    "profile_changed": Words(
        _("The profile has changed"),
        _("Somebody else changed the profile meanwhile. This is how it stands now; change it again."),
    ),
    "names_approved": Words(
        _("An operator changes the names"),
        _("Your organisation was approved under its names. To change one, ask the operator. Nothing was saved."),
    ),
    # offers that providers maintain
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
    # test mode
    "is_a_twin": Words(_("This is test mode itself"), _("What is a test has no test mode of its own.")),
    "no_free_time": Words(
        _("No free time"), _("There is no free time in the next weeks. Open places in the calendar first.")
    ),
    "no_place_to_try": Words(
        _("No free time"), _("There is no free time in the next weeks. Open places in the calendar first.")
    ),
    # benefits
    "no_plan": Words(_("No plan"), _("There is no plan for this tier.")),
    "no_entitlement": Words(_("No such benefit"), _("You have no benefit of this kind.")),
    "entitlement_exhausted": Words(
        _("Nothing left of the benefit"), _("There is nothing left of this benefit for that day. No place was taken.")
    ),
    "entitlement_other_kind": Words(_("Another benefit"), _("This benefit is for something else.")),
    "entitlement_not_shared": Words(_("Not shared with the family"), _("This benefit is for you alone.")),
    "entitlement_expired": Words(
        _("The benefit ends before that day"), _("This benefit is valid until %(valid_until)s. Choose an earlier day.")
    ),
    "entitlement_not_yet_valid": Words(
        _("The benefit starts after that day"), _("This benefit is valid from %(valid_from)s. Choose a later day.")
    ),
    # discrepancies, for operators
    "case_moved_on": Words(
        _("Things have moved on"), _("The booking has moved on since, or a command is on its way. Look at it again.")
    ),
    "not_this_repair": Words(_("Not for this discrepancy"), _("This repair does not fit this discrepancy.")),
    "not_one_place": Words(_("Not one place"), _("These two can't become one place.")),
    "not_one_place.same_place": Words(_("Not one place"), _("These two are one place already.")),
    "not_one_place.merged_already": Words(
        _("Not one place"), _("This entry is part of another place. Part it from that one first.")
    ),
    "not_one_place.closed": Words(_("Not one place"), _("One of the two is closed.")),
    "not_one_place.other_city": Words(_("Not one place"), _("These two are in different cities.")),
    "not_one_place.other_time_zone": Words(_("Not one place"), _("These two have different time zones.")),
    "closing_already": Words(
        _("Closing already"), _("Your other closure of this site is still being carried out. Take that one back first.")
    ),
    "no_such_time": Words(
        _("No slot at their time"), _("Our books have no slot at the provider's time, so it can't be taken over.")
    ),
    # booking
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
    "not_eligible": Words(_("Not for this person"), _("This package is not for this person.")),
    "not_eligible.age": Words(
        _("Not for this age"),
        _("This package is for ages %(min_age)s to %(max_age)s; on that day this person is %(age)s."),
    ),
    "not_eligible.age_from": Words(
        _("Not for this age"), _("This package is for ages %(min_age)s and over; on that day this person is %(age)s.")
    ),
    "not_eligible.age_to": Words(
        _("Not for this age"), _("This package is for ages up to %(max_age)s; on that day this person is %(age)s.")
    ),
    "not_eligible.female": Words(_("For women"), _("This package is for women.")),
    "not_eligible.male": Words(_("For men"), _("This package is for men.")),
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
    "no_policy": Words(
        _("No policy that gives this"),
        _(
            "We know of no policy that gives this. If you have a long-term policy, ask your insurer to register it."
            " Your benefit is untouched."
        ),
    ),
    "policy_not_long_term": Words(
        _("It takes a long-term policy"),
        _("This comes with a long-term policy, and yours is not one. Ask your insurer which ones give it."),
    ),
    "policy_not_in_force": Words(
        _("The policy is not in force that day"),
        _("The long-term policy is not in force on %(day)s. Choose a day within its term, or ask your insurer."),
    ),
    "person_not_insured": Words(
        _("This person is not insured"),
        _("The long-term policy does not insure this person. Choose somebody it insures, or ask your insurer."),
    ),
    "city_not_covered": Words(
        _("This city is not covered yet"),
        _("Nobody can come to a place in %(city)s on %(day)s yet. Choose a place in another city."),
    ),
    "tier_not_covered": Words(
        _("Places of this level are not covered yet"),
        _("In %(city)s this is to be had at places of other levels. Choose one of those."),
    ),
    "venue_not_covered": Words(
        _("This place is not covered yet"),
        _("Other places in %(city)s are covered on %(day)s. Choose one of those."),
    ),
    "venue_closed": Words(
        _("This place is closed that day"), _("This place is closed on %(day)s. Choose another day or place.")
    ),
    "not_offered_there": Words(
        _("Nobody offers this here yet"), _("Nobody offers this in %(city)s at the moment. Choose another city.")
    ),
    "too_short_notice": Words(
        _("Too short notice"),
        _("%(day)s is too near: somebody has to be found first. The first day that is free is %(earliest)s."),
    ),
    "too_short_notice.none_ahead": Words(
        _("Too short notice"), _("%(day)s is too near: somebody has to be found first. Choose a later day.")
    ),
    "no_time_then": Words(
        _("Nothing is free that day"), _("Nothing is free on %(day)s. The first day that is free is %(earliest)s.")
    ),
    "no_time_then.none_ahead": Words(
        _("Nothing is free that day"), _("Nothing is free on %(day)s, nor later for now. Try another city near by.")
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
    "said_where_it_is_done": Words(
        _("It is said where it is done"),
        _("What begins at once is answered and closed in its conversation. It has no visit to report."),
    ),
    "too_many_held": Words(
        _("Too many places are held for you"),
        _("At most %(most)s places are held for you at a time. Confirm or cancel one of them first."),
    ),
    "conversation_closed": Words(
        _("The consultation is closed"),
        _(
            "The consultation was closed on %(closed_at)s, so nothing can be added. "
            "If a doctor had answered, it can be opened again within a day."
        ),
    ),
    "message_id_reused": Words(
        _("The message's id was used before"), _("Another message was sent under this id. Send it under a new one.")
    ),
    "not_answered": Words(
        _("Nobody has answered yet"), _("A consultation is closed by a doctor who has answered. Answer first.")
    ),
    "reopening_over": Words(
        _("It can't be opened again"),
        _("A consultation can be opened again within a day of a doctor's closing it. Ask in a new one."),
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
    "too_many_pictures": Words(
        _("Many pictures already"), _("A consultation holds at most %(most)s pictures. Describe the rest in words.")
    ),
    "too_many_notes": Words(
        _("Many notes already"), _("A consultation holds at most %(most)s notes. Nothing was added.")
    ),
    "reports_not_hers_to_agree": Words(
        _("Not yours to decide"),
        _("An adult of your family has agreed that her reports are shown to you, and to nobody else."),
    ),
    "too_many_phrases": Words(
        _("Many phrases already"), _("A list holds at most %(most)s phrases. Remove one that is not used first.")
    ),
    "escort_worker_changed": Words(
        _("It changed meanwhile"),
        _("Somebody else changed this worker while you did. Nothing was saved: open her page again."),
    ),
    "escort_roster_full": Words(
        _("Many hours already"), _("A week has at most %(most)s lines. Take one off that does not hold any more.")
    ),
    "escort_venues_full": Words(_("Many places already"), _("At most %(most)s places are written down.")),
    "rating_too_early": Words(_("Not done yet"), _("A service can be rated once it is done.")),
    "rating_fixed": Words(
        _("The rating stands"), _("A rating can be changed within a day. Yours was given on %(at)s, and stands.")
    ),
    "too_many_wishes": Words(
        _("You wait for too many places"),
        _("You can wait to be told of %(most)s places at once. Take one back first."),
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
    "precondition_failed": Words(
        _("It has changed meanwhile"),
        _("The booking has changed since you looked at it. Nothing was done; look again."),
    ),
    "precondition_required": Words(
        _("An If-Match is needed"), _("Send an If-Match header with the ETag of the booking as you know it.")
    ),
    "not_possible_now": Words(
        _("Not possible now"), _("That can't be said of the booking as it is now. Nothing was changed.")
    ),
    "not_confirmed": Words(
        _("Not confirmed yet"),
        _("This booking has not been confirmed. Confirm it first. Nothing was changed."),
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
    "same_slot": Words(_("That is your date already"), _("Your booking has this time. Choose another one.")),
    "clinician_not_verified": Words(
        _("Not verified yet"),
        _("Your licence has to be verified before patients can read what you write. Nothing was sent."),
    ),
    "not_on_shift": Words(_("Not on shift"), _("Begin your shift first.")),
    "clinician_not_free": Words(
        _("Not free"), _("She is off, on a break, or has as many patients as she takes at once. Nothing was changed.")
    ),
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
    "conversation_taken": Words(_("Somebody else has it"), _("Another doctor is with this patient, or it is closed.")),
    "illegal_move": Words(_("Not possible in this state"), _("The booking's state does not allow that.")),
    "no_email": Words(_("No e-mail here"), _("This service sends no e-mail. Messages come by SMS and to your inbox.")),
    "email_not_sent": Words(
        _("The mail was not sent"), _("The code could not be sent to this address just now. Try again in a minute.")
    ),
    # the shell
    "file_unreadable": Words(_("The file can't be used"), _("The file can't be used: %(problem)s.")),
}
"""Code of a refusal, or of an HTTP error, to its words. `code.variant` is a finer sentence for some facts."""
