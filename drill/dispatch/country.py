"""An invented country of cities, hospitals, workers and requests: all of it follows from the seed."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from booking.escort.matching.people import Candidate, Duty, Request, Taken
from booking.escort.matching.travel import LARGEST, VERY_LARGE, Stop
from marketplace.catalog.schemas.pieces import LANGUAGES
from marketplace.core.clock import HOME_ZONE
from marketplace.core.sphere import Position

DAY = date(2030, 5, 14)
"""A Tuesday; everything is asked for on it and the day after."""
NOW = datetime(2030, 5, 13, 4, 0, tzinfo=UTC)
WINDOWS = (time(7, 30), time(8), time(8, 30), time(9, 30), time(13), time(13, 30), time(14, 30), time(16))
LENGTHS = (120, 180, 240, 240, 240)
SHIFTS = ((7 * 60, 12 * 60), (7 * 60, 19 * 60), (8 * 60, 20 * 60), (12 * 60, 20 * 60), (6 * 60, 22 * 60))
SCARCITY = 0.35
"""The spread of how many workers cities have for their requests."""
_PROVIDER = 1


@dataclass(frozen=True)
class Size:
    """How many of everything; hospitals are those of each city."""

    requests: int = 1000
    cities: int = 50
    workers: int = 1500
    hospitals: int = 24


@dataclass(frozen=True)
class Country:
    """What there is to give out."""

    seed: int
    size: Size
    requests: Sequence[Request]
    candidates: Sequence[Candidate]


@dataclass(frozen=True)
class City:
    """A city's name and its hospitals; half of them have no coordinates."""

    province: str
    name: str
    hospitals: Sequence[Stop]
    weight: float


def make_country(seed: int, size: Size = Size()) -> Country:
    """The country of a seed. Requests are for two days; workers have some bookings of before already."""
    dice = random.Random(f"{seed}/country")
    cities = [_city(dice, number, size.hospitals) for number in range(size.cities)]
    where = [*cities, *dice.choices(cities, [each.weight for each in cities], k=max(0, size.workers - len(cities)))]
    candidates = [_worker(dice, number, city) for number, city in enumerate(where[: size.workers], 1)]
    here = defaultdict[str, list[int]](list)
    for each in candidates:
        here[each.city].append(each.id)
    requests = [_request(dice, number, dice.choice(cities), here) for number in range(1, size.requests + 1)]
    return Country(seed, size, requests, candidates)


def _city(dice: random.Random, number: int, hospitals: int) -> City:
    known = sorted(LARGEST | VERY_LARGE)
    name = known[number] if number < len(known) else f"示范{number:03d}市"
    middle = Position(dice.uniform(22, 45), dice.uniform(100, 125))
    stops = [
        Stop(number * 1000 + each, _near(dice, middle) if dice.random() < 0.5 else None) for each in range(hospitals)
    ]
    return City(f"示范{number % 31:02d}省", name, stops, dice.lognormvariate(0, SCARCITY))


def _near(dice: random.Random, middle: Position) -> Position:
    return Position(middle.latitude + dice.gauss(0, 0.06), middle.longitude + dice.gauss(0, 0.07))


def _worker(dice: random.Random, number: int, city: City) -> Candidate:
    known = [each.position for each in city.hospitals if each.position]
    languages = {"mandarin", *dice.sample(sorted(LANGUAGES), dice.choice((0, 0, 1, 1, 2)))}
    ratings = dice.choice((0, 0, 3, 40, 400))
    return Candidate(
        id=number,
        public_id=f"esw_{number:020d}",
        provider_id=_PROVIDER,
        name="",
        sex=dice.choices(("female", "male"), (4, 1))[0],
        languages=frozenset(languages),
        province=city.province,
        city=city.name,
        active_from=_at(DAY, time(12)) if dice.random() < 0.03 else _at(date(2030, 1, 1), time()),
        ended_at=_at(DAY, time(18)) if dice.random() < 0.03 else None,
        papers=dice.random() > 0.03,
        home=Stop(None, _near(dice, dice.choice(known)) if known and dice.random() < 0.7 else None),
        duties=_roster(dice),
        absences=_absences(dice),
        taken=_taken_before(dice, number, city),
        knows=frozenset(each.place for each in dice.sample(city.hospitals, min(6, len(city.hospitals))) if each.place),
        stars=round(ratings * dice.uniform(3.5, 5)),
        ratings=ratings,
    )


def _roster(dice: random.Random) -> list[Duty]:
    """One shift on most days; or two, the second of which begins where the first one ends."""
    days = frozenset(dice.sample(range(1, 8), 5))
    start, end = dice.choice(SHIFTS)
    if dice.random() < 0.2:
        noon = (start + end) // 2
        return [Duty(days, start, noon, date(2030, 1, 1)), Duty(days, noon, end, date(2030, 1, 1))]
    return [Duty(days, start, end, date(2030, 1, 1), DAY if dice.random() < 0.05 else None)]


def _absences(dice: random.Random) -> list[tuple[datetime, datetime]]:
    if dice.random() > 0.06:
        return []
    start = _at(DAY, dice.choice(WINDOWS))
    return [(start, start + timedelta(hours=dice.choice((2, 5, 48))))]


def _taken_before(dice: random.Random, number: int, city: City) -> list[Taken]:
    if dice.random() > 0.2:
        return []
    start = _at(DAY + timedelta(days=dice.randrange(2)), dice.choice(WINDOWS))
    end = start + timedelta(minutes=dice.choice(LENGTHS))
    return [Taken(start, end, dice.choice(city.hospitals), f"bkg_before_{number}")]


def _request(dice: random.Random, number: int, city: City, workers: Mapping[str, Sequence[int]]) -> Request:
    """Some of the city's workers have been asked for it already."""
    start = _at(DAY + timedelta(days=dice.randrange(2)), dice.choice(WINDOWS))
    here = workers[city.name]
    said = dice.sample(here, min(len(here), dice.choice((0, 0, 0, 1, 2))))
    return Request(
        booking=f"bkg_{number:020d}",
        provider_id=_PROVIDER,
        province=city.province,
        city=city.name,
        zone=HOME_ZONE,
        starts_at=start,
        ends_at=start + timedelta(minutes=dice.choice(LENGTHS)),
        stop=dice.choice(city.hospitals),
        earliest=NOW,
        language=dice.choice((None, None, None, *LANGUAGES)),
        sex=dice.choice((None, None, "female", "female", "male")),
        declined=frozenset(said[:1]),
        silent=frozenset(said[1:]),
    )


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, ZoneInfo(HOME_ZONE)).astimezone(UTC)
