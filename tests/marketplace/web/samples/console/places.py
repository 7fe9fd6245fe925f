"""The console: entries that may mean one hospital."""

from __future__ import annotations

from booking.places.view import Merged, Pair, PlaceView, Side, Suited
from marketplace.catalog.kinds import kind
from marketplace.catalog.search import SiteView
from marketplace.core.text import Text
from marketplace.web.console.places import page
from marketplace.web.parts import Form
from tests.marketplace.web.samples.console.frame import console_page
from tests.marketplace.web.samples.everyday import Context, at, zh_en


def _whole() -> Side:
    packages = (Text("甄选套餐", "Select package"), Text("臻享套餐", "Premier package"))
    return Side(
        "sit_1", zh_en("浙江示范大学附属文溪医院", "Wenxi Hospital of Zhejiang Demonstration University"),
        (zh_en("文溪医院", "Wenxi Hospital"),), zh_en("浙江省", "Zhejiang"), zh_en("杭州市", "Hangzhou"),
        zh_en("西湖区", "Xihu"), "三级甲等", zh_en("综合/其他", "General"), zh_en("文溪路 8 号", "8 Wenxi Road"), 120.12, 30.27,
        (zh_en("示范大学一院", "First Demonstration Hospital"),), 12,
        tuple((name, Text("和馨体检", "Hexin Health")) for name in packages),
    )  # fmt: skip


def _entry() -> Side:
    return Side(
        "sit_2", zh_en("杭州文溪医院", "Hangzhou Wenxi Hospital"), (), zh_en("浙江省", "Zhejiang"), zh_en("杭州市", "Hangzhou"),
        "", None, zh_en("综合/其他", "General"), "", 120.16, 30.27, (), 1,
        ((Text("入职体检", "Check for new staff"), Text("安和诊所", "Anhe Clinic")),),
    )  # fmt: skip


def _pairs(apart: bool = False) -> tuple[page.PairCard, ...]:
    when = at(11, 20, 9) if apart else None
    sure = Pair("dbl_1", 0.95, ("same_name", "same_address", "near"), 48, _entry(), _whole(), "sit_1", when)
    perhaps = Pair("dbl_2", 0.7, ("alias_of", "far_apart", "other_district"), 3_960, _whole(), _entry(), "sit_1", when)
    return tuple(map(page.pair, (sure, perhaps)))


def _merges() -> tuple[Merged, ...]:
    return (
        Merged("mrg_1", _entry(), _whole().name, at(11, 20, 9), None),
        Merged("mrg_2", _entry(), _whole().name, at(11, 18, 9), at(11, 19, 9)),
    )


def _hits() -> tuple[page.Hit, ...]:
    found = SiteView(
        "sit_2", _entry().name, [], _entry().province, _entry().city, _whole().district, None, "", "", "", _whole().address,
        None, None, "Asia/Shanghai",
    )  # fmt: skip
    return (page.hit(found),)


def console_places(state: str = "open", empty: bool = False) -> Context:
    return console_page(
        "places",
        state=state,
        states=page.filters(state, ""),
        pairs=() if empty or state == "merged" else _pairs(state == "apart"),
        merges=tuple(map(page.merged, _merges()[:1])) if state == "merged" and not empty else (),
        form=Form(
            {"q": "文溪"}, problem=zh_en("另有操作正在进行，请重试。", "Somebody else was faster.") if empty else ""
        ),
        hits=() if empty else None,
        more_url="" if empty else "?cursor=x",
    )


def console_place(bare: bool = False) -> Context:
    reason = kind("health_check").not_at[0].reason
    view = PlaceView(_entry(), "", (), (), ()) if bare else PlaceView(
        _whole(), _entry().name, _merges(), (), (Suited("health_check", reason, False), Suited("health_check", reason, True))
    )  # fmt: skip
    return console_page("places", page=page.place(view), form=Form({"q": "文溪"}), hits=() if bare else _hits())
