"""Refusals about the family, and what its adults agree to."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _

from marketplace.refusal_words.words import Words

WORDS: Mapping[str, Words] = {
    "family_full": Words(_("The family list is full"), _("You can have at most %(most)s family members here.")),
    "already_in_family": Words(_("Already in the family"), _("Somebody with this ID number is in your family list.")),
    "member_in_use": Words(_("A booking is for this person"), _("A booking is for this person. Cancel it first.")),
    "consent_missing": Words(
        _("Consent is needed"),
        _("This adult has not agreed yet that you see her or his reports. Ask for the consent first."),
    ),
    "consent_not_needed": Words(_("No consent is needed"), _("There is nothing to ask this person for.")),
}
