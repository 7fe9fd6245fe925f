"""What can be booked where and when: offers with their next free place, and the slots of an offer.

Free places are read by the partial index of slots that have one; no counting of claims. What can be booked is decided
by the one rule (bookable.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from booking.offers.bookable import NO_PLACE, Reason, Rule
from booking.offers.cards import OfferCard, OfferView, PersonFacts, card, view
from marketplace.catalog.kinds import kind
from marketplace.catalog.search import SiteQuery, site_filter
from marketplace.core.database.db import rows
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.paging import Page, check_limit, decode_cursor, encode_cursor
from marketplace.core.strictjson import storable
from vip.signin.authentication import Credential, rows_for

MAX_DAYS = 62
DAYS = 14
"""How many days of slots are shown to who names no last day."""


@dataclass(frozen=True)
class OfferQuery:
    """What to look for; None means any. `benefit` is a kind's code, `site` a site's public id, the rest as in
    SiteQuery. With `person`, each card says whether that person may have the package at its next free date."""

    benefit: str | None = None
    city: str | None = None
    district: str | None = None
    tier: str | None = None
    site: str | None = None
    q: str | None = None
    person: PersonFacts | None = None


@dataclass(frozen=True)
class SlotView:
    """A slot as shown. Times are with zone, and None for a whole day. `free` is what is left of `capacity`; `closes_at`
    the last moment at which it may be booked; `reason` is None if it can be booked now."""

    id: str
    starts_at: datetime | None
    ends_at: datetime | None
    service_date: date
    capacity: int
    free: int
    closes_at: datetime
    reason: Reason | None

    @property
    def bookable(self) -> bool:
        """Whether it can be booked now."""
        return self.reason is None


@dataclass(frozen=True)
class DayView:
    """A day of the calendar: `slots` are those that can be booked, `free` their places; `known` False means that
    nothing was published for it. `reason` says why none of those published can be booked: full if one could be as soon
    as a place in it became free, else that of the last one; None if one can be booked, or nothing is known."""

    date: date
    slots: int
    free: int
    known: bool
    reason: Reason | None = None


def search_offers(
    query: OfferQuery, *, cursor: str | None = None, limit: int = 20, now: datetime, who: Credential | None = None
) -> Page[OfferCard]:
    """Active offers at sites that match, in the order of the sites (best match, tier, name), then by price.

    Each card carries the next free place within MAX_DAYS, None if there is none. With `who` they are found for a
    customer alone, who is looked up in the same round trip.
    Raises Invalid(field=…) for an unusable query, cursor or limit, NotFound(field="benefit") for an unknown kind, and
    Unauthenticated.
    """
    check_limit(limit)
    loose, after = False, None
    if cursor is not None:
        mode, *after = decode_cursor(cursor, (int, int, int, str, int, str))
        loose = mode == 1
    hits = _offers(query, after, limit + 1, now, loose=loose, who=who)
    if not hits and cursor is None and query.q:
        loose = True
        hits = _offers(query, None, limit + 1, now, loose=True)
    following = None
    if len(hits) > limit:
        last = hits[limit - 1]
        following = encode_cursor(
            [int(loose), last.rank, last.tier_order, last.site_name, last.price_minor, last.public_id]
        )
    return Page([card(row, query.person, now) for row in hits[:limit]], following)


def _offers(
    query: OfferQuery,
    after: list[Any] | None,
    limit: int,
    now: datetime,
    *,
    loose: bool,
    who: Credential | None = None,
) -> list[Any]:
    """The page's offers first, then the next free place of these alone."""
    found = site_filter(SiteQuery(query.city, query.district, query.tier, None, query.q), loose=loose)
    conditions, values = ["o.active", found.where], found.values
    if query.benefit is not None:
        conditions.append("o.kind = %(benefit)s")
        values["benefit"] = kind(query.benefit).code
    if query.site is not None:
        if not storable(query.site):
            raise NotFound(field="site")
        conditions.append("s.public_id = %(site)s")
        values["site"] = query.site
    following = ""
    if after is not None:
        names = ("rank", "tier_order", "site_name", "price_minor", "public_id")
        following = f"WHERE ({', '.join(names)}) > ({', '.join(f'%(after_{name})s' for name in names)})"
        values |= {f"after_{name}": value for name, value in zip(names, after, strict=True)}
    values |= {
        "limit": limit,
        "now": now,
        "today": _earliest_day(now),
        "last": _earliest_day(now) + timedelta(MAX_DAYS),
    }
    sql = f"""
      WITH hit AS MATERIALIZED (
        SELECT * FROM (
          SELECT o.id AS offer_id, o.public_id, o.price_minor, s.name AS site_name, {found.rank} AS rank,
                 {found.tier_order} AS tier_order
            FROM site s JOIN offer o ON o.site_id = s.id WHERE {" AND ".join(conditions)}) AS every
        {following} ORDER BY rank, tier_order, site_name, price_minor, public_id LIMIT %(limit)s)
      SELECT hit.rank, hit.tier_order, {_OFFER}, free.* FROM hit
        JOIN offer o ON o.id = hit.offer_id JOIN site s ON s.id = o.site_id JOIN provider p ON p.id = o.provider_id
        LEFT JOIN LATERAL ({_NEXT_FREE}) AS free ON true
       ORDER BY hit.rank, hit.tier_order, hit.site_name, hit.price_minor, hit.public_id"""
    return _rows(who, sql, values, now)


def _rows(who: Credential | None, sql: str, values: Mapping[str, Any], now: datetime) -> list[Any]:
    return rows(sql, values) if who is None else rows_for(who, sql, values, now=now)


_OFFER = (
    "o.public_id, o.kind, o.name_zh, o.name_en, o.package - 'items' AS rules, "
    "coalesce(jsonb_array_length(o.package -> 'items'), 0) AS items, o.price_minor, o.currency, "
    "o.cancel_hours, p.name_zh AS provider_zh, "
    "p.name_en AS provider_en, p.allotment, s.public_id AS site_id, s.name AS site_name, s.province, s.city, "
    "s.district, s.tier, s.tier_source, s.tier_date, s.address, s.time_zone, s.longitude, s.latitude"
)

_RULE = Rule("l", "o", "s", "CAST(%(now)s AS timestamptz)")

_NEXT_FREE = f"""
  SELECT l.service_date AS next_date, l.starts_at AS next_starts_at, l.ends_at AS next_ends_at,
         l.capacity - l.taken AS next_free
    FROM slot l
   WHERE l.pool_id = o.pool_id AND {_RULE.allows()}
     AND l.service_date BETWEEN CAST(%(today)s AS date) AND CAST(%(last)s AS date)
   ORDER BY l.service_date, l.starts_at LIMIT 1"""


def _earliest_day(now: datetime) -> date:
    """The earliest calendar date anywhere on earth (UTC-12); a bound for the index, the start decides."""
    return (now.astimezone(UTC) - timedelta(hours=12)).date()


def offer(public_id: str, *, person: PersonFacts | None = None, now: datetime) -> OfferView:
    """One active offer with its package and its next free place. Raises NotFound(field="offer_id")."""
    row = _offer_row(public_id, now)
    return view(row, person, now)


def _offer_row(public_id: str, now: datetime) -> Any:
    if not storable(public_id):
        raise NotFound(field="offer_id")
    day = _earliest_day(now)
    sql = f"""
      SELECT o.pool_id, o.package, {_OFFER}, free.*
        FROM offer o JOIN site s ON s.id = o.site_id JOIN provider p ON p.id = o.provider_id
        LEFT JOIN LATERAL ({_NEXT_FREE}) AS free ON true
       WHERE o.public_id = %(id)s AND o.active"""
    found = rows(sql, {"id": public_id, "now": now, "today": day, "last": day + timedelta(MAX_DAYS)})
    if not found:
        raise NotFound(field="offer_id")
    return found[0]


def slots(offer_public_id: str, first: date, last: date, *, now: datetime) -> list[SlotView]:
    """The slots of an offer with a service date in [first, last], in their order, bookable or not; those of past days
    are left out. Raises Invalid(field="from" or "to") for more than MAX_DAYS days or the wrong order, NotFound."""
    check_range(first, last)
    values = _slots_asked(offer_public_id, first, last, now)
    found = rows(
        f"SELECT slot.* {_OFFERED} LEFT JOIN LATERAL (SELECT {_SLOT}, l.id AS number {_OF_DAYS}) AS slot ON true "
        f"{_BY_ID} ORDER BY slot.service_date, slot.starts_at, slot.number",
        values,
    )
    if not found:
        raise NotFound(field="offer_id")
    return [_slot_view(row) for row in found if row.number is not None]


def _slot_view(row: Any) -> SlotView:
    return SlotView(
        row.id,
        row.starts_at,
        row.ends_at,
        row.service_date,
        row.capacity,
        row.free,
        row.closes_at,
        Reason(row.reason) if row.reason else None,
    )


def slots_as_json(
    offer_public_id: str, first: date | None, last: date | None, *, now: datetime, who: Credential | None = None
) -> str:
    """What `slots` finds as a JSON list whose objects have SlotView's fields, made by PostgreSQL: turning hundreds of
    rows into Python's objects and those into JSON costs several times the query. `first` None is today at the site,
    `last` None the end of DAYS days. With `who`, as search_offers. Raises as `slots` does, and Unauthenticated."""
    if first is not None and last is not None:
        check_range(first, last)
    found = _rows(
        who,
        "SELECT (SELECT json_agg(slot)::text FROM (SELECT judged.reason IS NULL AS bookable, judged.* "
        f"FROM (SELECT {_SLOT} {_OF_DAYS} ORDER BY l.service_date, l.starts_at, l.id) AS judged) AS slot) AS slots, "
        f"{_TODAY} AS today {_OFFERED} {_BY_ID}",
        _slots_asked(offer_public_id, first, last, now),
        now,
    )
    if not found:
        raise NotFound(field="offer_id")
    if first is None and last is not None:
        check_range(found[0].today, last)
    return found[0].slots or "[]"


def days(offer_public_id: str, first: date, last: date, *, now: datetime) -> list[DayView]:
    """One line for each day in [first, last], for the calendar. Raises as `slots` does."""
    by_day: dict[date, list[SlotView]] = {}
    for row in slots(offer_public_id, first, last, now=now):
        by_day.setdefault(row.service_date, []).append(row)
    result = []
    for number in range((last - first).days + 1):
        day = first + timedelta(number)
        result.append(_day_view(day, by_day.get(day, [])))
    return result


def _day_view(day: date, published: list[SlotView]) -> DayView:
    bookable = [slot for slot in published if slot.bookable]
    reason = None
    if published and not bookable:
        full = any(slot.reason in NO_PLACE for slot in published)
        reason = Reason.FULL if full else published[-1].reason
    return DayView(day, len(bookable), sum(slot.free for slot in bookable), bool(published), reason)


def check_range(first: date, last: date) -> None:
    """Raises Invalid(field="to") if the range is empty or longer than MAX_DAYS days."""
    if last < first:
        raise Invalid(field="to", reason="before_from")
    if (last - first).days >= MAX_DAYS:
        raise Invalid(field="to", reason="range_too_long", maximum=MAX_DAYS)


def _slots_asked(offer_public_id: str, first: date | None, last: date | None, now: datetime) -> dict[str, Any]:
    if not storable(offer_public_id):
        raise NotFound(field="offer_id")
    return {"id": offer_public_id, "first": first, "last": last, "days": DAYS, "most": MAX_DAYS, "now": now}


_TODAY = "CAST(CAST(%(now)s AS timestamptz) AT TIME ZONE s.time_zone AS date)"
_OFFERED = "FROM offer o JOIN site s ON s.id = o.site_id"
_BY_ID = "WHERE o.public_id = %(id)s AND o.active"

# The columns are SlotView's fields.
_SLOT = f"""
  l.public_id AS id, l.starts_at, l.ends_at, l.service_date, l.capacity, l.capacity - l.taken AS free,
  {_RULE.closes_at} AS closes_at, {_RULE.reason} AS reason"""

# Without a first day today is one, and the last is DAYS from it; never more than MAX_DAYS are read.
_FIRST = f"coalesce(CAST(%(first)s AS date), {_TODAY})"
_OF_DAYS = f"""
  FROM slot l WHERE l.pool_id = o.pool_id
   AND l.service_date BETWEEN greatest(CAST(%(first)s AS date), {_TODAY})
       AND least(coalesce(CAST(%(last)s AS date), {_FIRST} + CAST(%(days)s AS integer) - 1),
                 {_FIRST} + CAST(%(most)s AS integer) - 1)"""
