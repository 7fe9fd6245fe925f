"""Who is asking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Principal:
    """A signed-in customer or operator. `id` and `session_id` are internal and never leave; `public_id` may.

    `time_zone` is the insurer's: whole days (validity, expiry) are counted there.
    """

    kind: Literal["customer", "operator"]
    id: int
    public_id: str
    insurer_id: int
    session_id: int
    time_zone: str
