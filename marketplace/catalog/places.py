"""What people call Chinese places, their official names, and the tiers that places have."""

from __future__ import annotations

TIERS = (
    "三级特等", "三级甲等", "三级乙等", "三级丙等", "三级",
    "二级甲等", "二级乙等", "二级丙等", "二级",
    "一级甲等", "一级乙等", "一级丙等", "一级",
)  # fmt: skip

_ENDS = ("特别行政区", "自治区", "自治州", "地区", "省", "市", "盟", "州", "区", "县")

# The autonomous prefectures, by what they are called without their peoples' names.
_PREFECTURES = {
    "延边": "延边朝鲜族自治州", "恩施": "恩施土家族苗族自治州", "湘西": "湘西土家族苗族自治州",
    "阿坝": "阿坝藏族羌族自治州", "甘孜": "甘孜藏族自治州", "凉山": "凉山彝族自治州",
    "黔西南": "黔西南布依族苗族自治州", "黔东南": "黔东南苗族侗族自治州", "黔南": "黔南布依族苗族自治州",
    "楚雄": "楚雄彝族自治州", "红河": "红河哈尼族彝族自治州", "文山": "文山壮族苗族自治州",
    "西双版纳": "西双版纳傣族自治州", "大理": "大理白族自治州", "德宏": "德宏傣族景颇族自治州",
    "怒江": "怒江傈僳族自治州", "迪庆": "迪庆藏族自治州", "临夏": "临夏回族自治州",
    "甘南": "甘南藏族自治州", "海北": "海北藏族自治州", "黄南": "黄南藏族自治州",
    "海南": "海南藏族自治州", "果洛": "果洛藏族自治州", "玉树": "玉树藏族自治州",
    "海西": "海西蒙古族藏族自治州", "昌吉": "昌吉回族自治州", "博尔塔拉": "博尔塔拉蒙古自治州",
    "巴音郭楞": "巴音郭楞蒙古自治州", "克孜勒苏": "克孜勒苏柯尔克孜自治州", "伊犁": "伊犁哈萨克自治州",
}  # fmt: skip


def short_place(name: str) -> str:
    """A place without its rank and peoples: 北京市 is 北京, 大理白族自治州 is 大理; two characters remain at least."""
    for short, official in _PREFECTURES.items():
        if name == official:
            return short
    for end in _ENDS:
        if name.endswith(end) and len(name) - len(end) >= 2:
            return name[: -len(end)]
    return name


def official_names(name: str) -> list[str]:
    """The official names that a city or district called `name` may have, itself among them."""
    called = [name, *(name + rank for rank in ("市", "区", "县", "州", "盟", "地区", "林区", "新区"))]
    return [*called, _PREFECTURES[name]] if name in _PREFECTURES else called
