"""Coverage as it is imported in bulk: one line of the file is one line of coverage."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final, cast

from sqlalchemy.orm import Session

from marketplace.catalog.coverage.level import Level
from marketplace.catalog.coverage.write import Statement, write_line
from marketplace.catalog.kinds import kinds
from marketplace.catalog.models import UNKNOWN_TIER
from marketplace.catalog.places import TIERS, short_place
from marketplace.core.bulk.cells import Cells, Column, Reason
from marketplace.core.bulk.kind import ImportKind, Outcome
from marketplace.core.text import Text

TAKEN_BACK: Final = "taken_back"
"""What stands for a level where a part is taken back."""

LEVEL_NAMES: Final[Mapping[str, Text]] = {
    "covered": Text("已覆盖", "covered"),
    "on_request": Text("需申请", "on request"),
    "not_covered": Text("未覆盖", "not covered"),
    TAKEN_BACK: Text("撤回", "taken back"),
}

_TIERS: Final = {**{tier: Text(tier, tier) for tier in TIERS}, UNKNOWN_TIER: Text("未定级", "not known")}

_REASONS: Final = {
    "unknown_city": Reason(
        Text("目录中没有这个城市", "The catalogue has no such city"),
        Text("请核对省份和城市的名称", "Check the names of province and city"),
    ),
    "unknown_district": Reason(
        Text("该城市没有机构位于这个区县", "No place of this city is in that district"),
        Text("请核对区县名称，或留空表示全市", "Check its name, or leave it empty for the whole city"),
    ),
    "unknown_value": Reason(
        Text("不是可用的值", "This is not one of the possible values"),
        Text("请使用说明中列出的值", "Use one of the values that are listed"),
    ),
    "no_such_place": Reason(
        Text("该城市没有叫这个名称的机构", "No open place of this city has that name"),
        Text("请使用目录中的名称", "Use its name in the catalogue"),
    ),
    "several_sites": Reason(
        Text("该城市有多家机构使用这个别名", "Several places of this city go by that name"),
        Text("请使用目录中的正式名称", "Use its own name in the catalogue"),
    ),
    "stands_alone": Reason(
        Text("填写机构时不能再填区县或等级", "A place stands alone, without district and tier"),
        Text("请清空区县和等级，或清空机构", "Empty district and tier, or the place"),
    ),
    "too_early": Reason(
        Text("生效日期太早", "That day is too early"),
        Text("请检查年份", "Check the year"),
    ),
    "too_far": Reason(
        Text("生效日期太晚", "That day is too far ahead"),
        Text("请检查年份", "Check the year"),
    ),
}


def _read(cells: Cells) -> Statement:
    level = cells.choice("level")
    return Statement(
        kind=cells.choice("kind"),
        province=cells.text("province", longest=50),
        city=cells.text("city", longest=50),
        district=cells.text("district", longest=50) or None,
        tier=cells.choice("tier") or None,
        site=cells.text("site", longest=100) or None,
        level=None if level == TAKEN_BACK else cast(Level, level),
        counts_from=cells.day_or_none("counts_from") or date.min,
    )


def _key(row: Statement) -> str:
    where = (short_place(row.province), short_place(row.city), short_place(row.district or ""), row.tier, row.site)
    return "|".join((row.kind, *(each or "" for each in where), row.counts_from.isoformat()))


def _shares(row: Statement) -> tuple[str, ...]:
    """Two names may be one place's."""
    city = (row.kind, short_place(row.province), short_place(row.city), row.counts_from.isoformat())
    return ("|".join(city),) if row.site else ()


def _apply(session: Session, insurer_id: int, row: Statement, *, now: datetime, source: str) -> str:
    return write_line(session, insurer_id, row, by="system", source=source, now=now).outcome


def _columns() -> tuple[Column, ...]:
    sent = {code: kind.name for code, kind in kinds().items() if kind.traits.dispatch}
    return (
        Column(
            "kind",
            Text("权益", "Benefit"),
            Text("权益的代码或名称。", "The benefit's code or name."),
            next(iter(sent), ""),
            choices=sent,
        ),
        Column("province", Text("省份", "Province"), Text("省、自治区或直辖市。", "The province."), "浙江省"),
        Column("city", Text("城市", "City"), Text("与目录一致，可省略“市”。", "As in the catalogue."), "杭州市"),
        Column(
            "district",
            Text("区县", "District"),
            Text("留空表示全市。", "Empty: the whole city."),
            "西湖区",
            required=False,
        ),
        Column(
            "tier",
            Text("等级", "Tier"),
            Text(
                "留空表示所有等级；unknown 表示未定级。", "Empty: every tier; unknown: those whose tier is not known."
            ),
            "三级甲等",
            required=False,
            choices=_TIERS,
        ),
        Column(
            "site",
            Text("机构", "Place"),
            Text(
                "只针对一家机构时填写目录中的名称，此时区县和等级留空。",
                "The name of one single place; then district and tier stay empty.",
            ),
            "",
            required=False,
        ),
        Column(
            "level",
            Text("覆盖", "Coverage"),
            Text(
                "已覆盖、需申请、未覆盖，或撤回（恢复更宽的行）。",
                "covered, on request, not covered, or taken back: the wider line counts again.",
            ),
            "covered",
            choices=LEVEL_NAMES,
        ),
        Column(
            "counts_from",
            Text("生效日期", "Counts from"),
            Text("从这一天（服务日）起生效。", "The first day, of the service, on which it counts."),
            "2026-01-01",
        ),
    )


COVERAGE: Final = ImportKind[Statement](
    code="coverage",
    name=Text("服务覆盖", "Coverage"),
    about=Text(
        "哪些城市、等级或机构可以派人前往，从哪一天起生效。越具体的行越优先。",
        "Where somebody can be sent: by city, district, tier or place, from a day on. The narrower line counts.",
    ),
    columns=_columns(),
    read=_read,
    key=_key,
    shares=_shares,
    apply=_apply,
    outcomes={
        "added": Outcome(Text("新增", "added")),
        "changed": Outcome(Text("更改", "changed")),
        "unchanged": Outcome(Text("无变化", "unchanged"), changed=False),
    },
    reasons=_REASONS,
)
"""The import of coverage, for the customers of the insurer whose operator asks for it."""
