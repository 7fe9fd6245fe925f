"""May this slot be booked? The one rule, for lists, cards and calendars as for whoever takes a place.

It is written once, as SQL, so that a list can be filtered by it. Whoever takes a place reads the same answer, and it
becomes a refusal here; whether the place is still free at that moment is decided by the database as it is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from booking.refusals import OfferClosed, SlotClosed, SlotFull, SlotPast
from marketplace.catalog.markets import LIVE
from marketplace.catalog.one_place.sql import at_place
from marketplace.catalog.one_place.suits import suits
from marketplace.core.database.db import Ask


class Reason(StrEnum):
    """Why a slot cannot be booked. Where several apply, the first one here is given."""

    OFFER_CLOSED = "offer_closed"
    PAST = "past"
    CLOSED = "closed"
    OUT_OF_SEASON = "out_of_season"
    FULL = "full"
    RESERVED = "reserved"


NO_PLACE = (Reason.FULL, Reason.RESERVED)
"""Reasons that end when a place becomes free."""


@dataclass(frozen=True)
class Rule:
    """The rule as SQL. `slot`, `offer` and `site` are aliases of these tables in the statement, the last one of the
    offer's place (catalog.one_place.sql); `now` is an expression of the moment that is asked about, `market` one of the
    market of whoever would book; the offer's own where it is settled who that is, as for a booking's own offer. What
    the methods and properties return are expressions too, never NULL unless said; an alias without a row (an outer
    join) makes them meaningless."""

    slot: str
    offer: str
    site: str
    now: str
    market: str

    @property
    def starts_at(self) -> str:
        """The start of the slot; midnight at the site when it is for the whole day."""
        return (
            f"coalesce({self.slot}.starts_at, {self.slot}.service_date::timestamp AT TIME ZONE {self.site}.time_zone)"
        )

    @property
    def closes_at(self) -> str:
        """The last moment at which the slot may be booked."""
        return f"({self.starts_at} - {lead(self.offer)})"

    @property
    def reason(self) -> str:
        """The value of the Reason that applies first, NULL while the slot can be booked."""
        cases = " ".join(f"WHEN NOT ({holds}) THEN '{reason}'" for reason, holds in self._conditions().items())
        return f"CASE {cases} END"

    def allows(self, *, in_line: bool = False) -> str:
        """Whether the slot can be booked, for a WHERE clause; with `in_line`, by one of those who wait."""
        conditions = self._conditions()
        if in_line:
            del conditions[Reason.RESERVED]
        return "(" + " AND ".join(conditions[reason] for reason in Reason if reason in conditions) + ")"

    def _conditions(self) -> dict[Reason, str]:
        """What must hold, each with the reason that is given when it does not. A place that has just become free while
        a customer waits for it is reserved for a moment, by the database's own clock."""
        slot, offer = self.slot, self.offer
        return {
            Reason.OFFER_CLOSED: given_out(offer, self.site, self.market),
            Reason.PAST: f"{self.closes_at} >= {self.now}",
            Reason.CLOSED: f"NOT {slot}.closed",
            Reason.OUT_OF_SEASON: f"{slot}.service_date BETWEEN coalesce({offer}.available_from, '-infinity') "
            f"AND coalesce({offer}.available_until, 'infinity')",
            Reason.FULL: f"{slot}.has_place",
            Reason.RESERVED: f"NOT EXISTS (SELECT FROM freed_slot freed WHERE freed.slot_id = {slot}.id AND freed.kept "
            "AND freed.freed_at > clock_timestamp() - interval '10 s')",
        }


def given_out(offer: str, site: str, market: str) -> str:
    """Whether the offer is given out at all to those of a market (an expression), as SQL; for the aliases of the offer
    and its place, which must be of a kind that can do this."""
    return f"{on_sale(offer, market)} AND {site}.closed_at IS NULL AND {suits(f'{offer}.kind', site)}"


def ended(offer: str, site: str) -> str:
    """Whether the offer has ended, as SQL; for the aliases of the offer and its place. One whose certificate is missing
    has not, nor has one whose provider waits to be approved: it is given out as soon as neither is missing."""
    return f"NOT ({offer}.active AND {site}.closed_at IS NULL)"


def on_sale(offer: str, market: str) -> str:
    """Whether its provider sells the offer to those of a market (an expression), was approved by an operator,
    and has proved what that rests on (`certified` says both), as SQL; for the alias of the table. Who is of another
    market never sees it. A test rests on neither."""
    return f"{offer}.active AND ({offer}.certified OR {offer}.market <> {LIVE}) AND {offer}.market = {market}"


def approved(offer: str) -> str:
    """Whether the offer's provider was approved by an operator, as SQL; for the alias of the offer."""
    return (
        f"EXISTS (SELECT FROM provider approving"
        f" WHERE approving.id = {offer}.provider_id AND approving.approved_at IS NOT NULL)"
    )


def lead(offer: str) -> str:
    """How long before its start a slot closes, as an SQL interval; for the alias of the offer."""
    return f"{offer}.lead_minutes * interval '1 min'"


@dataclass(frozen=True)
class Verdict:
    """What the rule says of a slot (a public id). `reason` is None if it can be booked; `starts_at` None for a day."""

    slot: str
    service_date: date
    starts_at: datetime | None
    closes_at: datetime
    reason: Reason | None


def check_bookable(found: Verdict, *, in_line: bool = False) -> None:
    """Raise OfferClosed, SlotPast, SlotClosed or SlotFull unless the slot can be booked; with `in_line`, by one of
    those for whom places are reserved."""
    match found.reason:
        case Reason.OFFER_CLOSED:
            raise OfferClosed()
        case Reason.PAST:
            raise SlotPast(closes_at=found.closes_at)
        case Reason.CLOSED | Reason.OUT_OF_SEASON:
            raise SlotClosed()
        case Reason.RESERVED if in_line:
            return
        case Reason.FULL | Reason.RESERVED:
            raise SlotFull(slot=found.slot, starts_at=found.starts_at, service_date=found.service_date.isoformat())


_RULE = Rule("l", "o", "s", "%(now)s::timestamptz", "o.market")
_JUDGE = f"""
  SELECT l.public_id, l.service_date, l.starts_at, {_RULE.closes_at} AS closes_at, {_RULE.reason} AS reason
    FROM slot l CROSS JOIN offer o {at_place("o", "s")}
   WHERE l.id = %(slot)s AND o.id = %(offer)s
"""


def judge(ask: Ask, *, slot_id: int, offer_id: int, now: datetime) -> Verdict:
    """What the rule says of a slot of the offer's pool."""
    [row] = ask(_JUDGE, {"slot": slot_id, "offer": offer_id, "now": now})
    return Verdict(row.public_id, row.service_date, row.starts_at, row.closes_at, row.reason and Reason(row.reason))
