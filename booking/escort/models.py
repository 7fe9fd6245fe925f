"""Escort workers, when they work, and which of them is asked to go with whom."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    ColumnElement,
    Computed,
    Date,
    FetchedValue,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base

ASKED, ACCEPTED, DONE = "asked", "accepted", "done"
DECLINED, EXPIRED, REPLACED, WITHDRAWN = "declined", "expired", "replaced", "withdrawn"
LIVE = (ASKED, ACCEPTED)
"""States in which an assignment keeps its worker's time."""
NO_ANSWER = "no_answer"
CAUSES = ("declined", NO_ANSWER, "ill", "late", "moved", "cancelled", "desk")

_LIVE = "state IN ('asked','accepted')"


class EscortWorker(Base):
    """Somebody whom a provider sends to customers, in one city. `member_id`: the member of its desk who is this worker
    and answers for herself; None while the desk answers for her. `languages`: codes of
    `catalog.schemas.pieces.LANGUAGES`. `home_…`: where she usually sets out from (WGS 84), both or neither.
    `phone_sealed`: record `escort_worker:<public_id>:phone`.

    `papers_checked_at`, `papers_checked_by`: when a manager (operator's id) looked at her identity and her health
    certificate; without it she is sent to nobody. `auto`: she may be asked by the clock (escort.dispatch), not by the
    desk alone. `active_from`, `ended_at`: since when and until when she works for this provider.

    `outside_code`: what the provider's own system calls her that sends her (escort.outside). Such a one is asked by
    nobody here: neither roster, languages, home nor papers of hers are known, and she is shown where she goes alone.
    """

    __tablename__ = "escort_worker"
    __table_args__ = (
        CheckConstraint("sex IN ('female','male')", name="sex"),
        CheckConstraint("outside_code IS NOT NULL OR cardinality(languages) > 0", name="languages"),
        CheckConstraint("outside_code IS NULL OR (member_id IS NULL AND NOT auto)", name="outside"),
        CheckConstraint("(home_longitude IS NULL) = (home_latitude IS NULL)", name="home"),
        CheckConstraint("(papers_checked_at IS NULL) = (papers_checked_by IS NULL)", name="papers"),
        Index("uq_escort_worker_provider", "id", "provider_id", unique=True),
        Index("ix_escort_worker_city", "provider_id", "city", postgresql_where=text("ended_at IS NULL")),
        Index(
            "uq_escort_worker_outside",
            "provider_id",
            "outside_code",
            unique=True,
            postgresql_where=text("outside_code IS NOT NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("operator.id"), unique=True)
    shown_name: Mapped[str]
    staff_number: Mapped[str | None]
    sex: Mapped[str]
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text))
    qualification_zh: Mapped[str] = mapped_column(server_default="")
    qualification_en: Mapped[str] = mapped_column(server_default="")
    province: Mapped[str]
    city: Mapped[str]
    home_longitude: Mapped[float | None]
    home_latitude: Mapped[float | None]
    phone_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    papers_checked_at: Mapped[datetime | None]
    papers_checked_by: Mapped[int | None] = mapped_column(ForeignKey("operator.id"))
    auto: Mapped[bool] = mapped_column(server_default="false")
    active_from: Mapped[Moment]
    ended_at: Mapped[datetime | None]
    outside_code: Mapped[str | None]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]


def asked_here() -> ColumnElement[bool]:
    """Whether (SQL) an EscortWorker is one whom her provider's desk, or the clock, may ask: not one of its own
    system."""
    return EscortWorker.outside_code.is_(None)


class EscortKnows(Base):
    """A worker knows her way around somewhere: at a site that stands for its place (catalog.one_place)."""

    __tablename__ = "escort_knows"

    worker_id: Mapped[int] = mapped_column(ForeignKey("escort_worker.id"), primary_key=True, autoincrement=False)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"), primary_key=True, autoincrement=False)


class EscortDuty(Base):
    """A line of a worker's weekly roster, on the clock of her city: on `weekdays` (1 Monday to 7 Sunday) from
    `start_minute` to `end_minute` of the day, from the day `valid_from` to the day `valid_until`, that one included;
    None: until it is changed."""

    __tablename__ = "escort_duty"
    __table_args__ = (
        CheckConstraint("cardinality(weekdays) > 0 AND weekdays <@ ARRAY[1,2,3,4,5,6,7]::smallint[]", name="weekdays"),
        CheckConstraint("start_minute >= 0 AND start_minute < end_minute AND end_minute <= 1440", name="minutes"),
        CheckConstraint("valid_from <= valid_until", name="valid"),
        Index("ix_escort_duty_worker", "worker_id"),
    )

    id: Mapped[PrimaryKey]
    worker_id: Mapped[int] = mapped_column(ForeignKey("escort_worker.id"))
    weekdays: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    start_minute: Mapped[int]
    end_minute: Mapped[int]
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)


class EscortAbsence(Base):
    """A time in which a worker does not work whatever her roster says; without an upper end until it is given one.
    `by_kind`, `by`: who wrote it (booking.actors)."""

    __tablename__ = "escort_absence"
    __table_args__ = (
        CheckConstraint("cause IN ('leave','ill','other')", name="cause"),
        CheckConstraint("NOT isempty(period) AND NOT lower_inf(period)", name="period"),
        Index("ix_escort_absence_worker", "worker_id"),
        Index("ix_escort_absence_period", "period", postgresql_using="gist"),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    worker_id: Mapped[int] = mapped_column(ForeignKey("escort_worker.id"))
    period: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    cause: Mapped[str]
    created_at: Mapped[Moment]
    by_kind: Mapped[str]
    by: Mapped[str]


class EscortAssignment(Base):
    """A worker is asked to go with a booking's person. A booking has one that is `live` (asked or accepted) at most;
    one that is not never changes again (trigger escort_assignment_ends).

    `period` is the service, `needed` what of it is hers: of one that had begun when she was asked, what was left of it.
    `padded` is that and the way there before it, from wherever she is before, of `travel_seconds`: the database has no
    two live ones of a worker whose padded periods overlap. It is written under the lock of her row, and anew for what
    follows whenever one before it begins or ends.

    `answer_due_at`: until when she may answer. `answered_at`: when she did. `ended_at` and `cause`: when it ended, and
    why, for one that came to nothing: declined, no_answer, ill, late, moved (another time), cancelled (the booking
    ended), desk. `asked_by_kind`, `asked_by`: who asked (booking.actors); the clock does for the automatic way.

    `safe_word_sealed` and `code_sealed`: by what she and the person know each other (escort.known_by), under the
    person's process key; None once she was erased. Of an escort that is over the pages show neither.

    `outside`: the provider's own system named her. She was not asked, so it is accepted from its beginning; there is no
    way to it, and none of her time is kept: her provider vouches for its people.

    `worker_then`: how she was called when this was written, or last while it was live: `name`, `staff_number`,
    `qualification_zh`, `qualification_en` (trigger escort_worker_then). Her row says how she is called now; of a
    provider's own system that may be somebody else. `notify_at`: when the customer is notified of what became of this,
    where that was not done at once (escort.outside.telling); None where nothing is left to say.
    """

    __tablename__ = "escort_assignment"
    __table_args__ = (
        ForeignKeyConstraint(
            ["worker_id", "provider_id"],
            ["escort_worker.id", "escort_worker.provider_id"],
            name="fk_escort_assignment_worker",
        ),
        CheckConstraint(
            # No longer used: lapsed, which the release before writes for expired.
            "state IN ('asked','accepted','declined','expired','lapsed','replaced','withdrawn','done')",
            name="state",
        ),
        CheckConstraint(f"({_LIVE}) = (ended_at IS NULL)", name="ended"),
        CheckConstraint("(state IN ('asked','accepted','done')) = (cause IS NULL)", name="ended_for_a_cause"),
        CheckConstraint("cause IN ('declined','no_answer','ill','late','moved','cancelled','desk')", name="cause"),
        CheckConstraint("state NOT IN ('accepted','done','declined') OR answered_at IS NOT NULL", name="answered"),
        CheckConstraint("outside OR answer_due_at > asked_at", name="answer_due"),
        CheckConstraint("NOT outside OR (answered_at IS NOT NULL AND padded = period)", name="outside"),
        CheckConstraint("travel_seconds >= 0", name="travel"),
        CheckConstraint(
            "NOT isempty(period) AND upper(padded) = upper(period) AND (padded @> period OR lower(padded) = asked_at)",
            name="padded",
        ),
        ExcludeConstraint(
            (text("int8range(worker_id, worker_id, '[]')"), "&&"),
            ("padded", "&&"),
            name="ex_escort_assignment_one_place_at_a_time",
            where=text("live AND NOT outside"),
            using="gist",
        ),
        Index("uq_escort_assignment_live", "booking_id", unique=True, postgresql_where=text("live")),
        Index("ix_escort_assignment_booking", "booking_id"),
        Index("ix_escort_assignment_worker", "worker_id", "asked_at"),
        Index("ix_escort_assignment_due", "answer_due_at", postgresql_where=text("state = 'asked'")),
        Index("ix_escort_assignment_notify", "notify_at", postgresql_where=text("notify_at IS NOT NULL")),
        Index("ix_escort_assignment_provider", "provider_id", postgresql_where=text("live")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"))
    worker_id: Mapped[int]
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    state: Mapped[str] = mapped_column(server_default=ASKED)
    live: Mapped[bool] = mapped_column(Computed(_LIVE, persisted=True))
    period: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    padded: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    travel_seconds: Mapped[int]
    asked_at: Mapped[Moment]
    answer_due_at: Mapped[Moment]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    cause: Mapped[str | None]
    asked_by_kind: Mapped[str]
    asked_by: Mapped[str]
    outside: Mapped[bool] = mapped_column(server_default="false")
    safe_word_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    code_sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    worker_then: Mapped[Mapping[str, str]] = mapped_column(JSONB, FetchedValue())
    notify_at: Mapped[datetime | None]

    @hybrid_property
    def needed(self) -> Range[datetime]:
        """From when until when she is needed."""
        start, end = self.period.lower, self.period.upper
        if start is None or end is None:
            raise ValueError("a service without an end")
        return Range(max(start, self.asked_at), end, bounds="[)")

    @needed.inplace.expression
    @classmethod
    def _needed_sql(cls) -> ColumnElement[Range[datetime]]:
        return func.tstzrange(
            func.greatest(func.lower(cls.period), cls.asked_at), func.upper(cls.period), type_=TSTZRANGE
        )


class EscortLetter(Base):
    """A message to a worker's phone about an assignment: `what` is `asked`, or `not_needed` any more. Written by
    trigger (escort_worker_notified), for who has a phone. `run_after`, `lease_until`, `tries`: as of a
    NotificationDelivery; `failures` counts tries that failed, and `given_up_at` says that no more are made."""

    __tablename__ = "escort_letter"
    __table_args__ = (
        UniqueConstraint("assignment_id", "what"),
        CheckConstraint("what IN ('asked','not_needed')", name="what"),
        CheckConstraint("sent_at IS NULL OR given_up_at IS NULL", name="one_end"),
        Index("ix_escort_letter_due", "run_after", postgresql_where=text("sent_at IS NULL AND given_up_at IS NULL")),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    assignment_id: Mapped[int] = mapped_column(ForeignKey("escort_assignment.id"))
    what: Mapped[str]
    created_at: Mapped[Moment]
    run_after: Mapped[Moment]
    lease_until: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(server_default="0")
    failures: Mapped[int] = mapped_column(server_default="0")
    sent_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]


class EscortSearch(Base):
    """A booking for which the clock looks for a worker (escort.dispatch). `look_at`: when it looks next.
    `nobody_since`: since when nobody can be found, as customer, provider and operators were told; None while there is
    hope."""

    __tablename__ = "escort_search"
    __table_args__ = (Index("ix_escort_search_look", "look_at"),)

    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), primary_key=True, autoincrement=False)
    begun_at: Mapped[Moment]
    look_at: Mapped[Moment]
    nobody_since: Mapped[datetime | None]
