"""How far a rewrap has come."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.core.database.columns import Moment
from marketplace.core.database.db import Base


class KeyRewrap(Base):
    """One part's way to the current key `key_id`. Rows up to `after_id` were looked at in this pass; passes follow each
    other until one has nothing to do again: nothing moved and nothing locked by others. `seen` and `moved` count over
    all passes; `again`, `unreadable` and `unknown` in this one."""

    __tablename__ = "key_rewrap"

    part: Mapped[str] = mapped_column(Text, primary_key=True)
    key_id: Mapped[str] = mapped_column(Text, primary_key=True)
    after_id: Mapped[int] = mapped_column(server_default="0")
    seen: Mapped[int] = mapped_column(server_default="0")
    moved: Mapped[int] = mapped_column(server_default="0")
    again: Mapped[int] = mapped_column(server_default="0")
    unreadable: Mapped[int] = mapped_column(server_default="0")
    unknown: Mapped[int] = mapped_column(server_default="0")
    started_at: Mapped[Moment]
    finished_at: Mapped[datetime | None]
