"""The letters to who registers a provider: the link to confirm with, and what an operator said."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, cast

from sqlalchemy import Table

from marketplace.core import crypto
from marketplace.core.config import settings
from marketplace.core.database.db import reading
from marketplace.core.text import Text
from providers.applying.models import ProviderApplication
from providers.applying.records import LASTS, email_record, token_record
from providers.staff.letters import Letters, Post

Letter = Literal["returned", "declined", "approved"]


def queue(row: ProviderApplication, letter: Letter, now: datetime) -> None:
    """Have this letter sent, in place of one that was not sent yet; the row is locked. None is sent where the address
    was forgotten."""
    row.letter, row.run_after = letter, now
    row.tries, row.failures = row.tries + 1, 0  # who is sending the one before is overtaken
    row.lease_until = row.sent_at = row.given_up_at = row.token_sealed = None
    if row.email_sealed is None:
        row.given_up_at = now


def written(letter: str, provider: Text, language: str, *, token: str = "", note: str = "") -> tuple[str, str]:
    """Subject and text of a letter. The link of the first one holds `token`, and nothing that the applicant typed: it
    goes to whom she says. `note` is the operator's own words."""
    subject, text = _WORDS[letter]
    facts = {
        "name": provider.in_language(language),
        "link": f"{settings().public_url}/desk/apply/{token}",
        "desk": f"{settings().public_url}/desk/application",
        "hours": int(LASTS.total_seconds() // 3600),
        "note": note,
    }
    return subject.in_language(language).format(**facts), text.in_language(language).format(**facts)


def _written(application_id: int, _now: datetime) -> Post | None:
    """The message, or None for an application that was confirmed or forgotten meanwhile."""
    with reading() as session:
        row = session.get(ProviderApplication, application_id)
    confirming = row is not None and row.letter == "confirm"
    if row is None or row.email_sealed is None or (confirming and row.token_sealed is None):
        return None
    token = crypto.unseal_master(row.token_sealed, token_record(row.public_id)) if row.token_sealed else ""
    text = written(row.letter, Text(row.name_zh, row.name_en), row.language, token=token, note=row.note)
    to = crypto.unseal_master(row.email_sealed, email_record(row.public_id))
    key = row.public_id if confirming else f"{row.public_id}:{row.letter}:{int(row.run_after.timestamp())}"
    return Post("email", key, to, *text)


APPLICATIONS = Letters(
    cast(Table, ProviderApplication.__table__),
    "application",
    "(letter <> 'confirm' OR (token_sealed IS NOT NULL AND expires_at > :now))",
    _written,
)
"""Their letters."""

_WORDS = {
    "confirm": (
        Text("安享：请确认邮箱，完成注册", "Anxiang: confirm your e-mail address"),
        Text(
            "有人用这个邮箱在安享注册服务机构。如果是您，请在 {hours} 小时内打开链接，设置登录名和密码："
            "\n{link}\n\n如果不是您，请不用理会：不打开链接，什么也不会发生。请勿转发。\n",
            "Somebody registered a provider at Anxiang with this address. If it was you, open the link "
            "within {hours} hours and choose a login and a password:\n"
            "{link}\n\nIf it was not, do nothing: nothing happens without the link. Pass it on to nobody.\n",
        ),
    ),
    "returned": (
        Text("安享：关于您的注册，我们有一个问题", "Anxiang: a question about your registration"),
        Text(
            "关于“{name}”的注册，我们想请您补充：\n\n{note}\n\n请在工作台回复：{desk}\n",
            "About the registration of {name} we have a question:\n\n{note}\n\nPlease answer at your desk: {desk}\n",
        ),
    ),
    "declined": (
        Text("安享：您的注册未通过", "Anxiang: your registration was declined"),
        Text(
            "“{name}”的注册未通过，原因：\n\n{note}\n\n您仍可登录工作台，更正后再次提交：{desk}\n",
            "The registration of {name} was declined:\n\n{note}\n\n"
            "You can still sign in, put it right and send it again: {desk}\n",
        ),
    ),
    "approved": (
        Text("安享：您的机构已通过审核", "Anxiang: your organisation is approved"),
        Text(
            "“{name}”已通过审核。您的服务在其余步骤完成后即向客户开放，进度见工作台：{desk}\n",
            "{name} is approved. What you offer is open to customers as soon as the other steps are done; see your "
            "desk: {desk}\n",
        ),
    ),
}
