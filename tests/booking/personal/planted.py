"""A whole life of a customer in the database: a row in every table that is about customers, and in every personal
column a value that can be recognised."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import delete, insert, select, update

from booking.attendance.models import Dispute
from booking.closures.models import SiteClosure, SiteClosureItem
from booking.feeds.models import DeliveredRow
from booking.models import Booking, ChangeRequest, Discrepancy, ProviderBooking, ProviderTask
from booking.notices.models import NoticeSetting, Notification, NotificationDelivery
from booking.personal.register import Table
from booking.personal.scope import Scope, of_customer
from booking.personal.tables import OF_CUSTOMERS
from booking.proposal import Proposal
from booking.reconcile.models import BookingLookUp
from booking.reports.share import NewShare, share_report
from booking.sealing import seal_details, seal_words
from booking.settlement.models import ClosingStatement, StatementLine
from booking.states import BookingState
from booking.waiting.models import WaitingEntry, WaitingOffer, WaitingPlace
from marketplace.core import crypto
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from providers.reported import ReportItem
from tests.people import NOON
from tests.reports import deliver
from tests.world import World, go
from vip import phones
from vip.customers import email_address, id_numbers
from vip.customers.consent import record_consent
from vip.customers.family import NewMember, add_member
from vip.customers.person_keys import PROCESS, key_of
from vip.models import Beneficiary, SignInCode, SignInSession

_SAYS_WHOSE = ("audit_line", "subject")


@dataclass
class Life:
    """A customer and her father, who agreed that she sees his reports; `values`: what was planted where, by table and
    column, `paper` is in the PDF."""

    world: World
    mark: str
    father: str
    bookings: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    values: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def customer(self) -> int:
        return self.world.customer.id


def live(world: World, phone: str, mark: str, superuser: str, *, now: datetime = NOON) -> Life:
    """Make the rows, then plant. `mark` is a word of small letters that nothing else has."""
    add_member(
        world.principal,
        NewMember("father", f"{mark}爸", "male", date(1951, 9, 3), f"139{phone[3:]}", _id_number(phone)),
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
    _rest(life, phone, now)
    _plant(life, superuser)
    life.values |= {
        ("report_version", "content_sealed"): f"{mark}-conclusion-0",
        ("customer", "phone_sealed"): phones.normalise(phone),
        ("beneficiary", "phone_sealed"): f"+86139{phone[3:]}",
        ("beneficiary", "id_number_sealed"): _id_number(phone),
        ("notice_setting", "email_sealed"): f"{mark}@example.com",
        ("booking", "details_sealed"): f"{mark}-answers",
        ("dispute", "words_sealed"): f"{mark}-words",
        ("dispute", "answer_sealed"): f"{mark}-answer",
        ("delivered_row", "sealed"): f"{mark}-delivered",
    }
    return life


def _id_number(phone: str) -> str:
    """Another one for each phone."""
    first = f"110105195109030{phone[-1]}1"
    return first + id_numbers.check_character(first)


def _rest(life: Life, phone: str, now: datetime) -> None:
    """What the product makes in other circumstances."""
    world, mark = life.world, life.mark
    with transaction() as session:
        booking = session.scalars(select(Booking).where(Booking.public_id == life.bookings[0])).one()
        person = session.get_one(Beneficiary, booking.beneficiary_id)
        booking.details_sealed = seal_details(
            {"note": f"{mark}-answers"}, key_of(session, person, PROCESS), booking.public_id
        )
        slot = world.slots[2]
        dispute, case = new_id("dsp"), new_id("dis")

        def words(what: str) -> bytes:
            record = f"dispute:{dispute}:{what}"
            return seal_words(
                f"{mark}-{'words' if what == 'words' else 'answer'}", key_of(session, person, PROCESS), record
            )

        opened = Discrepancy(
            public_id=case,
            provider_id=world.provider.id,
            kind="x",
            subject=mark,
            booking_id=booking.id,
            opened_at=now,
            closed_at=now,
        )
        session.add_all(
            [
                opened,
                Dispute(
                    public_id=dispute,
                    booking_id=booking.id,
                    state="accepted",
                    words_sealed=words("words"),
                    answer_sealed=words("answer"),
                    opened_at=now,
                    closed_at=now,
                ),
                ChangeRequest(
                    public_id=new_id("chg"),
                    booking_id=booking.id,
                    kind="reschedule",
                    state="done",
                    actor_kind="customer",
                    actor=world.principal.public_id,
                    new_slot_id=slot.id,
                    new_service_date=slot.service_date,
                    new_starts_at=slot.starts_at,
                    new_ends_at=slot.ends_at,
                    asked_at=now,
                    answer_due_at=now,
                    closed_at=now,
                ),
                Proposal(
                    public_id=new_id("prp"),
                    booking_id=booking.id,
                    slot_ref="s",
                    service_date=slot.service_date,
                    starts_at=slot.starts_at,
                    ends_at=slot.ends_at,
                    expires_at=now,
                    state="declined",
                    made_at=now,
                    closed_at=now,
                ),
                BookingLookUp(
                    booking_id=booking.id,
                    provider_id=world.provider.id,
                    asked_at=now,
                    answered_at=now,
                    calls=1,
                ),
                ProviderBooking(
                    provider_id=world.provider.id,
                    reference=f"{mark}-ref",
                    booking_id=booking.id,
                    role="superseded",
                    status="x",
                    seen_at=now,
                    our_reference="x",
                ),
                SignInCode(
                    insurer_id=world.customer.insurer_id,
                    phone_index=phones.index(phones.normalise(phone)),
                    purpose="sign_in",
                    customer_id=world.customer.id,
                    code_hash=b"hash",
                    created_at=now,
                    expires_at=now,
                    used_at=now,
                ),
            ]
        )
        session.execute(
            update(ProviderTask)
            .where(ProviderTask.booking_id == booking.id)
            .values(first_sent_at=now, finished_at=now, state="done")
        )
        session.flush()
        wrapped = crypto.new_wrapped_key(f"{case}:delivered")
        key = crypto.unwrap_key(wrapped, f"{case}:delivered")
        sealed = crypto.seal(f"{mark}-delivered".encode(), key=key, record=f"{case}:delivered")
        session.add(DeliveredRow(discrepancy_id=opened.id, stored_at=now, wrapped_key=wrapped, sealed=sealed))
        entry = WaitingEntry(
            public_id=new_id("wtg"),
            insurer_id=world.customer.insurer_id,
            customer_id=world.customer.id,
            beneficiary_id=person.id,
            entitlement_id=world.entitlement.id,
            kind="health_check",
            number=1,
            first_day=slot.service_date,
            last_day=slot.service_date,
            weekdays=1,
            from_hour=0,
            until_hour=24,
            hours_before=1,
            auto_book=False,
            state="ended",
            closes_at=now,
            created_at=now,
            updated_at=now,
        )
        statement = ClosingStatement(
            public_id=new_id("stm"),
            provider_id=world.provider.id,
            insurer_id=world.customer.insurer_id,
            day=booking.service_date + timedelta(days=world.customer.id),
            time_zone="Asia/Shanghai",
            made_at=now,
            content={},
        )
        closure = SiteClosure(
            public_id=new_id("clo"),
            insurer_id=world.customer.insurer_id,
            site_id=world.offer.site_id,
            from_day=booking.service_date,
            mode="cancel",
            state="withdrawn",
            actor="x",
            asked_at=now,
        )
        notice = Notification(
            public_id=new_id("ntc"),
            customer_id=world.customer.id,
            booking_id=booking.id,
            kind="x",
            subject=mark,
            created_at=now,
            read_at=now,
        )
        session.add_all([entry, statement, closure, notice])
        session.flush()
        session.add_all(
            [
                WaitingPlace(
                    entry_id=entry.id,
                    offer_id=world.offer.id,
                    pool_id=world.offer.pool_id,
                    beneficiary_id=person.id,
                    open=False,
                ),
                WaitingOffer(
                    entry_id=entry.id,
                    slot_id=slot.id,
                    booking_id=booking.id,
                    until=now,
                    outcome="booked",
                    made_at=now,
                    closed_at=now,
                ),
                StatementLine(
                    statement_id=statement.id,
                    booking_id=booking.id,
                    state="fulfilled",
                    service_date=booking.service_date,
                    units=1,
                    amount_minor=1,
                    currency="CNY",
                    correction=False,
                ),
                SiteClosureItem(closure_id=closure.id, booking_id=booking.id, outcome="kept", at=now),
                NotificationDelivery(
                    notification_id=notice.id,
                    channel="sms",
                    key=new_id("dlv"),
                    state="sent",
                    run_after=now,
                    finished_at=now,
                ),
            ]
        )
        session.execute(delete(NoticeSetting).where(NoticeSetting.customer_id == world.customer.id))
        session.execute(
            insert(NoticeSetting).values(
                customer_id=world.customer.id,
                email_sealed=email_address.seal(f"{mark}@example.com", world.customer.public_id),
                email_confirmed_at=now,
                quiet_from=time(21),
                feed_hash=crypto.token_hash(mark),
                feed_made_at=now,
                updated_at=now,
            )
        )


def _plant(life: Life, superuser: str) -> None:
    """Write a mark into every text and JSON of a personal column that takes one; codes and dates stay what they are."""
    scope = of_customer(life.customer)
    with _unguarded(superuser) as connection:
        kinds = _kinds(connection)
        for table in OF_CUSTOMERS:
            for column, _it in table.exported():
                kind = kinds[table.name, column]
                if kind not in ("text", "jsonb") or column == "public_id" or (table.name, column) == _SAYS_WHOSE:
                    continue
                value = f"{life.mark}-{table.name}-{column}"
                if _write(connection, table, column, scope, Jsonb({"planted": value}) if kind == "jsonb" else value):
                    life.values[table.name, column] = value


def _write(connection: psycopg.Connection[Any], table: Table, column: str, scope: Scope, value: object) -> bool:
    where = scope.where(table)
    for name in ("customer", "person"):
        where = where.replace(f":{name}", f"%({name})s")
    query = sql.SQL("UPDATE {} t SET {} = %(value)s WHERE " + where).format(  # type: ignore[arg-type]
        sql.Identifier(table.name), sql.Identifier(column)
    )
    try:
        with connection.transaction():
            return connection.execute(query, {**scope.values, "value": value}).rowcount > 0
    except (psycopg.errors.CheckViolation, psycopg.errors.UniqueViolation):
        return False


def _kinds(connection: psycopg.Connection[Any]) -> dict[tuple[str, str], str]:
    found = connection.execute(
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"
    ).fetchall()
    return {(table, column): kind for table, column, kind in found}


@contextmanager
def _unguarded(superuser: str) -> Iterator[psycopg.Connection[Any]]:
    """A superuser's connection on which no trigger looks: it writes what nobody else may."""
    with psycopg.connect(superuser) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.commit()
        yield connection
