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
    "code_taken": Words(_("This code is taken"), _("Another provider has this code. Choose another one.")),
    "two_secrets": Words(
        _("There are two secrets already"), _("There are two secrets at most. End one of them before the next.")
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
        _("The snapshot was completed, or its hour is over. Lines that were applied stay. Open another one."),
    ),
    "snapshot_refused": Words(
        _("Lines of the snapshot were refused"),
        _("Nothing was closed: %(refused)s of the snapshot's lines were refused. Open another one."),
    ),
    "too_many_snapshots": Words(
        _("Too many snapshots"),
        _("At most %(most)s snapshots may be open. Complete one, or wait for the end of its hour."),
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
    "own_account": Words(_("Not for your own account"), _("Another administrator has to do this to your account.")),
    "last_admin": Words(_("The last administrator"), _("No administrator would be left. Make another one first.")),
    "login_taken": Words(_("The login is taken"), _("Another operator has this login.")),
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
    "family_full": Words(_("The family list is full"), _("You can have at most %(most)s family members here.")),
    "already_in_family": Words(_("Already in the family"), _("Somebody with this ID number is in your family list.")),
    "member_in_use": Words(_("A booking is for this person"), _("A booking is for this person. Cancel it first.")),
    "consent_missing": Words(
        _("Consent is needed"),
        _("This adult has not agreed yet that you see her or his reports. Ask for the consent first."),
    ),
    "consent_not_needed": Words(_("No consent is needed"), _("There is nothing to ask this person for.")),
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
    "closing_already": Words(
        _("Closing already"), _("Another closure of this site is still being carried out. Take that one back first.")
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
    "too_many_held": Words(
        _("Too many places are held for you"),
        _("At most %(most)s places are held for you at a time. Confirm or cancel one of them first."),
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
    "cancel_under_way": Words(
        _("The customer cancelled"), _("The customer has cancelled this booking. Nothing else can be said of it now.")
    ),
    "answered_elsewhere": Words(
        _("Your system answers"),
        _("Your bookings are answered in your own system, which we call. Answer there; nothing was changed."),
    ),
    "too_early": Words(_("Too early"), _("That can be said from %(opens_at)s. Nothing was changed.")),
    "time_differs": Words(
        _("Another time was reported before"),
        _("You reported another time before, and a person has not decided on it yet. Nothing was changed."),
    ),
    "same_slot": Words(_("That is your date already"), _("Your booking has this time. Choose another one.")),
    "illegal_move": Words(_("Not possible in this state"), _("The booking's state does not allow that.")),
    "no_email": Words(_("No e-mail here"), _("This service sends no e-mail. Messages come by SMS and to your inbox.")),
    "email_not_sent": Words(
        _("The mail was not sent"), _("The code could not be sent to this address just now. Try again in a minute.")
    ),
    # the shell
    "file_unreadable": Words(_("The file can't be used"), _("The file can't be used: %(problem)s.")),
}
"""Code of a refusal, or of an HTTP error, to its words. `code.variant` is a finer sentence for some facts."""
