"""Who makes a booking move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ActorKind = Literal["customer", "provider", "operator", "agent", "clock", "system"]


@dataclass(frozen=True)
class Actor:
    """`id` is a public id (or a code), never a name. The clock and the system have none."""

    kind: ActorKind
    id: str = ""


CLOCK = Actor("clock")
SYSTEM = Actor("system")
