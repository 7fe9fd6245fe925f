"""Refusals about reports: as providers deliver them, and as customers share them."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _

from marketplace.refusal_words.words import Words

WORDS: Mapping[str, Words] = {
    "too_many_links": Words(
        _("Too many links"), _("A report can have at most %(most)s links at a time. Take one back first.")
    ),
    "wrong_access_code": Words(
        _("Not the access code"), _("That is not this link's access code. Tries left: %(tries_left)s.")
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
}
