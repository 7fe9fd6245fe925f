"""Refusals about consultations, and the clinicians who answer them."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _

from marketplace.refusal_words.words import Words

WORDS: Mapping[str, Words] = {
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
    "clinician_not_verified": Words(
        _("Not verified yet"),
        _("Your licence has to be verified before patients can read what you write. Nothing was sent."),
    ),
    "not_on_shift": Words(_("Not on shift"), _("Begin your shift first.")),
    "clinician_not_free": Words(
        _("Not free"), _("She is off, on a break, or has as many patients as she takes at once. Nothing was changed.")
    ),
    "conversation_taken": Words(_("Somebody else has it"), _("Another doctor is with this patient, or it is closed.")),
}
