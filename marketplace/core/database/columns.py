"""Column types used again and again, so that every table spells them the same way."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from sqlalchemy import BigInteger, DateTime, Identity, Text, text
from sqlalchemy.orm import mapped_column

PrimaryKey = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
PublicId = Annotated[str, mapped_column(Text, unique=True)]
Moment = Annotated[datetime, mapped_column(DateTime(timezone=True))]
WritingTransaction = Annotated[
    int, mapped_column(BigInteger, server_default=text("((pg_current_xact_id())::text)::bigint"), deferred=True)
]
"""The number of the transaction that wrote the row; 0 where it is older than the column."""
