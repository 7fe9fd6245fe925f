"""The copy itself: a ZIP with one JSON file for each subject, the papers of reports as they were delivered, and the
pictures of consultations and escorts."""

from __future__ import annotations

import json
import zipfile
from datetime import date, datetime, time
from typing import IO, Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session, aliased

from booking.consultation.models import Conversation, ConversationMessage, ConversationPicture
from booking.consultation.pictures import open_picture
from booking.escort.evidence.models import EscortDeed, EscortPicture
from booking.escort.evidence.pictures import picture_of
from booking.personal.opening import opened
from booking.personal.register import Table
from booking.personal.scope import Scope
from booking.personal.tables.every import OF_CUSTOMERS
from booking.reports.models import Report, ReportVersion
from booking.reports.papers import open_paper, papers_of
from marketplace.core.crypto import Unreadable
from vip.customers.consent import may_show
from vip.models import Beneficiary, Customer

_ENDINGS = {"application/pdf": "pdf", "image/png": "png"}
_ABOUT = {
    "zh": "这是安享保存的关于您和您的家人的全部数据。每个 JSON 文件是一个主题；papers 里是报告的原始文件，"
    "pictures 里是问诊和随行服务的图片。成年家人的报告只在其同意查看时包含在内。时间均为 UTC。",
    "en": "Everything that Anxiang stores about you and your family. Each JSON file is one subject; `papers` has the"
    " original files of the reports, `pictures` the pictures of consultations and escorts. Reports of adult relatives"
    " are included only if they agreed. Times are UTC.",
}


def may_be_shown(session: Session, customer_id: int, now: datetime) -> list[int]:
    """The customer's people (internal ids) whose results she may see at `now`: the rule of vip.customers.consent."""
    mine = aliased(Beneficiary)  # may_show has its own Beneficiary, and must not mean this one
    shown = select(mine.id).where(mine.customer_id == customer_id, may_show(mine.id, now))
    return list(session.scalars(shown.order_by(mine.id)))


def write_bundle(session: Session, customer_id: int, scope: Scope, to: IO[bytes], *, now: datetime) -> None:
    """Write what is in the scope. A value that can't be opened is marked as such and stops nothing."""
    customer = session.get_one(Customer, customer_id)
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as made:
        _write(made, "about", {"customer": customer.public_id, "made_at": now, **_ABOUT})
        for table in OF_CUSTOMERS:
            _write(made, table.file, rows_of(session, table, scope))
        _write_papers(session, made, scope)
        _write_pictures(session, made, scope)


def rows_of(session: Session, table: Table, scope: Scope) -> list[dict[str, Any]]:
    """The scope's rows of one table under the register's names, sealed values opened, ids of other rows public."""
    columns = dict(table.exported())
    links = [
        f"(SELECT x.public_id FROM {other} x WHERE x.id = t.{column}) AS {column.removesuffix('_id')}"
        for column, other in table.links.items()
    ]
    chosen = ", ".join([f"t.{table.key} AS row_id", *(f"t.{column} AS in_{column}" for column in columns), *links])
    query = f"SELECT {chosen} FROM {table.name} t WHERE {scope.where(table)} ORDER BY t.{table.key}"
    found = session.execute(text(query), scope.values).mappings().all()
    return [
        {
            **{column.removesuffix("_id"): row[column.removesuffix("_id")] for column in table.links},
            **{
                it.name: opened(session, it.reader, column, row["row_id"], row[f"in_{column}"])
                for column, it in columns.items()
            },
        }
        for row in found
    ]


def versions_in(session: Session, scope: Scope) -> list[int]:
    """The versions of reports (internal ids) that can be read in a copy of the scope."""
    versions = (
        f"SELECT v.id FROM report_version v WHERE v.report_id IN ({scope.parts['reports']})"
        " AND v.wrapped_key IS NOT NULL ORDER BY v.id"
    )
    return list(session.scalars(text(versions), scope.values))


def _write_papers(session: Session, made: zipfile.ZipFile, scope: Scope) -> None:
    versions = session.execute(
        select(ReportVersion, Report.public_id)
        .join(Report, Report.id == ReportVersion.report_id)
        .where(ReportVersion.id.in_(versions_in(session, scope)))
        .order_by(ReportVersion.id)
    ).all()
    for version, report_id in versions:
        for line in papers_of(session, version):
            name = f"papers/{report_id}/v{version.version}-{line.position + 1}"
            try:
                paper = open_paper(session, version, f"{report_id}:{version.version}", line.position)
            except Unreadable:
                made.writestr(f"{name}.unreadable.txt", "")
                continue
            if paper is not None:
                made.writestr(f"{name}.{_ENDINGS.get(paper.media_type, 'bin')}", paper.content)


def _write_pictures(session: Session, made: zipfile.ZipFile, scope: Scope) -> None:
    """The pictures of consultations and escorts, under their ids."""
    mine = session.scalars(text(scope.parts["talks"]), scope.values).all()
    found = session.execute(
        select(ConversationPicture.id, Conversation)
        .join(ConversationMessage, ConversationMessage.id == ConversationPicture.message_id)
        .join(Conversation, Conversation.id == ConversationMessage.conversation_id)
        .where(Conversation.id.in_(mine))
        .order_by(ConversationPicture.id)
    ).all()
    for picture_id, talk in found:
        picture = session.get_one(ConversationPicture, picture_id)  # one at a time: each is half a megabyte
        try:
            made.writestr(f"pictures/{picture.public_id}.jpg", open_picture(session, talk, picture))
        except Unreadable:
            made.writestr(f"pictures/{picture.public_id}.unreadable.txt", "")
        session.expunge(picture)
    _write_escort_pictures(session, made, scope)


def _write_escort_pictures(session: Session, made: zipfile.ZipFile, scope: Scope) -> None:
    mine = session.scalars(text(scope.parts["escorted"]), scope.values).all()
    found = session.execute(
        select(EscortPicture.public_id, EscortDeed.booking_id)
        .join(EscortDeed, EscortDeed.id == EscortPicture.deed_id)
        .where(EscortDeed.booking_id.in_(mine))
        .order_by(EscortPicture.id)
    ).all()
    for picture, booking_id in found:
        try:
            made.writestr(f"pictures/{picture}.jpg", picture_of(session, booking_id, picture))
        except Unreadable:
            made.writestr(f"pictures/{picture}.unreadable.txt", "")
        session.expire_all()  # one at a time, as above


def _write(made: zipfile.ZipFile, name: str, content: Any) -> None:
    made.writestr(f"{name}.json", json.dumps(content, ensure_ascii=False, indent=2, default=_plain))


def _plain(value: Any) -> Any:
    """What JSON has no form for."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return str(value)
