"""Whether a plan is what it says, counted again by loops that know nothing of the product's rules.

Every worker is compared with everybody and everything she has; rosters are minutes of a day, one bit each; ways go
through the angle between two points. Only what was given and what came out is read: no filter, no figure, no order of
the product's is asked.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from drill.judge.books import Difference

EARTH = 6_371_008.8
LARGEST = ("上海市", "北京市", "深圳市", "重庆市", "广州市", "成都市", "天津市")
VERY_LARGE = (
    *("武汉市", "东莞市", "西安市", "杭州市", "佛山市", "南京市", "沈阳市"),
    *("青岛市", "济南市", "长沙市", "哈尔滨市", "郑州市", "昆明市", "大连市"),
)
ORDER = (
    *("not_yet", "left", "papers", "off_duty", "absent", "busy", "travel", "language", "sex"),
    *("declined", "did_not_answer", "replaced"),
)
"""As the decision record states it."""


@dataclass
class Booked:
    """A worker's time at one booking."""

    start: datetime
    end: datetime
    place: Any
    position: Any
    booking: str


@dataclass
class Asked:
    """What is asked for one booking; a copy whose wishes can be changed."""

    start: datetime
    end: datetime
    language: str | None
    sex: str | None
    request: Any


@dataclass
class Recount:
    """What there was, and whom a plan sends: `booked` is each worker's whole time, by her internal id."""

    workers: Sequence[Any]
    requests: Mapping[str, Any]
    booked: dict[int, list[Booked]] = field(default_factory=dict)

    def differences(self, sent: Mapping[str, Any], nobody: Mapping[str, Any]) -> list[Difference]:
        """All that is not as it should be."""
        found = [*self._given_once(sent, nobody)]
        known = [{name: it for name, it in each.items() if name in self.requests} for each in (sent, nobody)]
        return [*found, *self._can_be_there(known[0]), *self._explained(known[1])]

    def _given_once(self, sent: Mapping[str, Any], nobody: Mapping[str, Any]) -> Iterator[Difference]:
        for booking in self.requests:
            if (booking in sent) + (booking in nobody) != 1:
                yield Difference("a request is not answered once", booking)
        for booking in [*sent, *nobody]:
            if booking not in self.requests:
                yield Difference("an answer nobody asked for", booking)

    def _can_be_there(self, sent: Mapping[str, Any]) -> Iterator[Difference]:
        self.booked = defaultdict(list)
        for worker in self.workers:
            for each in worker.taken:
                self.booked[worker.id].append(
                    Booked(each.start, each.end, each.stop.place, each.stop.position, each.booking)
                )
        by_id = {worker.id: worker for worker in self.workers}
        for booking, fit in sent.items():
            it = self.requests[booking]
            self.booked[fit.worker.id].append(
                Booked(it.starts_at, it.ends_at, it.stop.place, it.stop.position, booking)
            )
        for booking, fit in sent.items():
            worker, it = by_id[fit.worker.id], self.requests[booking]
            if worker.provider_id != it.provider_id or not in_city(worker, it):
                yield Difference("somebody of another city or provider is sent", booking)
            stand = self.reasons(worker, as_asked(it), leave_out=booking)
            if stand:
                yield Difference("somebody is sent who can't be", booking, {"worker": worker.public_id, "why": stand})
            if sum(each.points for each in fit.why) != fit.score:
                yield Difference("points don't add up", booking)

    def _explained(self, nobody: Mapping[str, Any]) -> Iterator[Difference]:
        for booking, match in nobody.items():
            it = self.requests[booking]
            here = [each for each in self.workers if each.provider_id == it.provider_id and in_city(each, it)]
            counts: dict[str, int] = {}
            for worker in here:
                stand = self.reasons(worker, as_asked(it))
                first = stand[0] if stand else "fits"
                counts[first] = counts.get(first, 0) + 1
            told = {str(code): number for code, number in match.counts.items()}
            if told != counts or sum(told.values()) != len(here) or match.in_city != len(here):
                yield Difference("an explanation counts otherwise", booking, {"told": told, "counted": counts})
            yield from self._helped(booking, match, here)

    def _helped(self, booking: str, match: Any, here: Sequence[Any]) -> Iterator[Difference]:
        it = self.requests[booking]
        nearest: tuple[str, Asked, int] | None = None
        for wish, asked in wishes(it):
            could = sum(not self.reasons(worker, asked) for worker in here)
            if could:
                nearest = wish, asked, could
                break
        said = match.relaxation
        told = said and (said.wish, said.request.starts_at, said.request.language, said.request.sex, said.could)
        found = nearest and (nearest[0], nearest[1].start, nearest[1].language, nearest[1].sex, nearest[2])
        if told != found:
            yield Difference("another change would be the nearest", booking, {"told": told, "found": found})
        lacks = [self.reasons(worker, as_asked(it)) for worker in here]
        if nearest is None and here and list(map(str, match.missing)) not in lacks:
            yield Difference("what is missing is missing nobody", booking, {"told": list(match.missing)})
        if nearest is None and here and len(match.missing) != min(map(len, lacks)):
            yield Difference("somebody misses less", booking, {"told": list(match.missing)})

    def reasons(self, worker: Any, asked: Asked, leave_out: str = "") -> list[str]:
        """All that stands against sending her, in ORDER."""
        it, found = asked.request, []
        zone = ZoneInfo(it.zone)
        if asked.start < worker.active_from:
            found.append("not_yet")
        if worker.ended_at is not None and asked.end > worker.ended_at:
            found.append("left")
        if not worker.papers:
            found.append("papers")
        if not on_duty(worker, asked.start, asked.end, zone):
            found.append("off_duty")
        if any(max(asked.start, start) < min(asked.end, end) for start, end in worker.absences):
            found.append("absent")
        busy = far = False
        for each in self.booked[worker.id]:
            if each.booking == leave_out:
                continue
            if max(asked.start, each.start) < min(asked.end, each.end):
                busy = True
                continue
            gap = max(asked.start - each.end, each.start - asked.end)
            if gap < timedelta(seconds=way(each, it.stop, worker.city)):
                far = True
        found += ["busy"] * busy + ["travel"] * far
        if asked.language and asked.language not in worker.languages:
            found.append("language")
        if asked.sex and asked.sex != worker.sex:
            found.append("sex")
        for name, said in (("declined", it.declined), ("did_not_answer", it.silent), ("replaced", it.replaced)):
            if worker.id in said:
                found.append(name)
        return found


def in_city(worker: Any, request: Any) -> bool:
    """Whether she works where it is asked for."""
    return bool(worker.city == request.city and worker.province == request.province)


def as_asked(request: Any) -> Asked:
    """The request as it is."""
    return Asked(request.starts_at, request.ends_at, request.language, request.sex, request)


def wishes(request: Any) -> Iterator[tuple[str, Asked]]:
    """Every change of one wish in the order of nearness: half an hour and an hour either way, the sex, the language,
    other times of the day in half hours from 6:00 to 20:00."""
    zone = ZoneInfo(request.zone)
    length, local = request.ends_at - request.starts_at, request.starts_at.astimezone(zone)
    times = []
    for minutes in range(30, 24 * 60, 30):
        for shift in (-minutes, minutes):
            start = request.starts_at + timedelta(minutes=shift)
            clock = start.astimezone(zone)
            at = clock.hour * 60 + clock.minute
            if clock.date() == local.date() and 6 * 60 <= at <= 20 * 60 and start >= request.earliest:
                times.append((minutes, Asked(start, start + length, request.language, request.sex, request)))
    yield from (("time", asked) for minutes, asked in times if minutes <= 60)
    if request.sex:
        yield "sex", Asked(request.starts_at, request.ends_at, request.language, None, request)
    if request.language:
        yield "language", Asked(request.starts_at, request.ends_at, None, request.sex, request)
    yield from (("time", asked) for minutes, asked in times if minutes > 60)


def on_duty(worker: Any, start: datetime, end: datetime, zone: ZoneInfo) -> bool:
    """Whether every minute of it is on her roster."""
    day = start.astimezone(zone).date()
    while True:
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
        if midnight >= end:
            return True
        free = 0
        for duty in worker.duties:
            in_force = duty.valid_from <= day and (duty.valid_until is None or day <= duty.valid_until)
            if in_force and day.isoweekday() in duty.weekdays:
                free |= _minutes(duty.start_minute, duty.end_minute)
        first = max(0, math.floor((start - midnight).total_seconds() / 60))
        last = min(24 * 60, math.ceil((end - midnight).total_seconds() / 60))
        if _minutes(first, last) & ~free:
            return False
        day += timedelta(days=1)


def _minutes(first: int, last: int) -> int:
    return (1 << last) - (1 << first) if last > first else 0


def way(one: Booked, stop: Any, city: str) -> int:
    """Seconds between two stops, by the constants of the decision record."""
    if one.place is not None and one.place == stop.place:
        return 600
    if one.position is None or stop.position is None:
        return 3600 if city in LARGEST else 3000 if city in VERY_LARGE else 2400
    return 900 + math.ceil(round(_metres(one.position, stop.position)) * 1.4 / (20_000 / 3600))


def _metres(one: Any, other: Any) -> float:
    a, b = _on_sphere(one), _on_sphere(other)
    cross = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    return EARTH * math.atan2(math.hypot(*cross), sum(x * y for x, y in zip(a, b, strict=True)))


def _on_sphere(it: Any) -> tuple[float, float, float]:
    north, east = math.radians(it.latitude), math.radians(it.longitude)
    return math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)
