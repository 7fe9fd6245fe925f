"""Conversations and messages as rows, and what is shown of a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, select
from sqlalchemy.orm import aliased

from booking.consultation.close import REOPEN_FOR
from booking.consultation.flags import named
from booking.consultation.models import Conversation, ConversationMessage, ConversationPicture, ConversationRead
from booking.consultation.outside.models import ConversationDelivery
from booking.consultation.say import EMERGENCY, text_of
from booking.consultation.summary import understood
from booking.consultation.views import (
    Delivery,
    MessageView,
    PictureView,
    Speaker,
    State,
)
from booking.models import Booking
from booking.states import BookingState
from marketplace.core.text import Text
from providers.staff.models import Clinician, OutsideClinician
from vip.customers.person_keys import WrappedKey
from vip.models import Beneficiary, Operator
from vip.principal import Member, Somebody

OwnRead = aliased(ConversationRead)


def message_rows(row: Conversation, who: Somebody) -> Select[*tuple[Any, ...]]:
    """Selects the messages of a conversation with what shows them."""
    return (
        select(
            ConversationMessage,
            ConversationPicture,
            *speaker_columns(who),
            ConversationDelivery.state.label("delivery"),
        )
        .outerjoin(ConversationPicture, ConversationPicture.message_id == ConversationMessage.id)
        .outerjoin(Operator, Operator.id == ConversationMessage.member_id)
        .outerjoin(Clinician, Clinician.member_id == Operator.id)
        .outerjoin(OutsideClinician, OutsideClinician.id == ConversationMessage.outside_clinician_id)
        .outerjoin(ConversationDelivery, ConversationDelivery.message_id == ConversationMessage.id)
        .where(ConversationMessage.conversation_id == row.id)
    )


def speaker_columns(who: Somebody) -> tuple[ColumnElement[Any], ...]:
    """Who answers or said it: customers are told the verified name, colleagues the account's."""
    account = () if isinstance(who, Member) else (Clinician.shown_name,)
    return (
        func.coalesce(Operator.public_id, OutsideClinician.public_id).label("speaker"),
        func.coalesce(*account, Operator.name, OutsideClinician.name).label("speaker_name"),
        func.coalesce(Clinician.title_zh, OutsideClinician.title_zh, "").label("title_zh"),
        func.coalesce(Clinician.title_en, OutsideClinician.title_en, "").label("title_en"),
    )


def speaker_of(row: Row[Any]) -> Speaker | None:
    """Who of the clinicians wrote it; None for a customer's words and for what was said by itself."""
    if row.speaker is None:
        return None
    return Speaker(row.speaker, row.speaker_name, Text(row.title_zh, row.title_en))


def card_rows(who: Somebody) -> Select[*tuple[Any, ...]]:
    """Selects conversations with what their cards need."""
    side = "clinician" if isinstance(who, Member) else "customer"
    counted = ConversationMessage.author == "customer" if side == "clinician" else ConversationMessage.author != side
    read_seq = func.coalesce(OwnRead.seq, 0)
    unread = (
        select(func.count())
        .where(ConversationMessage.conversation_id == Conversation.id, ConversationMessage.seq > read_seq, counted)
        .scalar_subquery()
    )
    return (
        select(
            Conversation,
            Booking,
            Beneficiary,
            *speaker_columns(who),
            read_seq.label("read_seq"),
            OwnRead.looked_at,
            unread.label("unread"),
        )
        .join(Booking, Booking.id == Conversation.booking_id)
        .join(Beneficiary, Beneficiary.id == Booking.beneficiary_id)
        .outerjoin(Operator, Operator.id == Conversation.clinician_id)
        .outerjoin(Clinician, Clinician.member_id == Operator.id)
        .outerjoin(OutsideClinician, OutsideClinician.id == Conversation.outside_clinician_id)
        .outerjoin(OwnRead, and_(OwnRead.conversation_id == Conversation.id, is_mine(who, OwnRead)))
    )


def is_mine(who: Somebody, mark: type[ConversationRead]) -> ColumnElement[bool]:
    """Whether a mark is the reader's own."""
    return mark.member_id == who.id if isinstance(who, Member) else mark.member_id.is_(None)


def card_facts(row: Row[Any]) -> dict[str, Any]:
    talk: Conversation = row.Conversation
    booking: Booking = row.Booking
    state: State = "waiting" if talk.first_answer_at is None else "open"
    ended = talk.closed_at is not None
    again = ended and booking.state is BookingState.FULFILLED
    names = {
        each["code"]: Text(each["name_zh"], each["name_en"]) for each in booking.snapshot["package"]["departments"]
    }
    return {
        "id": talk.public_id,
        "booking_id": booking.public_id,
        "booking_state": booking.state.value,
        "beneficiary_id": row.Beneficiary.public_id,
        "beneficiary_name": row.Beneficiary.name,
        "relation": row.Beneficiary.relation,
        "provider_name": Text.of(booking.snapshot["provider"]),
        "offer_name": Text.of(booking.snapshot["offer"]),
        "department": talk.department,
        "department_name": names.get(talk.department, Text("", "")),
        "departments": names,
        "language": talk.language,
        "state": "closed" if ended else state,
        "clinician": speaker_of(row),
        "last_seq": talk.last_seq,
        "read_seq": row.read_seq,
        "unread": row.unread,
        "flagged": talk.flagged_at is not None,
        "opened_at": talk.opened_at,
        "first_message_at": talk.first_message_at,
        "first_answer_at": talk.first_answer_at,
        "closed_at": talk.closed_at,
        "reopen_until": talk.closed_at + REOPEN_FOR if again and talk.closed_at is not None else None,
        "outside": talk.outside,
    }


_DELIVERY: Mapping[str | None, Delivery] = {
    None: "delivered",
    "delivered": "delivered",
    "refused": "not_delivered",
    "queued": "sent",
    "in_flight": "sent",
}
"""How far a message is, by the state of its delivery. Where there is none, those who answer have it when we have it."""


def message_view(row: Row[Any], who: Somebody, key: WrappedKey) -> MessageView:
    said: ConversationMessage = row.ConversationMessage
    shown: ConversationPicture | None = row.ConversationPicture
    mine = said.member_id == who.id if isinstance(who, Member) else said.author == "customer"
    text = text_of(said, key)
    return MessageView(
        id=said.public_id,
        seq=said.seq,
        client_message_id=said.client_message_id if mine else "",
        author=said.author,
        mine=mine,
        clinician=speaker_of(row),
        kind=said.kind,
        text=text if said.kind == "text" else None,
        summary=understood(text) if said.kind == "summary" and text is not None else None,
        picture=None if shown is None else PictureView(shown.public_id, shown.width, shown.height, shown.size),
        at=said.at,
        signs=named(text) if said.kind == EMERGENCY else (),
        delivery=_DELIVERY[row.delivery] if mine else "",
    )
