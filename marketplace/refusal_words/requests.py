"""Refusals that any request may meet, whoever sends it."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _

from marketplace.refusal_words.words import Words

WORDS: Mapping[str, Words] = {
    "refused": Words(_("This can't be done"), _("This can't be done. Nothing was changed.")),
    "invalid": Words(_("Something needs another look"), _("Some of the values can't be used. Nothing was changed.")),
    "not_found": Words(_("Not found"), _("There is nothing here, or it is not yours.")),
    "unauthenticated": Words(_("Sign in first"), _("Sign in, then send the request again.")),
    "forbidden": Words(_("Not allowed"), _("This account can't do that.")),
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
    "not_multipart": Words(
        _("This content type is not understood"),
        _("Send multipart/form-data with two parts: report (the JSON) and document (the file)."),
    ),
    "batch_too_large": Words(
        _("The request is too large"), _("A call may hold at most %(lines)s lines and %(bytes)s bytes. Send several.")
    ),
    "unsupported_media_type": Words(_("This content type is not understood"), _("Send the body as application/json.")),
    "precondition_failed": Words(
        _("It has changed meanwhile"),
        _("The booking has changed since you looked at it. Nothing was done; look again."),
    ),
    "precondition_required": Words(
        _("An If-Match is needed"), _("Send an If-Match header with the ETag of the booking as you know it.")
    ),
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
    "numbers_differ": Words(
        _("Another cluster"),
        _("This database lies in another cluster than the one released last, so that something was lost."),
    ),
    "file_unreadable": Words(_("The file can't be used"), _("The file can't be used: %(problem)s.")),
}
