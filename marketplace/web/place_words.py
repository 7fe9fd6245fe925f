"""Places, cities and addresses in the reader's language. Chinese is what is stored; English is made from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask

from marketplace.catalog.english.addresses import english_address, english_where
from marketplace.catalog.english.places import city_called, english_place
from marketplace.catalog.english.sites import english_site
from marketplace.catalog.places import short_place
from marketplace.core.text import Text
from marketplace.web.language import ENGLISH, by_language, current


def site_name(name: str, city: str = "", district: str = "", province: str = "") -> str:
    """The name of a place; where it is helps to read it where they are known."""
    return by_language(Text(name, english_site(name, province, city, district)))


def site_of(site: Mapping[str, Any]) -> str:
    """The name of the place of a booking, as its snapshot has it."""
    return site_name(str(site["name"]), str(site.get("city", "")), str(site.get("district", "")))


def city_name(city: str) -> str:
    """`杭州` for 杭州市, in English Hangzhou."""
    return by_language(city_called(city))


def district_name(district: str) -> str:
    """`西湖区`, Xihu District; blank for blank."""
    return by_language(Text(district, english_place(district) if district else ""))


def province_name(province: str) -> str:
    """`浙江省`, Zhejiang; blank for blank."""
    return by_language(Text(province, english_place(province) if province else ""))


def both_names(name: str, city: str = "", district: str = "", province: str = "") -> str:
    """The name of a place as `site_name`; to a reader of English who must know which of several entries it is with the
    Chinese one, since two entries with and without the name of their city have one name in English."""
    return by_language(Text(name, f"{english_site(name, province, city, district)} {name}"))


def where_line(province: str, city: str, district: str, address: str) -> str:
    """District and street of a place in a city that is known already."""
    street = address.removeprefix(province).removeprefix(city).removeprefix(district)
    return by_language(Text(f"{district}{street}", english_address(address, province, city, district)))


def full_address(site: Mapping[str, Any]) -> str:
    """City, district and street of the place of a booking, each once."""
    street, city, district = (str(site.get(name, "")) for name in ("address", "city", "district"))
    english = english_address(street, "", city, district)
    around = english_where("", city, "" if english else district)
    return by_language(Text(_chinese_address(site), ", ".join(part for part in (english, around) if part)))


def for_the_driver(site: Mapping[str, Any]) -> str:
    """Name and address in Chinese, for a reader of English to show on the way; blank for a reader of Chinese."""
    if current() is not ENGLISH:
        return ""
    return " ".join(part for part in (str(site["name"]), _chinese_address(site)) if part)


def init_place_words(app: Flask) -> None:
    """Make the names filters of the templates, under their own names."""
    for function in (site_name, city_name, district_name, province_name):
        app.jinja_env.filters[function.__name__] = function


def _chinese_address(site: Mapping[str, Any]) -> str:
    street, city, district = (str(site.get(name, "")) for name in ("address", "city", "district"))
    return street if short_place(city) in street else "".join((city, district, street))
