"""What members of a provider may do, by role: the one table that use cases and the desk's map of pages ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from marketplace.core.errors import NotFound
from vip.principal import Member, MemberRole

DeskDuty = Literal[
    "bookings", "arrivals", "reports", "capacity", "figures", "team", "setup", "consultations", "dispatch", "escorting"
]
"""`bookings`: see them, and confirm, refuse or propose. `arrivals`: who comes, check-in, no-shows. `reports`: deliver
results. `capacity`: places, days that close. `figures`: own statistics and closing statements. `team`: members and
invitations. `setup`: the connection of the provider's own programs. `consultations`: who waits for a doctor and
who is on shift; what is said is a clinician's alone to read. `dispatch`: which escort worker goes to which booking,
and when she is away. `escorting`: the escorts that are one's own, and nothing else."""

DUTIES: Mapping[MemberRole, frozenset[DeskDuty]] = {
    "manager": frozenset(get_args(DeskDuty)) - {"escorting"},
    "front_desk": frozenset({"bookings", "arrivals", "reports", "capacity", "dispatch"}),
    "clinician": frozenset({"arrivals", "reports", "consultations"}),
    "escort": frozenset({"escorting"}),
}

ROLES: tuple[MemberRole, ...] = get_args(MemberRole)


def may(member: Member, duty: DeskDuty) -> bool:
    """Whether the member's role has the duty."""
    return duty in DUTIES[member.role]


def require(member: Member, duty: DeskDuty) -> None:
    """Raises NotFound when the role lacks the duty: what a reader may not see looks absent."""
    if not may(member, duty):
        raise NotFound()
