"""What a hold is decided from: one question, which reads all that the customer named."""

from __future__ import annotations

from booking.offers.bookable import Rule
from marketplace.catalog.one_place.sql import at_place, place_named
from vip.customers.person_keys import PROCESS
from vip.entitlements.of_customer import CANDIDATE
from vip.signin import authentication

_RULE = Rule("s", "o", "si", "%(now)s::timestamptz", "w.market")

# Who asks is known already, or is looked up with the rest: (columns, as which subquery `w`). Both give the customer's
# internal id and market.
_KNOWN = ("", "SELECT %(customer)s::bigint AS customer_id, %(market)s::bigint AS market")
_SHOWN = (
    "w.session_id, w.customer_id, w.operator_id, w.insurer_id, w.insurer_zone, w.market, w.principal_id, w.role, "
    "w.used_at,",
    authentication.WHOSE,
)

# Where it is done: (alias of that site, its join). At the offer's own site, or at the venue that was named.
_HERE = ("si", "")
_THERE = ("pl", f"LEFT JOIN site pl ON pl.id = {place_named('%(venue)s')} AND pl.closed_at IS NULL")


def _facts(columns: str, who: str, place: tuple[str, str]) -> str:
    """Every public id is looked up on its own, so that a wrong one is named by its field. One row for each entitlement
    that may be meant, at least one."""
    at, there = place
    return f"""
    SELECT {columns}
           o.id AS offer_id, o.provider_id, o.pool_id, o.kind, o.name_zh AS offer_zh, o.name_en AS offer_en,
           o.package::text AS package, o.price_minor, o.currency, o.cancel_hours, o.change_hours, o.max_changes,
           o.public_id AS offer_public_id,
           {at}.id AS place_id, {at}.name AS site, {at}.public_id AS site_public_id, {at}.city, {at}.district,
           {at}.address, {at}.tier,
           (si.province, si.city) = ({at}.province, {at}.city) AS same_city, si.time_zone,
           p.name_zh AS provider_zh, p.name_en AS provider_en,
           s.id AS slot_id, s.pool_id AS slot_pool, s.service_date, s.starts_at, s.ends_at,
           {_RULE.closes_at} AS closes_at, {_RULE.reason} AS reason,
           b.id AS beneficiary_id, b.sex, b.birth_date, b.wrapped_key, pk.wrapped_key AS process_key, {CANDIDATE}
      FROM (SELECT 1) AS one
      LEFT JOIN ({who}) AS w ON true
      LEFT JOIN offer o ON o.public_id = %(offer)s AND o.market = w.market
      {at_place("o", "si", outer=True)}
      {there}
      LEFT JOIN provider p ON p.id = o.provider_id
      LEFT JOIN slot s ON s.public_id = %(slot)s
      LEFT JOIN beneficiary b
           ON b.public_id = %(beneficiary)s AND b.customer_id = w.customer_id AND b.removed_at IS NULL
      LEFT JOIN person_key pk ON pk.beneficiary_id = b.id AND pk.retention = '{PROCESS}'
      LEFT JOIN entitlement e ON e.customer_id = b.customer_id
           AND CASE WHEN %(entitlement)s::text IS NULL THEN e.kind = o.kind ELSE e.public_id = %(entitlement)s END
    """


FACTS, FACTS_AND_WHO = _facts(*_KNOWN, _HERE), _facts(*_SHOWN, _HERE)
FACTS_THERE, FACTS_THERE_AND_WHO = _facts(*_KNOWN, _THERE), _facts(*_SHOWN, _THERE)
