"""Refusals about benefits: what is left of one, and whom and where it is for."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _

from marketplace.refusal_words.words import Words

WORDS: Mapping[str, Words] = {
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
    "too_many_wishes": Words(
        _("You wait for too many places"),
        _("You can wait to be told of %(most)s places at once. Take one back first."),
    ),
}
