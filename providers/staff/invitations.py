"""Invitations: a manager asks somebody, by SMS or e-mail, to become a member of her provider, and takes it back; who
has the link chooses a login and a password. The message is sent by the worker (providers.staff.post)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from marketplace.catalog.models import Provider
from marketplace.core import audit, crypto, ids
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound, Refusal
from marketplace.core.sending import email
from marketplace.core.text import Text
from providers.staff.duties import ROLES, require
from providers.staff.members import employ
from providers.staff.models import MemberInvitation
from providers.staff.records import LASTS, to_record, token_record
from vip import accounts, phones
from vip.customers import email_address
from vip.models import Operator
from vip.operators import operators
from vip.principal import Member, MemberRole
from vip.signin import limits, turns
from vip.signin.limits import Limit
from vip.signin.signin import require_recent

OF_PROVIDER = Limit(20, 20)
"""Invitations that a provider sends."""
TO_ADDRESS = Limit(3, 1)
"""Invitations that reach one phone or mail box, from whichever provider."""
MOST_OPEN = 50
"""Invitations of a provider that may be open at once."""
MOST_BEFORE_APPROVAL = 5
"""As many of one that no operator has approved: whoever registers must not have us write to people at large."""
LONGEST_TOKEN = 64

Channel = Literal["sms", "email"]
State = Literal["to_send", "sent", "not_sent"]


class TooManyInvitations(Refusal):
    """As many are open as there may be; `most` says how many."""

    code = "too_many_invitations"


class InvitedBefore(Refusal):
    """The form was sent before, and the invitation that it made was taken back, accepted or is over since."""

    code = "invited_before"


@dataclass(frozen=True)
class InvitationLine:
    """An open invitation in the list. `to` is masked. `not_sent`: the message could not be delivered."""

    public_id: str
    to: str
    role: MemberRole
    state: State
    made_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Invited:
    """What somebody with the link is asked: to become what, of whom."""

    provider: Text
    role: MemberRole


def invite(member: Member, to: str, role: MemberRole, language: str, *, now: datetime, request: str = "") -> str:
    """Ask somebody by phone number or e-mail address, in that language (`zh` or `en`); returns the public id. Audited.

    `request`: what a form names its sending by. Sent twice with the same content, as by two clicks, it asks once: the
    second answer is the first one's invitation. A provider that no operator has approved invites by e-mail alone.

    Raises NotFound without the duty, SignInAgain (else a session that was left open makes a manager for whoever finds
    it), Invalid(field="to" or "role"), TooManyInvitations, InvitedBefore and TooMany(retry_after).
    """
    require(member, "team")
    require_recent(member, now)
    if role not in ROLES:
        raise Invalid(field="role", reason="unknown_value")
    channel, address = _address(to)
    public_id, token = _named(request, member, address, role), ids.new_token()
    with transaction() as session:
        in_turn(session, member.provider_id)
        if _is_open(session, public_id, now):
            return public_id
        limits.take(session, OF_PROVIDER, "invitations", f"provider:{member.provider_id}", now=now)
        limits.take(session, TO_ADDRESS, "invitations", f"to:{address}", now=now)
        count_open(session, member.provider_id, now)
        if channel == "sms" and not _approved(session, member.provider_id):
            raise Invalid(field="to", reason="email_before_approval")
        session.add(
            MemberInvitation(
                public_id=public_id,
                provider_id=member.provider_id,
                inviter_id=member.id,
                role=role,
                channel=channel,
                language="en" if language == "en" else "zh",
                to_sealed=crypto.seal_master(address, to_record(public_id)),
                token_hash=crypto.token_hash(token),
                token_sealed=crypto.seal_master(token, token_record(public_id)),
                created_at=now,
                expires_at=now + LASTS,
                run_after=now,
            )
        )
        _audit(session, "invitation.made", public_id, member.public_id, now, role=role, channel=channel)
    return public_id


def in_turn(session: Session, provider_id: int) -> None:
    """Of two who invite for a provider at once the second counts what the first one made."""
    session.execute(select(func.pg_advisory_xact_lock(0x494E5654, provider_id)))


def _named(request: str, member: Member, *given: str) -> str:
    """The public id of the invitation that a request makes: the same for the same request of the same member."""
    return ids.id_of("inv", "\0".join((member.public_id, request, *given))) if request else ids.new_id("inv")


def _is_open(session: Session, public_id: str, now: datetime) -> bool:
    """Whether this request has asked before. The provider's turn is held. Raises InvitedBefore where that is over."""
    if session.scalar(select(MemberInvitation.id).where(MemberInvitation.public_id == public_id)) is None:
        return False
    if session.scalar(_open(now).where(MemberInvitation.public_id == public_id)) is None:
        raise InvitedBefore()
    return True


def count_open(session: Session, provider_id: int, now: datetime) -> None:
    """Raises TooManyInvitations where no other may be open. The provider's turn is held."""
    open_now = _open(now).where(MemberInvitation.provider_id == provider_id)
    most = MOST_OPEN if _approved(session, provider_id) else MOST_BEFORE_APPROVAL
    if (session.scalar(select(func.count()).select_from(open_now.subquery())) or 0) >= most:
        raise TooManyInvitations(most=most)


def _approved(session: Session, provider_id: int) -> bool:
    return session.scalar(select(Provider.approved_at).where(Provider.id == provider_id)) is not None


def open_invitations(member: Member, *, now: datetime) -> Sequence[InvitationLine]:
    """Those of the member's provider that may still be accepted, the newest first. Raises NotFound without the duty."""
    require(member, "team")
    wanted = _open(now).where(MemberInvitation.provider_id == member.provider_id)
    with reading() as session:
        return [_line(row) for row in session.scalars(wanted.order_by(MemberInvitation.id.desc()))]


def withdraw(member: Member, public_id: str, *, now: datetime) -> None:
    """Take an invitation back: its link opens nothing any more. Audited, once. Raises NotFound, also for one that is
    over or another provider's."""
    require(member, "team")
    wanted = select(MemberInvitation).where(
        MemberInvitation.provider_id == member.provider_id,
        MemberInvitation.public_id == public_id,
        MemberInvitation.accepted_at.is_(None),
        MemberInvitation.withdrawn_at.is_(None),
    )
    with transaction() as session:
        row = session.scalar(wanted.with_for_update())
        if row is None:
            raise NotFound(field="invitation_id")
        _end(session, row, member, now)


def end_those_of(member: Member, inviter: str, *, now: datetime) -> None:
    """Take back what another member (public id) of the same provider invited while she may invite no more: else it
    would count again as soon as she may. Audited."""
    with transaction() as session:
        end_of(session, inviter, member, now, MemberInvitation.provider_id == member.provider_id)


def end_of(session: Session, inviter: str, by: Member | None, now: datetime, *whose: ColumnElement[bool]) -> None:
    """The same in the caller's transaction; `by` is None for a command of the installation."""
    wanted = (
        select(MemberInvitation)
        .join(Operator, Operator.id == MemberInvitation.inviter_id)
        .where(
            Operator.public_id == inviter,
            ~_may_invite(),
            MemberInvitation.accepted_at.is_(None),
            MemberInvitation.withdrawn_at.is_(None),
            *whose,
        )
    )
    for row in session.scalars(lock(wanted.order_by(MemberInvitation.id))).all():
        _end(session, row, by, now)


def look(token: str, *, now: datetime) -> Invited:
    """What the link is for. Raises NotFound for one that was used, taken back, is over or none of ours."""
    with reading() as session:
        row = session.scalar(_by_token(token, now))
        if row is None:
            raise NotFound()
        provider = session.get_one(Provider, row.provider_id)
        return Invited(Text(provider.name_zh, provider.name_en), cast(MemberRole, row.role))


def accept(token: str, login: str, password: str, name: str, *, now: datetime) -> str:
    """Become a member, once; returns the public id. She signs in afterwards like everybody. Audited.

    Raises NotFound as `look` does, Invalid(field=login, password or name), LoginTaken, Crowded(retry_after).
    """
    with reading() as session:
        row = session.scalar(_by_token(token, now))
    if row is None:
        raise NotFound()
    with turns.hashing.holders.turn(f"invitation:{row.public_id}"):
        new = operators.new_account(login, password, name)
    with operators.free_login(), transaction() as session:
        row = session.scalar(lock(_by_token(token, now)))
        if row is None:
            raise NotFound()
        account = employ(row.provider_id, cast(MemberRole, row.role))
        public_id = operators.add_account(session, account, new)
        row.accepted_at, row.member_id = now, account.id
        row.to_sealed = row.token_sealed = None
        _audit(session, "invitation.accepted", row.public_id, public_id, now, member=public_id, role=row.role)
    return public_id


def _address(to: str) -> tuple[Channel, str]:
    if "@" not in to and "＠" not in to:
        return "sms", phones.normalise(to, field="to")
    address = email_address.normalise(to, field="to")
    if email.backend() is None:
        raise Invalid(field="to", reason="no_email")
    return "email", address


def _open(now: datetime) -> Select[MemberInvitation]:
    """Invitations that may be accepted: who invited still may."""
    return (
        select(MemberInvitation)
        .join(Operator, Operator.id == MemberInvitation.inviter_id)
        .where(
            MemberInvitation.accepted_at.is_(None),
            MemberInvitation.withdrawn_at.is_(None),
            MemberInvitation.expires_at > now,
            _may_invite(),
        )
    )


def _may_invite() -> ColumnElement[bool]:
    return and_(Operator.disabled_at.is_(None), Operator.role == "manager")


def _end(session: Session, row: MemberInvitation, by: Member | None, now: datetime) -> None:
    row.withdrawn_at = now
    row.to_sealed = row.token_sealed = None
    kind, actor = ("system", accounts.COMMAND) if by is None else ("provider", by.public_id)
    audit.record(session, "invitation.withdrawn", at=now, actor_kind=kind, actor=actor, subject=row.public_id)


def lock(wanted: Select[MemberInvitation]) -> Select[MemberInvitation]:
    """The same, locked: of two who open one link the second one sees that it was used."""
    return wanted.with_for_update(of=MemberInvitation)


def _by_token(token: str, now: datetime) -> Select[MemberInvitation]:
    if not 0 < len(token) <= LONGEST_TOKEN:
        raise NotFound()
    return _open(now).where(MemberInvitation.token_hash == crypto.token_hash(token))


def _line(row: MemberInvitation) -> InvitationLine:
    to = crypto.unseal_master(row.to_sealed or b"", to_record(row.public_id))
    shown = phones.masked(to) if row.channel == "sms" else email_address.masked(to)
    state: State = "sent" if row.sent_at else "not_sent" if row.given_up_at else "to_send"
    return InvitationLine(row.public_id, shown, cast(MemberRole, row.role), state, row.created_at, row.expires_at)


def _audit(session: Session, action: str, invitation: str, actor: str, now: datetime, **facts: Any) -> None:
    audit.record(session, action, at=now, actor_kind="provider", actor=actor, subject=invitation, **facts)
