"""Columns about reports."""

from __future__ import annotations

from booking.personal.register import Table, all_process, contact, medical, process
from booking.personal.tables.common import HASH, KEY, NO_BYTES, NOBODY, NONE

TABLES = (
    Table(
        "report",
        file="reports",
        whose="t.id IN ({reports})",
        other="id insurer_id provider_id customer_id announced_version fetched_version fetch_after failures",
        personal={
            "public_id": medical("id"),
            **{each: medical(each) for each in ("reference", "state", "issued_at", "created_at", "deleted_at")},
        },
        links={"booking_id": "booking", "beneficiary_id": "beneficiary"},
    ),
    Table(
        "report_version",
        file="report_versions",
        whose="t.report_id IN ({reports})",
        other="id",
        personal={
            "content_sealed": medical("content", reader="report", ends=NO_BYTES),
            "document_sealed": medical("document", never="its bytes are a file in `papers`", ends=NO_BYTES),
            "wrapped_key": medical("wrapped_key", never=KEY, ends=NONE),
            "items": medical("items", ends="0"),
            "abnormal": medical("abnormal", ends="0"),
            **{each: medical(each) for each in ("version", "status", "issued_at", "received_at", "document_type")},
        },
        links={"report_id": "report"},
    ),
    Table(
        "report_document",
        file="report_papers",
        whose="t.version_id IN (SELECT v.id FROM report_version v WHERE v.report_id IN ({reports}))",
        other="id version_id",
        personal={
            "sealed": medical("sealed", never="its bytes are a file in `papers`", ends=NO_BYTES),
            "size": medical("size", ends="0"),
            "position": medical("position"),
            "media_type": medical("media_type"),
        },
    ),
    Table(
        "report_share",
        file="shared_links",
        whose="t.report_id IN ({reports})",
        other="id customer_id tries",
        personal={
            "public_id": process("id"),
            "token_hash": contact("token_hash", never=HASH, ends=NOBODY),
            "code_hash": contact("code_hash", never=HASH, ends=NONE),
            **all_process("audience max_views views created_at expires_at revoked_at"),
        },
        links={"report_id": "report"},
    ),
    Table("report_item_code", "id provider_id code item changed_at"),
)
