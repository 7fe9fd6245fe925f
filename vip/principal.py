"""Who is asking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["admin", "agent"]
"""What an operator is: an administrator, or an agent at the phone desk. What each may do: vip.roles."""


@dataclass(frozen=True)
class Principal:
    """A signed-in customer or operator. `id` and `session_id` are internal and never leave; `public_id` may.

    `time_zone` is the insurer's: whole days (validity, expiry) are counted there. `role` is an operator's; without one
    she may do nothing.
    """

    kind: Literal["customer", "operator"]
    id: int
    public_id: str
    insurer_id: int
    session_id: int
    time_zone: str
    role: Role | None = None

    @property
    def acts_as(self) -> Literal["customer", "operator", "agent"]:
        """The kind of actor that history, ledger and audit name."""
        return "agent" if self.role == "agent" else self.kind
