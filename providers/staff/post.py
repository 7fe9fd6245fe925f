"""The letters that carry invitations, and forgetting whom they went to."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import Table, select

from marketplace.catalog.models import Provider
from marketplace.core import crypto
from marketplace.core.config import settings
from marketplace.core.database.db import reading, transaction
from marketplace.core.text import Text
from providers.staff.letters import Letters, Post
from providers.staff.models import MemberInvitation
from providers.staff.records import LASTS, to_record, token_record


def forget_over(*, now: datetime) -> int:
    """Forget the addresses of invitations that are over; returns how many."""
    wanted = select(MemberInvitation).where(MemberInvitation.expires_at <= now, MemberInvitation.to_sealed.is_not(None))
    with transaction() as session:
        rows = session.scalars(wanted.order_by(MemberInvitation.id).limit(1000).with_for_update(skip_locked=True)).all()
        for row in rows:
            row.to_sealed = row.token_sealed = None
    return len(rows)


def words(provider: Text | None, language: str, token: str, channel: str) -> tuple[str, str]:
    """Subject and text of the message, which holds the link and names no person; nor the provider (None) before an
    operator has approved it, since it chose its name itself: the message says that."""
    link = f"{settings().public_url}/desk/join/{token}"
    name = (provider or Text("有服务机构", "A provider")).in_language(language)
    subject = Text(f"安享：{name}邀请您加入", f"Anxiang: {name} invites you")
    said = Text(
        f"{name}邀请您加入安享服务方工作台。请在 {LASTS.days} 天内打开链接并设置账户：{link} 请勿转发。",
        f"{name} invites you to its desk at Anxiang. Open the link within {LASTS.days} days and choose a login: {link}"
        " Pass it on to nobody.",
    ).in_language(language)
    if provider is None:
        doubt = Text(
            "我们尚未核实该机构；如不认识，请忽略此邮件。",
            " We have not confirmed who this organisation is; if you do not know it, ignore this letter.",
        )
        said += doubt.in_language(language)
    sign = Text("【安享】", "[Anxiang] ").in_language(language) if channel == "sms" else ""
    return subject.in_language(language), f"{sign}{said}"


def _written(invitation_id: int, _now: datetime) -> Post | None:
    """The message, or None for an invitation that was taken back or accepted meanwhile."""
    with reading() as session:
        row = session.get_one(MemberInvitation, invitation_id)
        if row.to_sealed is None or row.token_sealed is None:
            return None
        provider = session.scalars(select(Provider).where(Provider.id == row.provider_id)).one()
        to = crypto.unseal_master(row.to_sealed, to_record(row.public_id))
        token = crypto.unseal_master(row.token_sealed, token_record(row.public_id))
    names = Text(provider.name_zh, provider.name_en) if provider.approved_at is not None else None
    return Post(row.channel, row.public_id, to, *words(names, row.language, token, row.channel))


INVITATIONS = Letters(
    cast(Table, MemberInvitation.__table__), "invitation", "token_sealed IS NOT NULL AND expires_at > :now", _written
)
"""Their letters."""
