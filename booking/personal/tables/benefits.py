"""Columns about policies, benefits, where they hold, and what was promised with them."""

from __future__ import annotations

from booking.personal.register import Table, all_process, contact, process
from booking.personal.tables.common import NO_BYTES, NOBODY

TABLES = (
    Table(
        "entitlement",
        file="benefits",
        whose="t.customer_id = :customer",
        other="id insurer_id customer_id plan_benefit_id",
        personal={
            "public_id": process("id"),
            **all_process("kind sharing valid_from valid_until grace_days no_show_uses"),
            **all_process("granted available reserved used expired revoked created_at"),
        },
    ),
    Table(
        "entitlement_entry",
        file="benefit_entries",
        whose="t.entitlement_id IN (SELECT e.id FROM entitlement e WHERE e.customer_id = :customer)",
        other="id xact",
        personal=all_process("entry quantity attempt at actor_kind actor reason"),
        links={"entitlement_id": "entitlement", "booking_id": "booking"},
    ),
    Table(
        "policy",
        file="policies",
        whose="t.customer_id = :customer",
        other="id insurer_id customer_id plan_id",
        personal={
            "public_id": process("id"),
            "number_sealed": contact("number", reader="policy_number", ends=NO_BYTES),
            "number_index": contact("number_index", same_as="number_sealed", ends=NOBODY),
            "contents_sealed": contact("contents", never="a digest of what the rest says", ends=NO_BYTES),
            **all_process("key version product product_name_zh product_name_en long_term"),
            **all_process("in_force_from in_force_until status created_at updated_at"),
        },
    ),
    Table(
        "policy_insured",
        file="insured",
        whose="t.beneficiary_id IN ({people})",
        other="id customer_id",
        personal=all_process("relation since ended_on"),
        links={"policy_id": "policy", "beneficiary_id": "beneficiary"},
    ),
    Table(
        "policy_version",
        file="policy_versions",
        whose="t.policy_id IN (SELECT p.id FROM policy p WHERE p.customer_id = :customer)",
        other="id",
        personal=all_process("version at source product long_term in_force_from in_force_until status insured changed"),
        links={"policy_id": "policy"},
    ),
    Table(
        "policy_vanished",
        file="policies_vanished",
        whose="t.policy_id IN (SELECT p.id FROM policy p WHERE p.customer_id = :customer)",
        personal=all_process("ended_at status_before returned_at"),
        links={"policy_id": "policy", "snapshot_id": "policy_snapshot"},
        key="policy_id",
    ),
    Table(
        "pledge_compensation",
        file="compensations",
        whose="t.pledge_id IN (SELECT p.id FROM pledge p WHERE p.customer_id = :customer)",
        personal=all_process("units at"),
        links={"pledge_id": "pledge", "entitlement_id": "entitlement"},
        key="pledge_id",
    ),
    Table(
        "pledge",
        file="pledges",
        whose="t.customer_id = :customer",
        other="id insurer_id customer_id",
        personal={
            "public_id": process("id"),
            **all_process("promise subject_kind subject seconds units state begun_at risk_due_at due_at at_risk_at"),
            **all_process("met_at breached_at cancelled_at"),
        },
        links={"provider_id": "provider", "booking_id": "booking"},
    ),
    Table(
        "coverage_wish",
        file="coverage_wishes",
        whose="t.customer_id = :customer",
        other="id customer_id",
        personal={"public_id": process("id"), **all_process("kind asked_at ended_at outcome")},
        links={"site_id": "site"},
    ),
    # files that insurers bring in: what stands in them is of many people at once, sealed under a key of each file, and
    # goes 30 days after the last thing that happened to it (vip.imports.work); what it said of her is in her policy
    Table(
        "bulk_import",
        "id public_id insurer_id number kind state uploaded_by uploaded_at file_hash size wrapped_key details_sealed"
        " content_sealed lines failure changed_at started_by started_at ended_at forgotten_at counts",
    ),
    Table(
        "bulk_line",
        "id import_id number cells_sealed readable together expected outcome reason errors tries done_at",
    ),
    Table(
        "policy_snapshot",
        "id public_id insurer_id state ends_vanished most_percent refused refused_lines named known vanished ended"
        " opened_at completed_at decided_by",
    ),
    Table("policy_snapshot_named", "snapshot_id policy_id"),
    Table("plan", "id public_id insurer_id code tier name_zh name_en"),
    Table("plan_benefit", "id plan_id kind quantity sharing months grace_days no_show_uses"),
    Table(
        "coverage_line",
        "id public_id insurer_id kind province city district tier site_id narrowness level counts_from actor source"
        " written_at",
    ),
)
