"""Why somebody can't be sent to this person at this venue on that day. What would help is said at the edge."""

from __future__ import annotations

from marketplace.core.errors import Refusal


class NoPolicy(Refusal):
    """Neither the customer nor her family has a policy that gives it. Facts of this and the next three: `day`, that of
    the service."""

    code = "no_policy"
    status = 403
    field = "beneficiary_id"


class PolicyNotLongTerm(NoPolicy):
    """A policy is in force, and it is not a long-term one."""

    code = "policy_not_long_term"


class PolicyNotInForce(NoPolicy):
    """There is a long-term policy that is not in force on that day."""

    code = "policy_not_in_force"


class PersonNotInsured(NoPolicy):
    """A long-term policy of the family is in force, and it does not insure this person."""

    code = "person_not_insured"


class CityNotCovered(Refusal):
    """Nobody is sent anywhere in this city on that day. Facts: `city` (a Text), `day`."""

    code = "city_not_covered"
    field = "venue_id"


class TierNotCovered(Refusal):
    """Somebody is sent in this city, to no site of this tier. Facts: `city` (a Text), `tier` (None: not
    known), `day`."""

    code = "tier_not_covered"
    field = "venue_id"


class VenueNotCovered(Refusal):
    """Somebody is sent to sites like this one in its city, and not to this one. Facts: `city` (a
    Text), `day`."""

    code = "venue_not_covered"
    field = "venue_id"


class VenueClosed(Refusal):
    """The venue is closed on that day. Facts: `day`."""

    code = "venue_closed"
    field = "venue_id"


class TooShortNotice(Refusal):
    """Every time of that day is too near. Facts: `day`; `earliest`, the first day on which there is a time that can be
    booked, None where there is none in sight."""

    code = "too_short_notice"
    status = 422
    field = "day"


class NoTimeThen(Refusal):
    """No time of that day is free. Facts as of TooShortNotice."""

    code = "no_time_then"
    field = "day"


class NotOfferedThere(Refusal):
    """Nobody offers it in this city. Facts: `city` (a Text)."""

    code = "not_offered_there"
    field = "venue_id"
