"""Open a provider's test mode: its twin, and the test customers who can book with the twin alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, count

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.actors import Actor
from booking.twins.hours import copy_hours, publish_hours
from marketplace.catalog.kinds import kinds
from marketplace.catalog.models import CapacityPool, Insurer, Offer, Provider
from marketplace.core import audit, clock
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import NotFound, Refusal
from marketplace.core.ids import new_id
from marketplace.core.logging import get_logger
from providers.registry import answering_here
from vip import phones
from vip.customers.family import NewMember, new_beneficiary
from vip.entitlements.grants import Grant, grant
from vip.entitlements.ledger import Stamp
from vip.models import Customer

log = get_logger(__name__)

_LONGEST_CODE = 32
_FOR_GOOD = date(2099, 12, 31)
_TERMS = (
    *("kind", "external_ref", "name_zh", "name_en", "package", "price_minor", "currency", "lead_minutes"),
    *("cancel_hours", "change_hours", "max_changes", "available_from", "available_until", "site_id"),
    "active",
)
"""What an offer of the twin has from the live one."""
_AGREED = ("time_zone", "allotment", "settle_window_seconds", "answer_hours", "no_show_hours", "look_ups_a_minute")
"""What the twin has from the live provider."""

_PEOPLE = (
    ("测试客户一 Test 1", "female", date(1988, 4, 12)),
    ("测试客户二 Test 2", "male", date(1969, 9, 3)),
    ("测试客户三 Test 3", "female", date(1996, 12, 24)),
)
"""The test customers: name, sex and birth date of each."""


class IsATwin(Refusal):
    """The provider is a twin: it is test mode itself."""

    code = "is_a_twin"


@dataclass(frozen=True)
class Twin:
    """A provider's twin: internal id (which is its market), public id and code."""

    id: int
    public_id: str
    code: str


def twin_of(provider_id: int) -> Twin | None:
    """The twin of a live provider, None before its test mode was opened."""
    with reading() as session:
        return _twin(session, provider_id)


def open_test_mode(provider_id: int, by: Actor, now: datetime) -> Twin:
    """The provider's twin with three test customers, made the first time that it is asked for. Audited.

    It begins with the live provider's terms, with copies of its pools and offers of now, and with the hours of its
    calendar; slots that its program publishes are not copied. From then on each goes its own way. It answers by the
    partner API or at its desk, also where the live one has a system that we call: nothing of a test reaches that. A
    test system of its own is connected as any provider's is (booking.calls.join).

    Raises NotFound(field="provider"), IsATwin.
    """
    with transaction() as session:
        live = session.scalar(select(Provider).where(Provider.id == provider_id).with_for_update(key_share=True))
        if live is None:
            raise NotFound(field="provider")
        if live.test:
            raise IsATwin()
        found = _twin(session, live.id)
        if found is not None:
            return found
        twin = _add_twin(session, live)
        filled = copy_hours(session, _copy_offers(session, live, twin), by.id, now)
        _add_customers(session, twin, by, now)
        audit.record(
            session,
            "provider.test_mode_opened",
            at=now,
            actor_kind=by.kind,
            actor=by.id,
            subject=live.public_id,
            twin=twin.public_id,
        )
        made = Twin(twin.id, twin.public_id, twin.code)
    log.info("twin.made", provider=live.code, twin=made.code)
    publish_hours(filled, now)
    return made


def _twin(session: Session, provider_id: int) -> Twin | None:
    row = session.execute(
        select(Provider.id, Provider.public_id, Provider.code).where(Provider.twin_of == provider_id)
    ).one_or_none()
    return None if row is None else Twin(row.id, row.public_id, row.code)


def _add_twin(session: Session, live: Provider) -> Provider:
    adapter = live.adapter if live.adapter in answering_here() else "partner"
    twin = Provider(
        public_id=new_id("prv"),
        code=_free_code(session, live.code),
        name_zh=f"{live.name_zh}（测试）",
        name_en=f"{live.name_en} (test)",
        adapter=adapter,
        base_url="",
        twin_of=live.id,
        **{name: getattr(live, name) for name in _AGREED},
    )
    session.add(twin)
    session.flush()
    return twin


def _free_code(session: Session, live: str) -> str:
    """`CODE-test`, or with a number where a provider has that code already; as long as a code may be."""
    for code in _codes(live):
        if session.scalar(select(Provider.id).where(Provider.code == code)) is None:
            return code
    raise AssertionError("there is always one more number")


def _codes(live: str) -> Iterator[str]:
    for end in chain(("-test",), (f"-test{number}" for number in count(2))):
        yield live[: _LONGEST_CODE - len(end)].rstrip("-") + end


def _copy_offers(session: Session, live: Provider, twin: Provider) -> dict[int, int]:
    """Copies of what the live one offers, on sale or not, and of the pools it draws on, under the same references and
    names; returns which pool is the copy of which, by internal ids."""
    sold = session.scalars(select(Offer).where(Offer.provider_id == live.id).order_by(Offer.id)).all()
    pools = session.scalars(
        select(CapacityPool).where(CapacityPool.id.in_({offer.pool_id for offer in sold})).order_by(CapacityPool.id)
    ).all()
    copies = {
        pool.id: CapacityPool(
            public_id=new_id("pol"),
            provider_id=twin.id,
            site_id=pool.site_id,
            external_ref=pool.external_ref,
            name=pool.name,
        )
        for pool in pools
    }
    session.add_all(copies.values())
    session.flush()
    session.add_all(
        Offer(
            public_id=new_id("ofr"),
            provider_id=twin.id,
            pool_id=copies[offer.pool_id].id,
            **{name: getattr(offer, name) for name in _TERMS},
        )
        for offer in sold
    )
    session.flush()
    return {live_id: copy.id for live_id, copy in copies.items()}


def _add_customers(session: Session, twin: Provider, by: Actor, now: datetime) -> None:
    """The twin's own insurer, so that no other provider sees its test customers, and the customers with benefits of
    every kind, without limit."""
    insurer = Insurer(
        public_id=new_id("ins"),
        code=f"test-{twin.public_id}",
        name_zh=twin.name_zh,
        name_en=twin.name_en,
        time_zone=twin.time_zone,
        twin_id=twin.id,
    )
    session.add(insurer)
    session.flush()
    today = clock.today(insurer.time_zone, now)
    stamp = Stamp(now, by.kind, by.id, "test mode")
    for number, (name, sex, born) in enumerate(_PEOPLE, 1):
        customer = Customer(
            public_id=new_id("cus"), insurer_id=insurer.id, insurer=insurer, tier="test", name=name, created_at=now
        )
        phones.assign(session, customer, f"+000{number:07}")  # no number begins so: nobody can sign in with it
        session.add(new_beneficiary(customer, NewMember("self", name, sex, born)))
        session.flush()
        for kind in kinds():
            grant(session, customer, Grant(kind, None, today, _FOR_GOOD), stamp)
