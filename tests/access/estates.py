"""What a customer has: family, bookings in every state, reports, links, copies, and the cases that operators see about
them, with a word of hers in everything that is nobody else's."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select, update

from booking.answering import answer
from booking.answering.answer import ProvidersAnswer
from booking.attendance.check_in_code import code_of
from booking.attendance.disputes import dispute
from booking.attendance.models import Dispute
from booking.changes.reschedule import reschedule
from booking.consultation.models import Conversation, ConversationMessage, ConversationPicture
from booking.consultation.open import Opening, open_consultation
from booking.consultation.pictures import Sent, customer_shows
from booking.consultation.say import Said, customer_says
from booking.discrepancies import Discrepancy, open_discrepancy
from booking.feeds.unreadable import store_delivered
from booking.hold.begin import BeginRequest
from booking.idempotency import Repeatable
from booking.messages.calendar import new_feed
from booking.messages.inbox import mark_read
from booking.models import Booking
from booking.notices.models import Notification
from booking.ownership import is_booked
from booking.personal.export import ask_copy, make_copies
from booking.proposal import Proposal
from booking.ratings.rate import rate
from booking.reports.models import Report
from booking.reports.share import NewShare, share_report
from booking.states import BookingState
from marketplace.core.database.db import reading, transaction
from marketplace.core.text import Text
from providers.reported import ReportItem
from tests.access.consultations import consult
from tests.access.escorts import escorted
from tests.access.families import follow
from tests.booking.settlement.closed import stated
from tests.people import NOON, TODAY
from tests.pictures import make_picture
from tests.policies import policy_facts, put
from tests.providers.partner_api.answering import work
from tests.reports import deliver
from tests.waiting import on, wait
from tests.world import World, booking_row, go
from vip.customers.consent import record_consent
from vip.customers.family import NewMember, add_member, remove_member
from vip.models import Beneficiary, Customer
from vip.policies.facts import InsuredFacts
from vip.signin.signin import issue_token

EARLIER = date(2026, 3, 1)


@dataclass
class Estate:
    """A customer's own. `values` are by the names that the table uses."""

    word: str
    phone: str
    world: World
    token: str = ""
    values: dict[str, str] = field(default_factory=dict)


def settle(word: str, phone: str, world: World) -> Estate:
    """Let the world's customer live: a life in every state that the routes ask for."""
    estate = Estate(word, phone, world)
    with transaction() as session:
        session.execute(update(Customer).where(Customer.id == world.customer.id).values(name=word))
        session.execute(update(Beneficiary).where(Beneficiary.id == world.beneficiary.id).values(name=f"{word} 沈"))
    estate.values |= {
        "customer": world.customer.public_id,
        "myself": world.beneficiary.public_id,
        "entitlement": world.entitlement.public_id,
        "phone": phone,
    }
    _family(estate)
    _policy(estate)
    _bookings(estate)
    estate.values |= follow(world, word, (16, 17))
    estate.values["escorted"] = escorted(world)
    _reports(estate)
    _consultations(estate)
    _cases(estate)
    _rest(estate)
    return estate


def _family(estate: Estate) -> None:
    """Her father agreed that she sees his reports, her mother did not, her daughter needs no asking."""
    word, me = estate.word, estate.world.principal
    people = {
        "father": NewMember("father", f"{word}爸", "male", date(1951, 9, 3), f"139{estate.phone[3:]}"),
        "mother": NewMember("mother", f"{word}妈", "female", date(1953, 9, 3)),
        "daughter": NewMember("daughter", f"{word}囡", "female", date(2015, 9, 3)),
    }
    for relation, new in people.items():
        estate.values[relation] = add_member(me, new, NOON).public_id
    estate.values["removed"] = add_member(me, NewMember("son", f"{word}仔", "male", date(2017, 9, 3)), NOON).public_id
    remove_member(me, estate.values["removed"], NOON, in_use=is_booked)
    with transaction() as session:
        father = session.scalars(select(Beneficiary).where(Beneficiary.public_id == estate.values["father"])).one()
        record_consent(session, [father], "phone_code", now=NOON, phone="+86139" + estate.phone[3:])


def _policy(estate: Estate) -> None:
    """One in force that insures her and her father, with her word as what it is called."""
    estate.values["policy_number"] = f"P{estate.phone}"
    insured = (
        InsuredFacts(f"{estate.word} 沈", date(1988, 4, 12), "female", "self"),
        InsuredFacts(f"{estate.word}爸", date(1951, 9, 3), "male", "father"),
    )
    facts = policy_facts(
        key=f"policy-{estate.phone}",
        number=estate.values["policy_number"],
        holder_phone=estate.phone,
        insured=insured,
        product_name=Text(f"{estate.word}终身寿险", ""),
    )
    estate.values["policy"] = put(facts, insurer_id=estate.world.customer.insurer_id).policy_id


def _bookings(estate: Estate) -> None:
    world, values = estate.world, estate.values
    values["requested"] = world.submit(0)
    work(world)
    for name, slot in (("booking", 1), ("proposed", 2), ("changing", 3), ("missed", 4), ("disputed", 5), ("today", 6)):
        values[name] = _confirmed(world, slot)
    for name, slot in (("attended", 7), ("attended_too", 8), ("fathers", 9), ("mothers", 10)):
        values[name] = world.submit(slot)
    values["held"] = world.hold(11)
    values["slot"], values["slot_reference"] = world.slots[12].public_id, world.slots[12].external_ref
    values["free_slot"], values["free_reference"] = world.slots[13].public_id, world.slots[13].external_ref
    proposed = world.slots[14].external_ref
    answer.propose(_said(world, values["proposed"]), proposed, reason="", expires_at=None, now=NOON)
    reschedule(world.principal, values["changing"], values["slot"], now=NOON)
    work(world)
    for name in ("missed", "disputed"):
        go(values[name], BookingState.NO_SHOW)
    dispute(world.principal, values["disputed"], f"{estate.word}: 我八点到的", now=NOON)
    with transaction() as session:
        session.execute(update(Booking).where(Booking.public_id == values["today"]).values(service_date=TODAY))
        values["proposal"] = session.scalars(
            select(Proposal.public_id).join(Booking).where(Booking.public_id == values["proposed"])
        ).one()
    values["code"] = code_of(values["today"], TODAY)


def _confirmed(world: World, slot: int) -> str:
    public_id = world.submit(slot)
    work(world)
    answer.confirm(_said(world, public_id), now=NOON)
    return public_id


def _said(world: World, booking: str) -> ProvidersAnswer:
    return ProvidersAnswer(world.provider.id, booking, Repeatable("test", str(uuid.uuid4()), b"f" * 32))


def _reports(estate: Estate) -> None:
    """Two of her own, one of her father's, one of her mother's, each of a visit that was made."""
    world, values, word = estate.world, estate.values, estate.word
    kept = {
        "attended": "report",
        "attended_too": "other_report",
        "fathers": "fathers_report",
        "mothers": "hidden_report",
    }
    for number, (booking, report) in enumerate(kept.items()):
        go(values[booking], BookingState.CONFIRMED, BookingState.FULFILLED)
        values[report] = deliver(
            world,
            values[booking],
            reference=f"{word}-{number}",
            items=[
                ReportItem("低密度脂蛋白胆固醇", "3.92", "22748-8", "mmol/L", None, 3.4, "high", "血脂"),
                ReportItem(f"{word}-item", "1", "x"),
            ],
            conclusion=f"{word}-conclusion",
        )
    for person in ("father", "mother"):
        _is_for(values[f"{person}s"], values[person])
    shared = share_report(world.principal, values["report"], NewShare("doctor", 7), now=NOON)
    values["share"], values["share_token"] = shared.share.id, shared.token


def _is_for(booking: str, person: str) -> None:
    with transaction() as session:
        who = select(Beneficiary.id).where(Beneficiary.public_id == person).scalar_subquery()
        row = session.scalars(select(Booking).where(Booking.public_id == booking)).one()
        session.execute(update(Booking).where(Booking.id == row.id).values(beneficiary_id=who))
        session.execute(update(Report).where(Report.booking_id == row.id).values(beneficiary_id=who))


def _consultations(estate: Estate) -> None:
    """One that goes on, with a picture, and one that a doctor closed; and what she said of a visit."""
    world, values, word = estate.world, estate.values, estate.word
    values |= consult(world)
    wanted = BeginRequest(values["consultation_offer"], values["myself"], values["consultation_entitlement"], {})
    for name in ("consultation", "closed_consultation"):
        repeat = Repeatable(world.principal.public_id, name, b"f" * 32)
        opened = open_consultation(world.principal, Opening(wanted, "", "zh"), repeat, now=NOON)
        customer_says(world.principal, opened.conversation, Said("message-1", f"{word} 嗓子疼"), now=NOON)
        values[name] = opened.conversation
    go(opened.booking, BookingState.CONFIRMED, BookingState.IN_SERVICE, BookingState.FULFILLED)
    customer_shows(world.principal, values["consultation"], Sent("message-2", make_picture()), now=NOON)
    with transaction() as session:
        closed = update(Conversation).where(Conversation.public_id == values["closed_consultation"])
        session.execute(closed.values(closed_at=NOON))
        values["picture"] = session.scalars(
            select(ConversationPicture.public_id)
            .join(ConversationMessage, ConversationMessage.id == ConversationPicture.message_id)
            .join(Conversation, Conversation.id == ConversationMessage.conversation_id)
            .where(Conversation.public_id == values["consultation"])
        ).one()
    rate(world.principal, values["attended_too"], 4, f"{word} 很好", NOON)


def _cases(estate: Estate) -> None:
    world, values = estate.world, estate.values
    with transaction() as session:
        number = session.scalars(select(Booking.id).where(Booking.public_id == values["booking"])).one()
        subject = values["booking"]
        open_discrepancy(session, world.provider.id, "ours_only", subject, now=NOON, booking_id=number)
        case = session.scalars(select(Discrepancy).where(Discrepancy.subject == subject)).one()
        store_delivered(session, case, f"{estate.word}-delivered".encode(), NOON)
        values["case"] = case.public_id
        values["dispute"] = session.scalars(
            select(Dispute.public_id).join(Booking).where(Booking.public_id == values["disputed"])
        ).one()


def _rest(estate: Estate) -> None:
    world, values = estate.world, estate.values
    values["statement"] = stated(world, values["attended"], day=EARLIER)
    values["copy"] = ask_copy(world.principal, now=NOON).id
    make_copies(now=NOON)
    values["feed"] = new_feed(world.principal, now=NOON)
    values["waiting"] = wait(world, first_day=on(20), last_day=on(20))
    with reading() as session:
        values["read_notice"], *_between, values["notice"] = session.scalars(
            select(Notification.public_id)
            .where(Notification.customer_id == world.customer.id)
            .order_by(Notification.id)
        )
    mark_read(world.principal, values["read_notice"], now=NOON)
    for booking in ("booking", "requested", "proposed", "changing", "today"):
        values[f"{booking}_version"] = str(booking_row(values[booking]).version)
    values["number"] = booking_row(values["booking"]).reference
    values["todays_number"] = booking_row(values["today"]).reference
    estate.token = issue_token(estate.phone, NOON).token
