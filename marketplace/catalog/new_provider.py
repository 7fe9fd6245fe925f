"""A provider begins: an organisation that delivers, known by its code."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import available_timezones

from sqlalchemy.exc import IntegrityError

from marketplace.catalog.models import Provider
from marketplace.core import audit
from marketplace.core.database.db import transaction, violated
from marketplace.core.errors import Invalid, Refusal
from marketplace.core.ids import new_id

_CODE = re.compile(r"[a-z][a-z0-9-]{1,30}[a-z0-9]")
RESERVED = frozenset({"certify"})
"""Words that stand in the console's addresses where codes of providers do."""


class CodeTaken(Refusal):
    """Another provider has this code, or a page of ours (RESERVED)."""

    code = "code_taken"
    field = "code"


def add_provider(
    code: str, name_zh: str, name_en: str, *, adapter: str, time_zone: str, actor: str, now: datetime
) -> str:
    """A new provider, without an address of its own and approved by who makes it; returns its public id. Audited.

    `adapter` is one of providers.registry. Nobody can book with it until it has offers and slots. Raises Invalid (field
    `code`, which is 3 to 32 of a-z, 0-9 and -; `time_zone`; a blank name) and CodeTaken.
    """
    if code in RESERVED:
        raise CodeTaken()
    if not _CODE.fullmatch(code):
        raise Invalid(field="code", reason="format")
    for field, name in (("name_zh", name_zh), ("name_en", name_en)):
        if not name.strip():
            raise Invalid(field=field, reason="required")
    if time_zone not in available_timezones():
        raise Invalid(field="time_zone", reason="choice")
    provider = Provider(
        public_id=new_id("prv"),
        code=code,
        name_zh=name_zh.strip(),
        name_en=name_en.strip(),
        adapter=adapter,
        base_url="",
        time_zone=time_zone,
        approved_at=now,
    )
    try:
        with transaction() as session:
            session.add(provider)
            session.flush()
            audit.record(
                session,
                "provider.added",
                at=now,
                actor_kind="operator",
                actor=actor,
                subject=provider.public_id,
                adapter=adapter,
            )
            return provider.public_id
    except IntegrityError as taken:
        if violated(taken) != "uq_provider_code":
            raise
        raise CodeTaken() from taken
