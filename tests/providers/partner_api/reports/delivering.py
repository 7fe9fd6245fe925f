"""A provider's program delivers a report."""

from __future__ import annotations

import hashlib
import io
import json
import uuid
from typing import Any

from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from booking.discrepancies import Discrepancy
from marketplace.core.database.db import reading
from tests.providers.partner_api.partner import Partner
from tests.reports import PDF

ROWS: list[dict[str, Any]] = [
    {"name": "收缩压", "value": "128", "loinc": "8480-6", "unit": "mm[Hg]", "low": 90, "high": 139, "flag": "normal"},
    {"name": "低密度脂蛋白胆固醇", "value": "3.92", "loinc": "22748-8", "unit": "mmol/L", "high": 3.4, "flag": "high",
     "low": None, "section": "血脂", "note": None, "code": "LDL", "range_text": "<3.4", "mark": "↑"},
]  # fmt: skip


def told(file: bytes = PDF, **changes: Any) -> dict[str, Any]:
    """The JSON of a report whose file this is."""
    return {
        "reference": "RR-1",
        "version": 1,
        "status": "final",
        "issued_at": "2026-03-01T09:00:00+08:00",
        "items": ROWS,
        "conclusion": "血脂偏高，三个月后复查。",
        "document_sha256": hashlib.sha256(file).hexdigest(),
        **changes,
    }


def deliver(
    partner: Partner,
    booking: str,
    report: Any = None,
    file: bytes = PDF,
    media_type: str = "application/pdf",
    key: str | None = None,
) -> TestResponse:
    """One delivery. `report` is JSON, or bytes that are sent as they are."""
    report = told(file) if report is None else report
    raw = report if isinstance(report, bytes) else json.dumps(report).encode()
    parts = {
        "report": (io.BytesIO(raw), "report.json", "application/json"),
        "document": (io.BytesIO(file), "report.pdf", media_type),
    }
    return post(partner, booking, parts, key)


def post(partner: Partner, booking: str, parts: Any, key: str | None = None) -> TestResponse:
    boundary, body = encode_multipart(
        {
            name: FileStorage(part[0], part[1], name, *part[2:]) if isinstance(part, tuple) else part
            for name, part in parts.items()
        }
    )
    return partner.post(
        f"/bookings/{booking}/reports",
        data=body,
        content_type=f"multipart/form-data; boundary={boundary}",
        headers={"Idempotency-Key": key or str(uuid.uuid4())},
    )


def listing(partner: Partner, booking: str) -> Any:
    answer = partner.get(f"/bookings/{booking}/reports")
    assert answer.status_code == 200, answer.text
    return answer.get_json()["items"]


def cases() -> list[tuple[str, str, str]]:
    with reading() as session:
        rows = session.scalars(select(Discrepancy).where(Discrepancy.closed_at.is_(None)).order_by(Discrepancy.id))
        return [(row.kind, row.subject, str(row.facts.get("reason", ""))) for row in rows]
