"""Taking a file: it is stored sealed, and the worker reads it."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import func, select

from marketplace.catalog.models import Insurer
from marketplace.core import audit, crypto, ids
from marketplace.core.bulk.intake.bounds import LARGEST, MIB
from marketplace.core.bulk.table import TableRefused
from marketplace.core.database.db import transaction
from marketplace.core.text import without_invisible
from vip import roles
from vip.imports.contents import Contents, Details, record_of
from vip.imports.kinds import kind_of
from vip.imports.models import BulkImport
from vip.principal import Principal

LONGEST_FILE_NAME = 120


def upload(principal: Principal, kind: str, name: str, content: bytes, *, now: datetime) -> str:
    """Store a file to be read, and return the public id of its import. Nothing is imported before somebody says so.
    Audited. Raises NotFound, also without the duty, and TableRefused: empty, too_large."""
    roles.require(principal, "imports")
    known = kind_of(kind)
    if not content.strip():
        raise TableRefused(reason="empty")
    if len(content) > LARGEST:
        raise TableRefused(reason="too_large", most=LARGEST // MIB)
    public_id = ids.new_id("imp")
    key = crypto.new_wrapped_key(record_of(public_id))
    contents = Contents(public_id, key)
    with transaction() as session:
        session.scalars(
            select(Insurer.id).where(Insurer.id == principal.insurer_id).with_for_update(key_share=True)
        ).one()
        newest = session.scalar(
            select(func.max(BulkImport.number)).where(BulkImport.insurer_id == principal.insurer_id)
        )
        session.add(
            BulkImport(
                public_id=public_id,
                insurer_id=principal.insurer_id,
                number=(newest or 0) + 1,
                kind=known.code,
                state="uploaded",
                uploaded_by=principal.id,
                uploaded_at=now,
                changed_at=now,
                file_hash=hashlib.sha256(content).digest(),
                size=len(content),
                wrapped_key=key,
                details_sealed=contents.seal_details(Details(_shown_name(name))),
                content_sealed=contents.seal_file(content),
            )
        )
        audit.record(
            session,
            "import.uploaded",
            at=now,
            actor_kind=principal.acts_as,
            actor=principal.public_id,
            subject=public_id,
            insurer_id=principal.insurer_id,
            kind=known.code,
            size=len(content),
        )
    return public_id


def _shown_name(name: str) -> str:
    """The name of a file without its folders, as it can be shown in a line."""
    plain = without_invisible(name.replace("\\", "/").rpartition("/")[2])
    return "".join(each for each in plain if each.isprintable()).strip()[-LONGEST_FILE_NAME:] or "-"
