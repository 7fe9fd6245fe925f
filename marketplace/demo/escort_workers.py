"""The demonstration's escort workers: those of its two escort services, with their week, the hospitals that they know,
and one who is on leave. One of them signs in herself."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from booking.escort.models import EscortWorker
from booking.escort.workers import absence, keep, read, roster, venues
from booking.escort.workers.profile import City, Profile, Sex
from booking.escort.workers.roster import Hours
from booking.idempotency import Repeatable
from marketplace.catalog.models import Provider, Site
from marketplace.core.clock import HOME_ZONE, today
from marketplace.core.database.db import reading
from marketplace.core.text import Text
from marketplace.demo.desk import PASSWORD, DemoMember
from marketplace.demo.escorts import INSTANT, ON_REQUEST, DemoEscorts
from providers.staff.members import add_member
from vip.models import Operator
from vip.operators.operators import LoginTaken
from vip.principal import Member
from vip.signin.signin import require_development

HE = DemoMember("he", "何静", "escort", "陪诊员", "escort worker")
KNOWN = 3
_NURSE, _CARER, _NONE = Text("护理专业", "Nurse"), Text("养老护理员", "Care worker"), Text("", "")
_DAILY, _WORKDAYS, _EARLY = (range(1, 8), 7, 20), (range(1, 6), 8, 18), (range(1, 8), 6, 14)


@dataclass(frozen=True)
class _Demo:
    """A worker of the city with that place in the provider's. `week`: weekdays, first and last hour."""

    city: int
    number: str
    name: str
    sex: Sex
    languages: tuple[str, ...]
    qualification: Text = _NONE
    week: tuple[range, int, int] = _DAILY
    auto: bool = True
    papers: bool = True
    on_leave: bool = False
    member: DemoMember | None = None


_OF: dict[str, tuple[_Demo, ...]] = {
    ON_REQUEST.code: (
        _Demo(0, "AX 0427", "何静", "female", ("mandarin", "cantonese"), _NURSE, member=HE),
        _Demo(0, "AX 0431", "陆萍", "female", ("mandarin", "shanghainese"), _NURSE, _WORKDAYS, auto=False),
        _Demo(0, "AX 0502", "宋原", "male", ("mandarin", "english"), _CARER, auto=False),
        _Demo(0, "AX 0518", "江月", "female", ("mandarin",), _CARER, _EARLY, auto=False, on_leave=True),
        _Demo(1, "AX 0540", "高敏", "female", ("mandarin", "cantonese"), _NURSE, _WORKDAYS, auto=False),
        _Demo(1, "AX 0544", "方文", "male", ("mandarin",), _NONE, _DAILY, auto=False, papers=False),
        _Demo(2, "AX 0551", "林立", "female", ("mandarin", "sichuanese"), _CARER, auto=False),
        _Demo(3, "AX 0560", "白露", "female", ("mandarin",), _NURSE, _WORKDAYS, auto=False),
    ),
    INSTANT.code: (
        _Demo(0, "JP 101", "谢晨", "female", ("mandarin", "cantonese"), _NURSE, auto=False),
        _Demo(0, "JP 104", "罗川", "male", ("mandarin", "hakka"), _CARER, _EARLY, auto=False),
        _Demo(1, "JP 110", "钟晴", "female", ("mandarin", "english"), _NURSE, _WORKDAYS, auto=False),
        _Demo(2, "JP 115", "许安", "female", ("mandarin",), _CARER, auto=False),
    ),
}


def load_escort_workers(now: datetime) -> tuple[DemoMember, ...]:
    """Write the workers of each service down as far as none of that number is there; the services are. Returns the
    sign-ins to print. Raises DevelopmentOnly elsewhere."""
    require_development()
    with suppress(LoginTaken):
        add_member(ON_REQUEST.code, HE.login, PASSWORD, HE.name, HE.role, now=now)
    for service in (ON_REQUEST, INSTANT):
        manager = manager_of(service)
        cities, there = read.cities_for(manager), _numbers(manager)
        for one in _OF[service.code]:
            if one.number not in there and one.city < len(cities):
                _write(manager, one, cities[one.city], now)
    return (HE,)


def manager_of(service: DemoEscorts) -> Member:
    """The manager of a service's desk, as one who has signed in."""
    query = (
        select(Operator.id, Operator.public_id, Operator.provider_id, Provider.public_id.label("desk"))
        .join(Provider, Provider.id == Operator.provider_id)
        .where(Operator.login == service.member.login, Provider.code == service.code)
    )
    with reading() as session:
        found = session.execute(query).one()
    return Member(found.id, found.public_id, found.provider_id, 0, HOME_ZONE, "manager", desk=found.desk)


def _write(manager: Member, one: _Demo, city: City, now: datetime) -> None:
    said = Profile(one.name, one.sex, one.languages, city, one.number, one.qualification, auto=one.auto)
    content = hashlib.sha256(one.number.encode()).digest()
    made = keep.add(manager, said, repeat=Repeatable(f"demonstration:{manager.desk}", one.number, content), now=now)
    if one.papers:
        keep.check_papers(manager, made, seen=now, now=now)
    days, first, last = one.week
    day = today(HOME_ZONE, now)
    roster.add_hours(manager, made, Hours(frozenset(days), first * 60, last * 60, day), now=now)
    for site in _sites(city):
        venues.knows(manager, made, site, now=now)
    if one.on_leave:
        start = datetime.combine(day + timedelta(days=2), time(), ZoneInfo(HOME_ZONE))
        absence.go_away(manager, made, start, start + timedelta(days=5), "leave", now=now)
    if one.member is not None:
        for member in read.free_members(manager):
            keep.link(manager, made, member.id, now=now)


def _numbers(manager: Member) -> frozenset[str | None]:
    with reading() as session:
        numbers = select(EscortWorker.staff_number).where(EscortWorker.provider_id == manager.provider_id)
        return frozenset(session.scalars(numbers))


def _sites(city: City) -> Sequence[str]:
    """The first hospitals of a city, by name."""
    query = (
        select(Site.public_id)
        .where(Site.province == city[0], Site.city == city[1], Site.merged_into.is_(None), Site.closed_at.is_(None))
        .order_by(Site.tier.is_(None), Site.name)
        .limit(KNOWN)
    )
    with reading() as session:
        return session.scalars(query).all()
