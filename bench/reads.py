"""The reads that are measured: how the API is asked, and which statements the product itself sends for it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from urllib.parse import urlencode

from bench import bare, load
from bench.bare import Statement
from bench.data import Loaded, offer_id
from booking.offers import availability
from booking.offers.availability import OfferQuery
from marketplace.catalog.english.pinyin import syllables
from marketplace.catalog.english.sites import english_site
from marketplace.catalog.places import short_place
from marketplace.catalog.search import SiteQuery, search_sites
from marketplace.core import clock

QUESTIONS = 200
DAYS = 14


@dataclass(frozen=True)
class Read:
    """Questions of one kind: the paths to GET, and for each the statements behind it."""

    name: str
    paths: Sequence[str]
    statements: Sequence[Sequence[Statement]]

    def requests(self, loaded: Loaded, how_many: int) -> list[str]:
        """The HTTP messages, customers taking turns."""
        bookers = loaded.bookers
        return [
            load.message("GET", self.paths[n % len(self.paths)], bookers[n % len(bookers)].token)
            for n in range(how_many)
        ]


def slots(loaded: Loaded) -> Read:
    """The times of an offer, two weeks of them: 168 slots."""
    first = clock.today(clock.HOME_ZONE) + timedelta(days=1)
    last = first + timedelta(days=DAYS - 1)
    dice = random.Random(1)
    offers = [offer_id(dice.randrange(loaded.numbers.pools)) for _ in range(QUESTIONS)]
    return Read(
        "GET /offers/{id}/slots, 14 days",
        [f"/api/v1/offers/{one}/slots?" + urlencode({"from": first, "to": last}) for one in offers],
        [bare.statements_of(partial(availability.slots_as_json, one, first, last, now=clock.now())) for one in offers],
    )


def offers(loaded: Loaded) -> Read:
    """The offers of a city with their next free time; the cities with most offers come most often."""
    dice = random.Random(2)
    weights = [1 / (place + 1) for place in range(len(loaded.cities))]
    cities = dice.choices(loaded.cities, weights, k=QUESTIONS)
    return Read(
        "GET /offers?city=…",
        ["/api/v1/offers?" + urlencode({"city": city}) for city in cities],
        [
            bare.statements_of(lambda city=city: availability.search_offers(OfferQuery(city=city), now=clock.now()))  # type: ignore[misc]
            for city in cities
        ],
    )


def sites(loaded: Loaded) -> Read:
    """Words as people type them: whole names, their beginnings, two characters out of the middle."""
    dice = random.Random(3)
    names = [dice.choice(loaded.names) for _ in range(QUESTIONS)]
    words = [(name, name[:4], name[2:4])[place % 3] for place, name in enumerate(names)]
    return Read(
        "GET /sites?q=…",
        ["/api/v1/sites?" + urlencode({"q": word}) for word in words],
        [bare.statements_of(lambda word=word: search_sites(SiteQuery(q=word))) for word in words],  # type: ignore[misc]
    )


def typed(loaded: Loaded) -> Read:
    """Words over the whole country as people type them: another city before the name, pinyin, initials, English, and a
    name with one character wrong, which is looked for once more and more freely."""
    dice = random.Random(4)
    names = [dice.choice(loaded.names) for _ in range(QUESTIONS)]
    words = [_as_typed(name, dice.choice(loaded.cities), place % 6) for place, name in enumerate(names)]
    return Read(
        "GET /sites?q=…, as typed",
        ["/api/v1/sites?" + urlencode({"q": word}) for word in words],
        [bare.statements_of(lambda word=word: search_sites(SiteQuery(q=word))) for word in words],  # type: ignore[misc]
    )


def _as_typed(name: str, city: str, way: int) -> str:
    spelled = syllables(name)
    ways = (
        f"{short_place(city)} {name[-6:-2]}",
        "".join(spelled[:4]),
        "".join(part[0] for part in spelled[:5]),
        english_site(name)[:40],
        f"{name[:2]}错{name[3:]}",
        f"{short_place(city)}三甲医院",
    )
    return ways[way]


READS = (slots, offers, sites, typed)
