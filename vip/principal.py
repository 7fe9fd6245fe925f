"""Who is asking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from marketplace.catalog.markets import LIVE

Role = Literal["admin", "agent"]
"""What an operator is: an administrator, or an agent at the phone desk. What each may do: vip.roles."""

MemberRole = Literal["manager", "front_desk", "clinician", "escort"]
"""What a member of a provider is. What each may do: providers.staff.duties."""

Employer = Literal["insurer", "provider"]
"""For whom somebody works who signs in by password: the insurer's operators, the members of providers."""


@dataclass(frozen=True)
class Principal:
    """A signed-in customer or operator. `id` and `session_id` are internal and never leave; `public_id` may.

    `time_zone` is the insurer's: whole days (validity, expiry) are counted there. `role` is an operator's; without one
    she may do nothing. `market`: what she sees and books is of it (marketplace.catalog.markets).
    """

    kind: Literal["customer", "operator"]
    id: int
    public_id: str
    insurer_id: int
    session_id: int
    time_zone: str
    role: Role | None = None
    market: int = LIVE

    @property
    def acts_as(self) -> Literal["customer", "operator", "agent"]:
        """The kind of actor that history, ledger and audit name."""
        return "agent" if self.role == "agent" else self.kind


@dataclass(frozen=True)
class Member:
    """A signed-in member of a provider. `id`, `provider_id` and `session_id` are internal and never leave; `public_id`
    may. `time_zone` is the provider's. With `test` her session is in test mode, and `provider_id` is its twin.
    `desk`: that provider's public id."""

    id: int
    public_id: str
    provider_id: int
    session_id: int
    time_zone: str
    role: MemberRole
    test: bool = False
    desk: str = ""

    @property
    def kind(self) -> Literal["member"]:
        """Beside a principal's."""
        return "member"

    @property
    def acts_as(self) -> Literal["provider"]:
        """The kind of actor that history and audit name."""
        return "provider"

    @property
    def insurer_id(self) -> None:
        """A provider works for several insurers: the audit's lines about its members are of none."""
        return None


Somebody = Principal | Member
"""Whoever is signed in."""
