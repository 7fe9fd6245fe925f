"""The provinces by region, as maps and forms of China group them."""

from __future__ import annotations

from marketplace.core.text import Text

REGIONS: tuple[tuple[Text, tuple[str, ...]], ...] = (
    (Text("华北", "North China"), ("北京市", "天津市", "河北省", "山西省", "内蒙古自治区")),
    (Text("东北", "Northeast"), ("辽宁省", "吉林省", "黑龙江省")),
    (Text("华东", "East China"), ("上海市", "江苏省", "浙江省", "安徽省", "福建省", "江西省", "山东省", "台湾省")),
    (Text("华中", "Central China"), ("河南省", "湖北省", "湖南省")),
    (Text("华南", "South China"), ("广东省", "广西壮族自治区", "海南省", "香港特别行政区", "澳门特别行政区")),
    (Text("西南", "Southwest"), ("重庆市", "四川省", "贵州省", "云南省", "西藏自治区")),
    (Text("西北", "Northwest"), ("陕西省", "甘肃省", "青海省", "宁夏回族自治区", "新疆维吾尔自治区")),
)
ELSEWHERE = Text("其他", "Elsewhere")

MUNICIPALITIES = ("北京市", "天津市", "上海市", "重庆市", "香港特别行政区", "澳门特别行政区")
"""Provinces that are one city."""
