"""The desk's services and places: the list, the form of one, and finding a site for a new place."""

from __future__ import annotations

from typing import Any

from booking.capacity_rules.calendars import Pool
from booking.offers.at_desk import OfferLine
from booking.offers.maintain import MaintainedOffer
from marketplace.catalog.kinds import kinds
from marketplace.core.text import Text
from marketplace.web import schema_form
from marketplace.web.desk.offering import forms, offers_page
from marketplace.web.kind_words import kind_name
from marketplace.web.parts import Form
from tests.marketplace.web.samples.desk import desk_page
from tests.marketplace.web.samples.everyday import ZONE, Context, zh_en

SELECT = Text("甄选体检套餐", "Select check-up package")
PACKAGE: dict[str, Any] = {
    "items": [
        {"code": "blood-count", "name_zh": "血常规", "name_en": "Blood count"},
        {"code": "ecg", "name_zh": "心电图", "name_en": "ECG"},
    ],
    "fasting": {"hours": 8, "hint_zh": "检查前八小时不要进食", "hint_en": "Nothing to eat for eight hours before"},
    "sex": "any",
    "age_min": 18,
    "report_days": 5,
}


def _pools() -> list[Pool]:
    site = zh_en("安享示范医院", "Anxiang Demonstration Hospital")
    return [
        Pool(1, "pol_1", "hall", zh_en("体检大厅", "Check-up hall"), site, ZONE, (SELECT,), True),
        Pool(2, "pol_2", "third-floor", "third-floor", site, ZONE, (), True),
    ]


def _line(number: int, *, ended: bool = False, on_sale: bool = True, bookable: bool = True) -> OfferLine:
    pool = _pools()[number % 2]
    names = (
        SELECT,
        Text("女性专项", "Women's check-up"),
        Text("心脑血管专项", "Heart and brain"),
        Text("基础", "Basic"),
    )
    return OfferLine(
        id=f"ofr_{number}",
        reference=f"p{number}",
        benefit="health_check",
        name_zh=names[number].zh,
        name_en=names[number].en,
        pool=pool.id,
        place=pool.name,
        site=pool.site,
        price_minor=68_000 + number * 12_350,
        currency="CNY",
        ended=ended,
        on_sale=on_sale,
        bookable=bookable,
    )


def offers(places: bool = True, rows: bool = True) -> Context:
    lines = [_line(0), _line(1, bookable=False), _line(2, on_sale=False), _line(3, ended=True)]
    return desk_page(
        "offers",
        rows=[offers_page.row(it) for it in lines] if rows else [],
        places=_pools() if places else [],
        following="next" if rows else None,
        first=True,
    )


def kinds_page() -> Context:
    names = (kind_name("health_check"), zh_en("洁牙", "Dental cleaning"))
    return desk_page("offers", links=[(name, "/gallery/desk_offer_new") for name in names])


def offer(new: bool = False, wrong: bool = False, changed: bool = False) -> Context:
    kind, pools = kinds()["health_check"], _pools()
    standing = MaintainedOffer(
        benefit=kind.code,
        pool=pools[0].reference,
        name_zh=SELECT.zh,
        name_en=SELECT.en,
        package=PACKAGE,
        price_minor=68_000,
        currency="CNY",
        lead_minutes=720,
        cancel_hours=24,
        change_hours=24,
        max_changes=3,
        available_from=None,
        available_until=None,
        active=True,
        id="ofr_1",
        reference="select",
        site_id="sit_1",
        version=3,
    )
    values = forms.first_values(kind) if new and not wrong else forms.values_of(kind, standing)
    needed = zh_en("请填写此项。", "This is needed.")
    names = ("name_en", "price", "reference", "package.items", "package.items.1.code", "package.age_min")
    errors = dict.fromkeys(names, needed) if wrong else {}
    problem = zh_en(
        "此服务已被他人修改。以下是最新内容，请重新修改。",
        "Somebody else changed this service meanwhile. This is how it stands now; change it again.",
    )
    return desk_page(
        "offers",
        url="/gallery/desk_offer",
        new=new,
        offer=None if new else standing,
        kind=kind_name(kind.code),
        form=Form({**values, "key": "k"} if new else {**values, "version": "3"}, errors, problem if changed else ""),
        groups=schema_form.drawn(kind.package_schema, forms.PACKAGE, values),
        pools=[(each.reference, f"{each.name} · {each.site}") for each in pools],
        pool=pools[0],
        own_system=wrong,
    )


def place(found: bool = False, wrong: bool = False, searched: bool = False) -> Context:
    sites = [
        ("sit_1", "安享示范医院", "浙江省 杭州市 西湖区 文三路 1 号"),
        ("sit_2", "安享示范医院城东院区", "浙江省 杭州市 上城区 庆春路 9 号"),
    ]
    needed = zh_en("请填写此项。", "This is needed.")
    errors = {"site": needed, "name": needed} if wrong else {}
    return desk_page(
        "offers",
        form=Form({"q": "示范"} if found or searched else {}, errors),
        sites=sites if found else [],
        searched=found or searched,
        more=found,
        longest=255,
    )


def place_name(wrong: bool = False) -> Context:
    errors = {"name": zh_en("最多 80 个字。", "At most 80 characters.")} if wrong else {}
    return desk_page("offers", place=_pools()[0], form=Form({"name": _pools()[0].name}, errors), longest=80)
