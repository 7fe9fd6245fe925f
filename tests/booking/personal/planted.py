"""A whole life of a customer in the database: a row in every table that is about customers, and in every personal
column a value that can be recognised."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from booking.attendance.models import Dispute
from booking.capacity_rules.models import CapacityChange, CapacityChangeItem
from booking.closures.models import SiteClosure, SiteClosureItem
from booking.consultation import pictures, say
from booking.consultation.assigning.models import (
    ConversationChoice,
    ConversationEscalation,
    ConversationHandover,
    ConversationOffer,
)
from booking.consultation.at_desk import notes
from booking.consultation.models import (
    Conversation,
    ConversationMessage,
    ConversationNote,
    ConversationPicture,
    ConversationRead,
)
from booking.consultation.outside import lines
from booking.consultation.outside.models import ConversationDelivery, ConversationLine
from booking.coverage.models import CoverageWish
from booking.discrepancies import Discrepancy
from booking.escort import known_by
from booking.escort.following.links import name_record
from booking.escort.following.models import EscortLink
from booking.escort.models import EscortAssignment, EscortSearch, EscortWorker
from booking.escort.outside.lines import record_of
from booking.feeds.models import DeliveredRow
from booking.finding.models import FavouriteSite
from booking.listening import EscortLineTaken, EscortListening
from booking.models import Booking, ChangeRequest, ProviderBooking, ProviderTask
from booking.notices.models import NoticeSetting, Notification, NotificationDelivery
from booking.personal.register import Table
from booking.personal.scope import Scope, of_customer
from booking.personal.tables import OF_CUSTOMERS
from booking.pledges.models import Pledge, PledgeCompensation
from booking.proposal import Proposal
from booking.ratings import rate
from booking.ratings.models import Rating
from booking.reconcile.models import BookingLookUp
from booking.reports.share import NewShare, share_report
from booking.sealing import seal_details, seal_words
from booking.settlement.models import ClosingStatement, StatementLine
from booking.states import BookingState
from booking.waiting.models import WaitingEntry, WaitingOffer, WaitingPlace
from marketplace.clients.credentials import add_client, fingerprint, operator
from marketplace.clients.models import ApiClient
from marketplace.clients.owners import INSURERS
from marketplace.core import crypto
from marketplace.core.config import settings
from marketplace.core.database.db import reading, transaction
from marketplace.core.ids import new_id
from providers.reported import ReportItem
from providers.staff.models import ClinicianShift
from tests.booking.personal.told import tell_deed
from tests.people import NOON
from tests.policies import policy_facts, put
from tests.reports import deliver
from tests.world import World, go
from vip import phones
from vip.customers import email_address, id_numbers
from vip.customers.consent import record_consent
from vip.customers.family import NewMember, add_member
from vip.customers.person_keys import MEDICAL, PROCESS, key_of
from vip.insurers.models import SignInLink
from vip.models import Beneficiary, Operator, SignInCode, SignInSession
from vip.policies.facts import InsuredFacts
from vip.policies.models import Policy, PolicySnapshot, VanishedPolicy

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
    _insure(life, phone, now)
    _bring(life, now)
    _talk(life, now)
    _promise(life, now)
    _escort(life, now)
    tell_deed(life.bookings[0], mark, now)
    _plant(life, superuser)
    life.values |= {
        ("escort_deed", "sealed"): f"{mark}-told",
        ("report_version", "content_sealed"): f"{mark}-conclusion-0",
        ("customer", "phone_sealed"): phones.normalise(phone),
        ("beneficiary", "phone_sealed"): f"+86139{phone[3:]}",
        ("beneficiary", "id_number_sealed"): _id_number(phone),
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


def _id_number(phone: str) -> str:
    """Another one for each phone."""
    first = f"110105195109030{phone[-1]}1"
    return first + id_numbers.check_character(first)


def _insure(life: Life, phone: str, now: datetime) -> None:
    """A policy of two versions: the second one insures her father alone."""
    herself = InsuredFacts("沈静宜", date(1988, 4, 12), "female", "self")
    father = InsuredFacts(f"{life.mark}爸", date(1951, 9, 3), "male", "father", _id_number(phone))
    first = policy_facts(
        key=f"{life.mark}-key",
        number=f"{life.mark}-policy",
        holder_phone=phone,
        in_force_until=date(2066, 1, 1),
        insured=(herself, father),
    )
    put(first, insurer_id=life.world.customer.insurer_id, now=now)
    put(replace(first, version=2, insured=(father,)), insurer_id=life.world.customer.insurer_id, now=now)


def _bring(life: Life, now: datetime) -> None:
    """Her insurer's app made a link for her, and a snapshot forgot her policy for a while."""
    insurer_id = life.world.customer.insurer_id
    made = add_client(settings().insurer_code, life.mark, ["customers"], by=operator("test", INSURERS), now=now)
    with transaction() as session:
        policy = session.scalars(select(Policy).where(Policy.customer_id == life.customer)).one()
        client = session.scalars(select(ApiClient).where(ApiClient.public_id == made.client_id)).one()
        snapshot = PolicySnapshot(
            public_id=new_id("snp"), insurer_id=insurer_id, ends_vanished=True, most_percent=2, opened_at=now
        )
        session.add(snapshot)
        session.flush()
        session.add_all(
            [
                VanishedPolicy(
                    snapshot_id=snapshot.id,
                    policy_id=policy.id,
                    ended_at=now,
                    status_before="in_force",
                    returned_at=now,
                ),
                SignInLink(
                    public_id=new_id("sil"),
                    token_hash=fingerprint(life.mark),
                    insurer_id=insurer_id,
                    client_id=client.id,
                    customer_id=life.customer,
                    path="/bookings",
                    created_at=now,
                    expires_at=now,
                    used_at=now,
                ),
            ]
        )


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
        capacity = CapacityChange(
            public_id=new_id("cch"), pool_id=slot.pool_id, version=booking.id, kind="rules", actor="x", at=now
        )
        session.add_all([entry, statement, closure, capacity, notice])
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
                CapacityChangeItem(
                    public_id=new_id("cci"),
                    change_id=capacity.id,
                    booking_id=booking.id,
                    slot_id=slot.id,
                    action="keep",
                    reason="x",
                    state="done",
                    outcome="x",
                    actor="x",
                    decided_at=now,
                    finished_at=now,
                ),
                SiteClosureItem(closure_id=closure.id, booking_id=booking.id, outcome="kept", at=now),
                CoverageWish(
                    public_id=new_id("cvw"),
                    customer_id=world.customer.id,
                    kind="x",
                    site_id=world.offer.site_id,
                    asked_at=now,
                    ended_at=now,
                    outcome="told",
                ),
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


def _talk(life: Life, now: datetime) -> None:
    """A consultation about her first booking with a message and its picture, and what she said of the service."""
    with transaction() as session:
        booking = session.scalars(select(Booking).where(Booking.public_id == life.bookings[0])).one()
        person = session.get_one(Beneficiary, booking.beneficiary_id)
        medical, process = (key_of(session, person, each) for each in (MEDICAL, PROCESS))
        talk = Conversation(
            public_id=new_id("cnv"),
            booking_id=booking.id,
            provider_id=life.world.provider.id,
            department="general",
            language="zh",
            last_seq=1,
            flagged_at=now,
            first_message_at=now,
            handed_back_at=now,
            reports_agreed_at=now,
            opened_at=now,
            closed_at=now,
        )
        rating = Rating(booking_id=booking.id, stars=5, at=now, changed_at=now)
        rating.words_sealed = seal_words(f"{life.mark}-rated", process, rate.record_of(booking.public_id))
        marked = FavouriteSite(customer_id=booking.customer_id, site_id=life.world.offer.site_id, created_at=now)
        follower = EscortLink(
            public_id=new_id("esl"),
            booking_id=booking.id,
            token_hash=crypto.token_hash(f"{life.mark}-follower"),
            with_notes=True,
            days_after=1,
            created_at=now,
            ended_at=now,
        )
        follower.name_sealed = seal_words(f"{life.mark}-follower", process, name_record(follower.public_id))
        session.add_all([talk, rating, marked, follower])
        session.flush()
        message, picture = new_id("msg"), new_id("pic")
        said = ConversationMessage(
            public_id=message,
            conversation_id=talk.id,
            seq=1,
            client_message_id="message-1",
            author="customer",
            kind="text",
            body_sealed=seal_words(f"{life.mark}-said", medical, say.record_of(message)),
            at=now,
        )
        session.add(said)
        session.add(ConversationRead(conversation_id=talk.id, seq=1, read_at=now, typing_at=now))
        session.flush()
        large, small = (
            crypto.seal(f"{life.mark}-{size}".encode(), key=medical.open(), record=pictures.record_of(picture, small))
            for size, small in (("large", False), ("small", True))
        )
        session.add(
            ConversationPicture(
                public_id=picture,
                message_id=said.id,
                width=1,
                height=1,
                size=1,
                sealed=large,
                thumbnail_sealed=small,
            )
        )


def _promise(life: Life, now: datetime) -> None:
    """How her question found a clinician, and what was pledged, broken and made good."""
    with transaction() as session:
        talk = session.scalars(
            select(Conversation)
            .join(Booking, Booking.id == Conversation.booking_id)
            .where(Booking.public_id == life.bookings[0])
        ).one()
        doctor = Operator(
            public_id=new_id("mbr"),
            provider_id=life.world.provider.id,
            login=f"{life.mark}-doctor",
            name="何医生",
            role="clinician",
            password_hash="x",
        )
        ends = {"breached": ("breached_at", 90), "met": ("met_at", 60), "cancelled": ("cancelled_at", 60)}
        pledges = [
            Pledge(
                public_id=new_id("plg"),
                promise=state,
                subject_kind="conversation",
                subject=talk.public_id,
                insurer_id=life.world.customer.insurer_id,
                customer_id=life.customer,
                provider_id=life.world.provider.id,
                booking_id=talk.booking_id,
                seconds=90,
                units=1,
                state=state,
                begun_at=now,
                risk_due_at=now + timedelta(seconds=45),
                due_at=now + timedelta(seconds=90),
                at_risk_at=now + timedelta(seconds=45),
                **{moment: now + timedelta(seconds=seconds)},
            )
            for state, (moment, seconds) in ends.items()
        ]
        broken = pledges[0]
        session.add_all([doctor, *pledges])
        session.flush()
        booking = session.get_one(Booking, talk.booking_id)
        process = key_of(session, session.get_one(Beneficiary, booking.beneficiary_id), PROCESS)
        noted = new_id("nte")
        sealed = seal_words(f"{life.mark}-noted", process, notes.record_of(noted))
        session.add(
            ConversationNote(public_id=noted, conversation_id=talk.id, member_id=doctor.id, body_sealed=sealed, at=now)
        )
        shift = ClinicianShift(
            member_id=doctor.id, provider_id=life.world.provider.id, capacity=1, began_at=now, ended_at=now
        )
        session.add(shift)
        session.flush()
        session.add_all(
            [
                PledgeCompensation(pledge_id=broken.id, entitlement_id=life.world.entitlement.id, units=1, at=now),
                ConversationOffer(
                    conversation_id=talk.id,
                    shift_id=shift.id,
                    member_id=doctor.id,
                    state="passed",
                    offered_at=now,
                    expires_at=now,
                    ended_at=now,
                ),
                ConversationEscalation(conversation_id=talk.id, step=1, at=now),
                ConversationHandover(conversation_id=talk.id, from_member_id=doctor.id, at=now),
                ConversationChoice(conversation_id=talk.id, choice="call_back", call_back_at=now, at=now),
            ]
        )
        _carried(session, life, talk, now)


def _escort(life: Life, now: datetime) -> None:
    """A worker who was asked to go with her and said no, and the search for another one."""
    with transaction() as session:
        booking = session.scalars(select(Booking).where(Booking.public_id == life.bookings[0])).one()
        worker = EscortWorker(
            public_id=new_id("esw"),
            provider_id=booking.provider_id,
            shown_name="王护理",
            sex="female",
            languages=["mandarin"],
            province="浙江省",
            city="杭州市",
            active_from=now,
            created_at=now,
            updated_at=now,
        )
        session.add(worker)
        session.flush()
        asked = new_id("esa")
        key = key_of(session, session.get_one(Beneficiary, booking.beneficiary_id), PROCESS)
        words = known_by.new_words(key, asked)
        period = Range(now, now + timedelta(hours=4), bounds="[)")
        session.add_all(
            [
                EscortAssignment(
                    public_id=asked,
                    booking_id=booking.id,
                    worker_id=worker.id,
                    provider_id=booking.provider_id,
                    state="declined",
                    period=period,
                    padded=period,
                    travel_seconds=0,
                    asked_at=now,
                    answer_due_at=now + timedelta(minutes=15),
                    answered_at=now,
                    ended_at=now,
                    cause="declined",
                    asked_by_kind="provider",
                    asked_by="mbr_1",
                    safe_word_sealed=words.safe_word,
                    code_sealed=words.code,
                ),
                EscortSearch(booking_id=booking.id, begun_at=now, look_at=now, nobody_since=now),
            ]
        )
        _listened(session, life, booking, now)


def _listened(session: Session, life: Life, booking: Booking, now: datetime) -> None:
    """A line of a provider's own system about it, of somebody whom that had not named."""
    there = session.scalar(select(ProviderBooking).where(ProviderBooking.booking_id == booking.id))
    if there is None:
        there = ProviderBooking(
            provider_id=booking.provider_id,
            reference=f"R-{booking.public_id}",
            booking_id=booking.id,
            role="stray",
            status="confirmed",
            seen_at=now,
        )
        session.add(there)
        session.flush()
    lines = EscortListening(
        booking_id=booking.id,
        provider_booking_id=there.id,
        their_seq=1,
        read_at=now,
        over_at=now,
    )
    session.add(lines)
    session.flush()
    key = key_of(session, session.get_one(Beneficiary, booking.beneficiary_id), MEDICAL)
    digest = seal_words(f"{life.mark}-line", key, record_of(lines.id, 1))
    session.add(
        EscortLineTaken(
            listening_id=lines.id, seq=1, their_id="l-1", came="kept_out", digest_sealed=digest, received_at=now
        )
    )


def _carried(session: Session, life: Life, talk: Conversation, now: datetime) -> None:
    """What passes between us and an outside provider: a message that it did not take, that the consultation is over,
    and a line of its doctor's."""
    message = session.scalars(
        select(ConversationMessage).where(ConversationMessage.conversation_id == talk.id).limit(1)
    ).one()
    about: dict[str, Any] = {"conversation_id": talk.id, "provider_id": life.world.provider.id, "run_after": now}
    lost = {"state": "refused", "sent_at": now, "finished_at": now, "refusal": "closed"}
    person = session.get_one(Beneficiary, session.get_one(Booking, talk.booking_id).beneficiary_id)
    digest = seal_words(f"{life.mark}-digest", key_of(session, person, MEDICAL), lines.record_of(talk.id, 1))
    session.add_all(
        [
            ConversationDelivery(key=message.public_id, message_id=message.id, **about, **lost),
            ConversationDelivery(key=new_id("end"), reason="idle", **about),
            ConversationLine(
                conversation_id=talk.id, seq=1, their_id="m-1", message_id=message.id, digest_sealed=digest
            ),
        ]
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
