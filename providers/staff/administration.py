"""Members as a manager of their provider sees and changes them: the rules of vip.operators.team, for her people. And
the return of any account by a command, which must not bring invitations back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from marketplace.core.database.db import transaction
from marketplace.core.errors import Invalid
from providers.staff import invitations
from providers.staff.duties import ROLES, require
from vip.operators import account_changes, operators, team
from vip.operators.team import AccountLine, Team
from vip.principal import Member, MemberRole
from vip.signin.signin import require_recent


def members_of(member: Member) -> Sequence[AccountLine]:
    """All members of her provider, those in service first, by login. Raises NotFound without the duty."""
    require(member, "team")
    return team.lines(_team(member))


def member_of(member: Member, public_id: str) -> AccountLine:
    """One of them. Raises NotFound."""
    require(member, "team")
    return team.line(_team(member), public_id)


def change_role(member: Member, public_id: str, role: MemberRole, *, now: datetime) -> None:
    """Give another member another role, which counts from her next request; what she invited as a manager before she
    was none is over. Audited. Raises NotFound, SignInAgain,
    Invalid(field="role"), OwnAccount, LastAdmin."""
    _allow(member, now)
    if role not in ROLES:
        raise Invalid(field="role", reason="unknown_value")
    invitations.end_those_of(member, public_id, now=now)
    team.change_role(_team(member), public_id, role, now)


def end_service(member: Member, public_id: str, *, now: datetime) -> int:
    """End the service of another member: all her sessions end at once, and what she invited is over. Returns how many
    sessions. Audited, once. Raises NotFound, SignInAgain, OwnAccount, LastAdmin."""
    _allow(member, now)
    return team.end(_team(member), public_id, now)


def return_to_service(member: Member, public_id: str, *, now: datetime) -> None:
    """Let a member sign in again; what she invited before stays over. Audited, once. Raises NotFound, SignInAgain."""
    _allow(member, now)
    invitations.end_those_of(member, public_id, now=now)
    team.resume(_team(member), public_id, now)


def resume_by_command(login: str, *, now: datetime) -> None:
    """Let an operator or a member sign in again, for who runs the installation; what a member invited before stays
    over. Audited, once. Raises NotFound(field="login")."""
    with transaction() as session:
        account = operators.named(session, login)
        invitations.end_of(session, account.public_id, None, now)
        account_changes.resume(session, account, None, now)


def reset_second_factor(member: Member, public_id: str, *, now: datetime) -> int:
    """Take the second factor of another member away and end her sessions; returns how many. Audited, once. Raises
    NotFound, SignInAgain, OwnAccount."""
    _allow(member, now)
    return team.reset_device(_team(member), public_id, now)


def give_password(member: Member, public_id: str, *, now: datetime) -> str:
    """Give another member a new password for one sign-in, to be shown once; her sessions end. Audited. Raises NotFound,
    SignInAgain, OwnAccount, Crowded(retry_after)."""
    _allow(member, now)
    return team.give_password(_team(member), public_id, now)


def _allow(member: Member, now: datetime) -> None:
    """Each of these decides who may sign in, so a session that was left open does none of them."""
    require(member, "team")
    require_recent(member, now)


def _team(member: Member) -> Team:
    return Team(member, leads="manager")
