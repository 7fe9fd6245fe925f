"""Deeds of an escort worker and the pictures that go with them."""

from __future__ import annotations

import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import BYTEA, UUID
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment, PrimaryKey, PublicId
from marketplace.core.database.db import Base


class EscortDeed(Base):
    """One deed of an assignment's worker; written once, and only its words may be forgotten. `key` was made by her
    phone and is unique for ever, so that a deed that is sent again is the same one. `number` grows on the phone and is
    the order of an assignment's deeds, whenever they arrive; two phones of hers may use one twice.

    `at` is when it was done by the phone's clock, as it was said; `doubt` says why that can't be quite true
    (evidence.doubt), None where it can. `position` and `accuracy_m`: whether the phone was near the hospital, and how
    far off it may be (evidence.position); where it was is stored nowhere. `by_code`: the person's code was shown.
    `sealed`: words, sums and a signature under the person's medical key (evidence.contents); None for none.
    """

    __tablename__ = "escort_deed"
    __table_args__ = (
        CheckConstraint("number > 0", name="number"),
        CheckConstraint(
            "kind IN ('on_the_way','arrived','met','registered','consulted','examined','medicines_fetched','back_home',"
            "'note','paper','cost','handed_over','signed')",
            name="kind",
        ),
        CheckConstraint("doubt IN ('ahead','before','after')", name="doubt"),
        CheckConstraint("position IN ('within','away','not_checkable')", name="position"),
        CheckConstraint(
            "kind IN ('arrived','met') OR position IS NULL AND accuracy_m IS NULL AND NOT by_code", name="presence"
        ),
        CheckConstraint(
            "position IS NOT DISTINCT FROM 'not_checkable' OR (position IS NULL) = (accuracy_m IS NULL)",
            name="position_has_accuracy",
        ),
        CheckConstraint("accuracy_m >= 0", name="accuracy_m"),
        Index("ix_escort_deed_assignment", "assignment_id", "number"),
        Index("ix_escort_deed_booking", "booking_id"),
    )

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    assignment_id: Mapped[int] = mapped_column(ForeignKey("escort_assignment.id"))
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"))
    key: Mapped[uuid.UUID] = mapped_column(UUID, unique=True)
    number: Mapped[int]
    kind: Mapped[str]
    at: Mapped[Moment]
    received_at: Mapped[Moment]
    doubt: Mapped[str | None]
    position: Mapped[str | None]
    accuracy_m: Mapped[int | None]
    by_code: Mapped[bool] = mapped_column(server_default="false")
    sealed: Mapped[bytes | None] = mapped_column(BYTEA)


class EscortPicture(Base):
    """The picture of a deed, of a paper or a receipt: a JPEG that was written anew here, and a small one of it, both
    sealed under the person's medical key and bound to this row. Sides are in pixels, `size` is the large one's in
    bytes."""

    __tablename__ = "escort_picture"
    __table_args__ = (CheckConstraint("width > 0 AND height > 0 AND size >= 0", name="figures"),)

    id: Mapped[PrimaryKey]
    public_id: Mapped[PublicId]
    deed_id: Mapped[int] = mapped_column(ForeignKey("escort_deed.id"), unique=True)
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(BYTEA, deferred=True)
    thumbnail_sealed: Mapped[bytes] = mapped_column(BYTEA, deferred=True)
