"""What rests on an index key and cannot be brought to another: what it was made from is not stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, Text, and_, cast, exists, func, null, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from booking.discrepancies import EXPLAINED, UNREADABLE, Discrepancy
from booking.feeds.unreadable import DIGEST_KEY, SEVERAL
from booking.joining.models import SystemTest
from booking.joining.view import GOOD_FOR
from booking.reports.models import ReportShare
from vip.models import SignInCode
from vip.signin import limits
from vip.signin.limit_models import RateBucket


@dataclass(frozen=True)
class Left:
    """How many rows of `column` rest on each index key; by None those of which the key's id is not stored. `last`: when
    the last of these ends by itself; None where it does not."""

    column: str
    by_key: Mapping[str | None, int]
    last: datetime | None


@dataclass(frozen=True)
class Unmoved:
    """A column of indexes. `valid` is the SQL condition on rows that are still looked for; `key` gives the id of the
    key a row rests on, and `ends` when the row ends by itself, where either is stored. The columns `also` of the same
    row rest on the same key."""

    column: InstrumentedAttribute[Any]
    valid: Callable[[datetime], ColumnElement[bool]]
    key: SQLColumnExpression[Any] | None = None
    ends: SQLColumnExpression[Any] | None = None
    also: tuple[InstrumentedAttribute[Any], ...] = ()

    @property
    def names(self) -> list[str]:
        """Its columns, as `table.column`; the first is the one that is counted."""
        return [f"{one.class_.__tablename__}.{one.key}" for one in (self.column, *self.also)]

    def count(self, session: Session, now: datetime) -> Left:
        """Count the rows that are still looked for."""
        key = cast(null(), Text) if self.key is None else self.key
        ends = null() if self.ends is None else func.max(self.ends)
        rows = session.execute(select(key, func.count(), ends).where(self.valid(now)).group_by(key)).all()
        last = max((end for _id, _number, end in rows if end is not None), default=None)
        return Left(self.names[0], {key_id: number for key_id, number, _end in rows}, last)


def _shares_with_codes(now: datetime) -> ColumnElement[bool]:
    return and_(ReportShare.code_hash.is_not(None), ReportShare.revoked_at.is_(None), ReportShare.expires_at > now)


def _rows_told_apart(_now: datetime) -> ColumnElement[bool]:
    """Unreadable rows that are compared with the next delivery: open ones, and those that somebody explained last."""
    later = aliased(Discrepancy)
    last = ~exists().where(
        later.provider_id == Discrepancy.provider_id,
        later.kind == UNREADABLE,
        later.subject == Discrepancy.subject,
        later.id > Discrepancy.id,
    )
    open_or_explained = or_(Discrepancy.closed_at.is_(None), Discrepancy.resolution == EXPLAINED)
    single = Discrepancy.facts["reason"].astext != SEVERAL
    return and_(Discrepancy.kind == UNREADABLE, open_or_explained, single, last)


UNMOVED = (
    Unmoved(
        Discrepancy.facts,
        _rows_told_apart,
        key=Discrepancy.facts[DIGEST_KEY].astext,
        also=(Discrepancy.subject,),
    ),
    Unmoved(ReportShare.code_hash, _shares_with_codes, ends=ReportShare.expires_at),
    Unmoved(
        SignInCode.code_hash,
        lambda now: and_(SignInCode.used_at.is_(None), SignInCode.expires_at > now),
        ends=SignInCode.expires_at,
        also=(SignInCode.phone_index,),
    ),
    Unmoved(
        RateBucket.key_hash,
        lambda now: RateBucket.refilled_at > now - limits.KEPT,
        ends=RateBucket.refilled_at + limits.KEPT,
    ),
    Unmoved(
        SystemTest.connection_mark,
        lambda now: and_(SystemTest.connection_mark.is_not(None), SystemTest.asked_at > now - GOOD_FOR),
        ends=SystemTest.asked_at + GOOD_FOR,
        also=(SystemTest.secret_hash,),
    ),
)
"""Every column of indexes that a rewrap leaves as it is; a test compares with what is stored."""
