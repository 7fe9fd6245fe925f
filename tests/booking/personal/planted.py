"""A whole life of a customer in the database: a row in every table that is about customers, and in every personal
column a value that can be recognised."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select, update

from booking.models import Booking
from booking.reports.share import NewShare, share_report
from booking.states import BookingState
from marketplace.core.database.db import reading, transaction
from providers.reported import ReportItem
from tests.booking.personal.planting.bookings import book
from tests.booking.personal.planting.closings import close
from tests.booking.personal.planting.consultations import promise, talk_with
from tests.booking.personal.planting.escorts import escort
from tests.booking.personal.planting.life import Life
from tests.booking.personal.planting.marks import plant
from tests.booking.personal.planting.messages import write_to
from tests.booking.personal.planting.policies import bring, id_number, insure
from tests.booking.personal.told import tell_deed
from tests.people import NOON
from tests.reports import deliver
from tests.world import World, go
from vip import phones
from vip.customers.consent import record_consent
from vip.customers.family import NewMember, add_member
from vip.models import Beneficiary, SignInSession


def live(world: World, phone: str, mark: str, superuser: str, *, now: datetime = NOON) -> Life:
    """Make the rows, then plant. `mark` is a word of small letters that nothing else has."""
    add_member(
        world.principal,
        NewMember("father", f"{mark}爸", "male", date(1951, 9, 3), f"139{phone[3:]}", id_number(phone)),
        now,
    )
    with reading() as session:
        father = session.scalars(
            select(Beneficiary).where(Beneficiary.customer_id == world.customer.id, Beneficiary.relation == "father")
        ).one()
    life = Life(world, mark, father.public_id)
    with transaction() as session:
        record_consent(session, [father], "phone_code", now=now, phone=mark)
    life.bookings = [world.submit(0, now=now), world.submit(1, now=now)]
    with transaction() as session:
        session.execute(update(Booking).where(Booking.public_id == life.bookings[1]).values(beneficiary_id=father.id))
        session.execute(update(SignInSession).where(SignInSession.customer_id == world.customer.id).values(seen_at=now))
    for number, booking in enumerate(life.bookings):
        go(booking, BookingState.CONFIRMED, BookingState.FULFILLED)
        item = ReportItem(f"{mark}-item-{number}", "1", "x")
        life.reports.append(
            deliver(
                world, booking, reference=f"{mark}-{number}", items=[item], conclusion=f"{mark}-conclusion-{number}"
            )
        )
    share_report(world.principal, life.reports[0], NewShare("doctor", 7, with_code=True), now=now)
    book(life, now)
    close(life, now)
    write_to(life, phone, now)
    insure(life, phone, now)
    bring(life, now)
    talk_with(life, now)
    promise(life, now)
    escort(life, now)
    tell_deed(life.bookings[0], mark, now)
    plant(life, superuser)
    life.values |= {
        ("escort_deed", "sealed"): f"{mark}-told",
        ("report_version", "content_sealed"): f"{mark}-conclusion-0",
        ("customer", "phone_sealed"): phones.normalise(phone),
        ("beneficiary", "phone_sealed"): f"+86139{phone[3:]}",
        ("beneficiary", "id_number_sealed"): id_number(phone),
        ("notice_setting", "email_sealed"): f"{mark}@example.com",
        ("booking", "details_sealed"): f"{mark}-answers",
        ("dispute", "words_sealed"): f"{mark}-words",
        ("dispute", "answer_sealed"): f"{mark}-answer",
        ("delivered_row", "sealed"): f"{mark}-delivered",
        ("conversation_message", "body_sealed"): f"{mark}-said",
        ("rating", "words_sealed"): f"{mark}-rated",
        ("escort_link", "name_sealed"): f"{mark}-follower",
        ("policy", "number_sealed"): f"{mark}-POLICY".upper(),
    }
    return life
