"""What can be booked where and when: offers with their next free place, and the slots of an offer.

Free places are read by the partial index of slots that have one; no counting of claims. What can be booked is decided
by the one rule (bookable.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from booking.offers.bookable import NO_PLACE, Reason, Rule, on_sale
from booking.offers.cards import OfferCard, OfferView, PersonFacts, card, view
from marketplace.catalog.kinds import kind
from marketplace.catalog.markets import LIVE
from marketplace.catalog.one_place.sql import at_place, offers_at, place_named
from marketplace.catalog.one_place.suits import suits
from marketplace.catalog.query.conditions import Stage
from marketplace.catalog.search import SiteQuery, freer_stages, site_filter, stage_of
from marketplace.core.database.db import rows
from marketplace.core.errors import Invalid, NotFound
from marketplace.core.paging import Page, check_limit, decode_cursor, encode_cursor
from marketplace.core.strictjson import storable
from vip.signin.authentication import CUSTOMERS_MARKET, Credential, rows_for

MAX_DAYS = 62
DAYS = 14
"""How many days of slots are shown to who names no last day."""


@dataclass(frozen=True)
class OfferQuery:
    """What to look for; None means any. `benefit` is a kind's code, `site` a site's public id, `sites` several of them,
    `city`, `q`, `districts`, `tiers` and `site_kinds` as in SiteQuery. `departments`: an offer has one of them (where a
    kind's packages name departments). With `person`, each card says whether that person may have the package at its
    next free date. `weekend` and `morning` leave no offer out: its next free place is then one on a Saturday or Sunday,
    or one that starts before noon at the site; a place for a whole day, to which one may come in the morning, is one.
    """

    benefit: str | None = None
    city: str | None = None
    site: str | None = None
    q: str | None = None
    person: PersonFacts | None = None
    districts: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    site_kinds: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    weekend: bool = False
    morning: bool = False


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


_MARKET = "CAST(%(market)s AS bigint)"


@dataclass(frozen=True)
class _Asker:
    """Whose market is looked at: that of the customer `who`, who is looked up with the question, else `market`."""

    market: int
    who: Credential | None

    @property
    def market_sql(self) -> str:
        """The market as an expression, for a question that `rows` asks."""
        return _MARKET if self.who is None else CUSTOMERS_MARKET

    def rows(self, sql: str, values: Mapping[str, Any], now: datetime) -> list[Any]:
        """The question's rows. Raises Unauthenticated."""
        if self.who is None:
            return rows(sql, {**values, "market": self.market})
        return rows_for(self.who, sql, values, now=now)


def search_offers(
    query: OfferQuery,
    *,
    cursor: str | None = None,
    limit: int = 20,
    now: datetime,
    market: int = LIVE,
    who: Credential | None = None,
) -> Page[OfferCard]:
    """Active offers at sites that match, in the order of the sites (best match, tier, name), then by price.

    Each card carries the next free place within MAX_DAYS, None if there is none. They are those of a `market`; with
    `who`, a customer who is looked up in the same round trip, of hers.
    Raises Invalid(field=…) for an unusable query, cursor or limit, NotFound(field="benefit") for an unknown kind, and
    Unauthenticated.
    """
    check_limit(limit)
    stage, after = Stage.EXACT, None
    if cursor is not None:
        number, *after = decode_cursor(cursor, (int, int, int, str, int, str))
        stage = stage_of(number)
    asker = _Asker(market, who)
    if cursor is None:
        hits, stage = _first(query, limit + 1, now, asker)
    else:
        hits = _offers(query, after, limit + 1, now, stage=stage, asker=asker)
    following = None
    if len(hits) > limit:
        last = hits[limit - 1]
        following = encode_cursor(
            [int(stage), last.rank, last.tier_order, last.site_name, last.price_minor, last.public_id]
        )
    return Page([card(row, query.person, now) for row in hits[:limit]], following)


def first_offers(query: OfferQuery, most: int, *, now: datetime, market: int = LIVE) -> list[OfferCard]:
    """At most `most` of what search_offers finds, in its order and in one go: for who counts them or sorts them anew.
    Raises as search_offers does."""
    hits, _stage = _first(query, most, now, _Asker(market, None))
    return [card(row, query.person, now) for row in hits]


def _first(query: OfferQuery, limit: int, now: datetime, asker: _Asker) -> tuple[list[Any], Stage]:
    """The first offers, and how freely the words were read to find them: more freely only where nothing matches."""
    stage = Stage.EXACT
    hits = _offers(query, None, limit, now, stage=stage, asker=asker)
    for freer in freer_stages(query.q):
        if hits:
            break
        stage = freer
        hits = _offers(query, None, limit, now, stage=stage, asker=asker)
    return hits, stage


def _offers(
    query: OfferQuery,
    after: list[Any] | None,
    limit: int,
    now: datetime,
    *,
    stage: Stage,
    asker: _Asker,
) -> list[Any]:
    """The page's offers first, then the next free place of these alone."""
    found = site_filter(_sites(query), stage)
    conditions, values = [on_sale("o", asker.market_sql), suits("o.kind", "s"), found.where], found.values
    if query.benefit is not None:
        conditions.append("o.kind = %(benefit)s")
        values["benefit"] = kind(query.benefit).code
    if query.site is not None:
        if not storable(query.site):
            raise NotFound(field="site")
        conditions.append(f"s.id = {place_named('%(site)s')}")
        values["site"] = query.site
    if query.sites:
        conditions.append("s.public_id = ANY(CAST(%(sites)s AS text[]))")
        values["sites"] = [public_id for public_id in query.sites if storable(public_id)]
    if query.departments:
        conditions.append(
            "EXISTS (SELECT FROM jsonb_array_elements(o.package -> 'departments') AS department "
            "WHERE department ->> 'code' = ANY(CAST(%(departments)s AS text[])))"
        )
        values["departments"] = [code for code in query.departments if storable(code)]
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
            FROM site s {offers_at("s", "o")} WHERE {" AND ".join(conditions)}) AS every
        {following} ORDER BY rank, tier_order, site_name, price_minor, public_id LIMIT %(limit)s)
      SELECT hit.rank, hit.tier_order, {_OFFER}, free.* FROM hit
        JOIN offer o ON o.id = hit.offer_id {at_place("o", "s")} JOIN provider p ON p.id = o.provider_id
        LEFT JOIN LATERAL ({_next_free(query)}) AS free ON true
       ORDER BY hit.rank, hit.tier_order, hit.site_name, hit.price_minor, hit.public_id"""
    return asker.rows(sql, values, now)


_OFFER = (
    "o.public_id, o.kind, o.name_zh, o.name_en, o.package - 'items' AS rules, "
    "coalesce(jsonb_array_length(o.package -> 'items'), 0) AS items, o.price_minor, o.currency, "
    "o.cancel_hours, p.name_zh AS provider_zh, "
    "p.name_en AS provider_en, p.allotment, p.answers_slowly_since AS slow_since, "
    "p.answers_slowly_reason AS slow_reason, s.public_id AS site_id, s.name AS site_name, s.province, s.city, "
    "s.district, s.tier, s.tier_source, s.tier_date, s.kind AS site_kind, s.address, s.time_zone, s.longitude, "
    "s.latitude"
)

_RULE = Rule("l", "o", "s", "CAST(%(now)s AS timestamptz)", "o.market")

_WEEKEND = " AND extract(isodow FROM l.service_date) >= 6"
_MORNING = " AND (l.starts_at IS NULL OR CAST(l.starts_at AT TIME ZONE s.time_zone AS time) < TIME '12:00')"


def _next_free(query: OfferQuery | None = None) -> str:
    """The next free place of offer `o`, one that suits the query if there is one."""
    wanted = (_WEEKEND if query and query.weekend else "") + (_MORNING if query and query.morning else "")
    return f"""
      SELECT l.service_date AS next_date, l.starts_at AS next_starts_at, l.ends_at AS next_ends_at,
             l.capacity - l.taken AS next_free
        FROM slot l
       WHERE l.pool_id = o.pool_id AND {_RULE.allows()}{wanted}
         AND l.service_date BETWEEN CAST(%(today)s AS date) AND CAST(%(last)s AS date)
       ORDER BY l.service_date, l.starts_at LIMIT 1"""


def _sites(query: OfferQuery) -> SiteQuery:
    return SiteQuery(query.city, q=query.q, districts=query.districts, tiers=query.tiers, kinds=query.site_kinds)


def _earliest_day(now: datetime) -> date:
    """The earliest calendar date anywhere on earth (UTC-12); a bound for the index, the start decides."""
    return (now.astimezone(UTC) - timedelta(hours=12)).date()


def offer(public_id: str, *, person: PersonFacts | None = None, market: int = LIVE, now: datetime) -> OfferView:
    """One active offer of a market with its package and its next free place. Raises NotFound(field="offer_id")."""
    row = _offer_row(public_id, market, now)
    return view(row, person, now)


def _offer_row(public_id: str, market: int, now: datetime) -> Any:
    if not storable(public_id):
        raise NotFound(field="offer_id")
    day = _earliest_day(now)
    sql = f"""
      SELECT o.pool_id, o.package, {_OFFER}, free.*
        FROM offer o {at_place("o", "s")} JOIN provider p ON p.id = o.provider_id
        LEFT JOIN LATERAL ({_next_free()}) AS free ON true
       WHERE o.public_id = %(id)s AND {on_sale("o", _MARKET)}"""
    values = {"id": public_id, "now": now, "today": day, "last": day + timedelta(MAX_DAYS), "market": market}
    found = rows(sql, values)
    if not found:
        raise NotFound(field="offer_id")
    return found[0]


def slots(offer_public_id: str, first: date, last: date, *, market: int = LIVE, now: datetime) -> list[SlotView]:
    """The slots of a market's offer with a service date in [first, last], in their order, bookable or not; those of
    past days are left out. Raises Invalid(field="from" or "to") for more than MAX_DAYS days or the wrong order, and
    NotFound."""
    check_range(first, last)
    values = _slots_asked(offer_public_id, first, last, now)
    found = rows(
        f"SELECT slot.* {_OFFERED} LEFT JOIN LATERAL (SELECT {_SLOT}, l.id AS number {_OF_DAYS}) AS slot ON true "
        f"{_by_id(_MARKET)} ORDER BY slot.service_date, slot.starts_at, slot.number",
        {**values, "market": market},
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
    offer_public_id: str,
    first: date | None,
    last: date | None,
    *,
    now: datetime,
    market: int = LIVE,
    who: Credential | None = None,
) -> str:
    """What `slots` finds as a JSON list whose objects have SlotView's fields, made by PostgreSQL: turning hundreds of
    rows into Python's objects and those into JSON costs several times the query. `first` None is today at the site,
    `last` None the end of DAYS days. With `market` and `who`, as search_offers. Raises as `slots` does, and
    Unauthenticated."""
    if first is not None and last is not None:
        check_range(first, last)
    asker = _Asker(market, who)
    found = asker.rows(
        "SELECT (SELECT json_agg(slot)::text FROM (SELECT judged.reason IS NULL AS bookable, judged.* "
        f"FROM (SELECT {_SLOT} {_OF_DAYS} ORDER BY l.service_date, l.starts_at, l.id) AS judged) AS slot) AS slots, "
        f"{_TODAY} AS today {_OFFERED} {_by_id(asker.market_sql)}",
        _slots_asked(offer_public_id, first, last, now),
        now,
    )
    if not found:
        raise NotFound(field="offer_id")
    if first is None and last is not None:
        check_range(found[0].today, last)
    return found[0].slots or "[]"


def days(offer_public_id: str, first: date, last: date, *, market: int = LIVE, now: datetime) -> list[DayView]:
    """One line for each day in [first, last], for the calendar. Raises as `slots` does."""
    by_day: dict[date, list[SlotView]] = {}
    for row in slots(offer_public_id, first, last, market=market, now=now):
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
_OFFERED = f"FROM offer o {at_place('o', 's')}"


def _by_id(market: str) -> str:
    return f"WHERE o.public_id = %(id)s AND {on_sale('o', market)}"


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
