"""A provider's offers as its own people see them: what each lacks before a customer can book it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from booking.offers.bookable import Rule, approved, ended, given_out, on_sale
from marketplace.catalog.kinds import without_times
from marketplace.catalog.models import Offer, Provider
from marketplace.catalog.one_place.sql import at_place
from marketplace.core.database.db import reading, rows
from marketplace.core.errors import NotFound
from marketplace.core.paging import Page, decode_cursor, encode_cursor
from providers.registry import answering_here


@dataclass(frozen=True)
class OfferLine:
    """An offer in the list. `pool` is the public id of its places, `place` what its people call them. `ended`: it is
    sold no more; `on_sale`: the provider sells it, was approved, and has proved what that rests on; `bookable`:
    customers can book it now; `approved`: an operator approved the provider."""

    id: str
    reference: str
    benefit: str
    name_zh: str
    name_en: str
    pool: str
    place: str
    site: str
    price_minor: int
    currency: str
    ended: bool
    on_sale: bool
    bookable: bool
    approved: bool = True


def offer_lines(
    provider_id: int, *, cursor: str | None, limit: int, now: datetime, selling: bool = False
) -> Page[OfferLine]:
    """A provider's offers by reference, those that are ended too; with `selling` those alone that are on sale. Raises
    Invalid for a bad cursor."""
    values = {
        "provider": provider_id,
        "selling": selling,
        "after": "" if cursor is None else str(decode_cursor(cursor, [str])[0]),
        "limit": limit + 1,
        "now": now,
        "without_times": list(without_times()),
        "first": (now - timedelta(hours=12)).date(),  # the earliest date anywhere on earth
    }
    found = [OfferLine(**row._asdict()) for row in rows(_LINES, values)]
    return Page(found[:limit], encode_cursor([found[limit - 1].reference]) if len(found) > limit else None)


_RULE = Rule("l", "o", "s", "CAST(%(now)s AS timestamptz)", "o.market")
_LINES = f"""
  SELECT o.public_id AS id, o.external_ref AS reference, o.kind AS benefit, o.name_zh, o.name_en,
         pool.public_id AS pool, coalesce(pool.name, pool.external_ref) AS place, s_own.name AS site,
         o.price_minor, o.currency,
         {ended("o", "s")} AS ended, {on_sale("o", "o.market")} AS on_sale,
         {approved("o")} AS approved,
         CASE WHEN o.kind = ANY(%(without_times)s) THEN {given_out("o", "s", "o.market")}
           ELSE EXISTS (SELECT FROM slot l WHERE l.pool_id = o.pool_id AND l.service_date >= %(first)s
                           AND {_RULE.allows()}) END AS bookable
    FROM offer o JOIN capacity_pool pool ON pool.id = o.pool_id {at_place("o", "s")}
   WHERE o.provider_id = %(provider)s AND o.external_ref > %(after)s
     AND (NOT %(selling)s OR ({on_sale("o", "o.market")}))
   ORDER BY o.external_ref LIMIT %(limit)s"""


def reference_of(provider_id: int, offer: str) -> str:
    """The provider's own reference of its offer with this public id. Raises NotFound."""
    query = select(Offer.external_ref).where(Offer.provider_id == provider_id, Offer.public_id == offer)
    with reading() as session:
        found = session.scalar(query)
    if found is None:
        raise NotFound(field="offer")
    return found


def answered_here(provider_id: int) -> bool:
    """Whether a provider answers in our own books, so that no system of its own has to know its references."""
    with reading() as session:
        adapter = session.scalars(select(Provider.adapter).where(Provider.id == provider_id)).one()
    return adapter in answering_here()
