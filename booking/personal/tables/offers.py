"""Columns about what is offered: sites, offers, pools, slots and calendars."""

from __future__ import annotations

from booking.personal.register import Table

TABLES = (
    Table(
        "site",
        "id public_id name aliases province city district tier tier_source tier_date kind address longitude latitude"
        " time_zone terms search_text pinyin merged_into place_id closed_at updated_at",
    ),
    Table("site_allowance", "id public_id site_id kind allowed_at allowed_by ended_at ended_by"),
    Table("site_closure", "id public_id insurer_id site_id from_day to_day mode state actor asked_at finished_at"),
    Table("site_double", "id public_id first_id second_id score reasons found_at lost_at apart_at apart_by"),
    Table("site_merge", "id public_id site_id into_id merged_at merged_by undone_at undone_by"),
    Table(
        "offer",
        "id public_id provider_id market site_id pool_id kind external_ref name_zh name_en package price_minor currency"
        " lead_minutes cancel_hours change_hours max_changes active available_from available_until version"
        " certified",
    ),
    Table("capacity_pool", "id public_id provider_id site_id external_ref name"),
    Table(
        "capacity_rule",
        "id pool_id weekdays from_minute to_minute slot_minutes places valid_from valid_until ended_at",
    ),
    # `actor` is a member of the provider
    Table("capacity_change", "id public_id pool_id version kind day actor at"),
    Table("capacity_exception", "id pool_id day sections ended_at"),
    Table(
        "pool_calendar",
        "pool_id version closed_on_holidays make_up_weekday horizon_days published_version published_on"
        " published_edition lease lease_until",
    ),
    Table(
        "slot",
        "id public_id pool_id external_ref service_date starts_at ends_at offered capacity taken closed version"
        " has_place",
    ),
    # a provider's slots told anew: pools and days, and which lines could not be read, without what they held
    Table(
        "slot_snapshot",
        "id public_id provider_id pool_ids from_day to_day state refused refused_lines closed opened_at completed_at",
    ),
    Table("slot_snapshot_named", "snapshot_id slot_id"),
    Table("freed_slot", "id slot_id kept freed_at"),
    Table("sync_cursor", "provider_id feed cursor last_success_at next_at failures"),
)
