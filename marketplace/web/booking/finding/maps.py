"""The way to a place, in the map that the reader has: links that open there, and nothing of theirs here."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from flask_babel import gettext as _

from booking.offers.cards import OfferCard

_SOURCE = "anxiang"


@dataclass(frozen=True)
class Spot:
    """A place on a map: its coordinates (WGS 84), both or neither, else it is found by name, address and city."""

    name: str
    city: str
    address: str
    longitude: float | None
    latitude: float | None


@dataclass(frozen=True)
class MapLink:
    """A map, and its address for the place. `app`: opens whatever map the device has."""

    name: str
    url: str
    app: bool = False


def routes(card: OfferCard) -> tuple[MapLink, ...]:
    """The maps for the place of an offer."""
    return links(Spot(card.site_name, card.city, card.address, card.longitude, card.latitude))


def links(spot: Spot) -> tuple[MapLink, ...]:
    """The map of the device, and the usual ones by name."""
    amap, baidu, apple = _("Amap"), _("Baidu Maps"), _("Apple Maps")
    where = _where(spot)
    if spot.longitude is None or spot.latitude is None:
        region = {"query": spot.name, "region": spot.city, "output": "html", "src": _SOURCE}
        return (
            MapLink(amap, _link("https://uri.amap.com/search", keyword=spot.name, city=spot.city, src=_SOURCE)),
            MapLink(baidu, _link("https://api.map.baidu.com/place/search", **region)),
            MapLink(apple, _link("https://maps.apple.com/", daddr=where)),
            MapLink(_("Another map"), f"geo:0,0?q={quote(where)}", app=True),
        )
    point, turned = f"{spot.latitude:.6f},{spot.longitude:.6f}", f"{spot.longitude:.6f},{spot.latitude:.6f}"
    marker = {"title": spot.name, "content": where, "output": "html", "coord_type": "wgs84", "src": _SOURCE}
    return (
        MapLink(amap, _link("https://uri.amap.com/marker", position=turned, name=spot.name, coordinate="wgs84")),
        MapLink(baidu, _link("https://api.map.baidu.com/marker", location=point, **marker)),
        MapLink(apple, _link("https://maps.apple.com/", daddr=point, q=spot.name)),
        MapLink(_("Another map"), f"geo:{point}?q={point}({quote(spot.name)})", app=True),
    )


def _where(spot: Spot) -> str:
    """`示范机构, 杭州市西湖区文溪路 8 号`; the city alone where no address is known."""
    address = spot.address if spot.address.startswith(spot.city) else spot.city + spot.address
    return f"{spot.name}, {address}"


def _link(address: str, **query: str) -> str:
    return f"{address}?{urlencode(query)}"
