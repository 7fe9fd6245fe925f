"""What a waiting customer is shown: her place in the queue, about how long it takes, and whether anybody is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Literal, get_args

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from booking.consultation.access import absent, visible
from booking.consultation.assigning.models import ConversationChoice
from booking.consultation.assigning.offering import ORDER, WAITING
from booking.consultation.models import Conversation
from booking.consultation.say import ConversationClosed
from booking.deadlines import first_answer_due
from booking.models import Booking
from booking.pledges.pledge import PledgeView, pledge_of
from marketplace.catalog.kinds.online_consultation import GENERAL
from marketplace.core.database.db import reading, transaction
from marketplace.core.errors import Invalid, NotFound
from providers.staff.shifts import GONE_AFTER, unseen
from vip.principal import Principal

Choice = Literal["wait", "call_back", "emergency"]
CALL_BACK_AHEAD = timedelta(hours=1)
"""Call-backs end so long before the clock gives the unit back, since nobody has answered."""


@dataclass(frozen=True)
class Place:
    """Where a conversation stands. `position` 1 is next; None where it does not wait. `seconds`: about how long until
    somebody takes it, None where that can't be said. `on_shift`: how many clinicians could take it. `pledge`: the
    clock, None before her first message. `choice` and `call_back_at`: what she chose while nobody was there;
    `call_back_until`: the latest moment that she may choose.

    `outside`: doctors of its provider answer in a system of their own, whose queue and shifts nobody here knows: then
    there is no `position`, and `on_shift` is None."""

    position: int | None
    seconds: int | None
    on_shift: int | None
    pledge: PledgeView | None
    choice: Choice | None
    call_back_at: datetime | None
    call_back_until: datetime
    outside: bool = False


_PLACE = f"""
    SELECT place FROM (
        SELECT c.id, row_number() OVER (ORDER BY {ORDER}) AS place FROM conversation c
         WHERE {WAITING} AND c.provider_id = {{provider}} AND c.language = {{language}}
           AND (c.department = {{department}} OR c.department = {{general}})
    ) AS queue WHERE id = {{id}}
"""
_POSITION = text(
    _PLACE.format(provider=":provider", language=":language", department=":department", general=":general", id=":id")
)
_THERE = f"""
    FROM clinician_shift s JOIN clinician k ON k.member_id = s.member_id
      JOIN operator m ON m.id = s.member_id AND m.disabled_at IS NULL
     WHERE s.provider_id = {{provider}} AND s.ended_at IS NULL AND s.break_since IS NULL AND k.verified_at IS NOT NULL
       AND NOT {unseen(GONE_AFTER)}
       AND {{language}} = ANY (k.languages)
       AND ({{department}} = ANY (k.departments) OR {{general}} = ANY (k.departments))
"""
_ON_SHIFT = text(
    "SELECT count(*)"
    + _THERE.format(provider=":provider", language=":language", department=":department", general=":general")
)
_HERS = {
    "provider": "conversation.provider_id",
    "language": "conversation.language",
    "department": "conversation.department",
    "general": f"'{GENERAL}'",
}
POSITION_OF = _PLACE.format(**_HERS, id="conversation.id")
"""The place of the waiting `conversation`, 1 for who is next."""
ON_SHIFT_OF = "SELECT count(*)" + _THERE.format(**_HERS)
"""How many clinicians are there at `:now` who could take the waiting `conversation`."""
_OF = {"provider": "c.provider_id", "language": "c.language", "department": "c.department", "general": f"'{GENERAL}'"}
SOMEBODY_ON_SHIFT = f"EXISTS (SELECT {_THERE.format(**_OF)})"
"""That a clinician is there at `:now` who could take the conversation `c`."""
_USUAL = text("""
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM first_answer_at - first_message_at))
      FROM conversation
     WHERE provider_id = :provider AND department = :department AND first_answer_at > :since
       AND first_message_at > :since AND first_answer_at >= first_message_at
""")


def place(principal: Principal, conversation: str, *, now: datetime) -> Place:
    """The place of the customer's own conversation. Raises NotFound."""
    with reading() as session:
        row = _own(session, principal, conversation)
        values = _of(row.provider_id, row.department, row.language)
        usual = session.scalar(_USUAL, {**values, "since": now - timedelta(hours=2)})
        until = _call_back_until(session, row)
        if row.outside:
            about = ceil(float(usual)) if usual else None
            return Place(None, about, None, pledge_of(session, row.booking_id), None, None, until, outside=True)
        position = session.scalar(_POSITION, {**values, "id": row.id})
        there = session.execute(_ON_SHIFT, {**values, "now": now}).scalar_one()
        chosen = _chosen(session, row)
        pledge = pledge_of(session, row.booking_id)
    seconds = None if not (position and there and usual) else ceil(float(usual) * ceil(position / there))
    return Place(
        position,
        seconds,
        there,
        pledge,
        None if chosen is None else chosen.choice,  # type: ignore[arg-type]
        None if chosen is None else chosen.call_back_at,
        until,
    )


def nobody_on_shift(provider_id: int, department: str, language: str, *, now: datetime) -> bool:
    """Whether no clinician is there who could take a question of that department (a code) in that language: then the
    customer is told at once, and has a choice."""
    with reading() as session:
        values = {**_of(provider_id, department, language), "now": now}
        return not session.execute(_ON_SHIFT, values).scalar_one()


def choose(
    principal: Principal, conversation: str, choice: Choice, *, call_back_at: datetime | None = None, now: datetime
) -> None:
    """What the customer does while nobody is there: wait, be called back at a moment, or go to an emergency department.
    None of it gives up what was pledged to her: only ending the consultation does. The same again changes nothing, and
    neither does any of it once somebody has answered.

    Raises NotFound, also where doctors of an outside provider answer, Invalid(field="choice" or "call_back_at"),
    ConversationClosed.
    """
    if choice not in get_args(Choice):
        raise Invalid(field="choice", reason="unknown_value")
    if (choice == "call_back") != (call_back_at is not None):
        raise Invalid(field="call_back_at", reason="required" if call_back_at is None else "unknown_field")
    with transaction() as session:
        row = _own(session, principal, conversation, lock=True)
        if row.outside:  # nobody here could call her back
            raise NotFound(field="conversation_id")
        if row.closed_at is not None or not session.scalar(select(Booking.live).where(Booking.id == row.booking_id)):
            raise ConversationClosed(closed_at=row.closed_at or now)
        if row.first_answer_at is not None:
            return
        if call_back_at is not None and not now < call_back_at <= _call_back_until(session, row):
            raise Invalid(field="call_back_at", reason="range")
        before = _chosen(session, row)
        if before is None or (before.choice, before.call_back_at) != (choice, call_back_at):
            session.add(ConversationChoice(conversation_id=row.id, choice=choice, call_back_at=call_back_at, at=now))


def _chosen(session: Session, row: Conversation) -> ConversationChoice | None:
    """What she chose last."""
    return session.scalar(
        select(ConversationChoice)
        .where(ConversationChoice.conversation_id == row.id)
        .order_by(ConversationChoice.id.desc())
        .limit(1)
    )


def _call_back_until(session: Session, row: Conversation) -> datetime:
    """The latest moment at which she can be called back while her unit is still reserved."""
    return first_answer_due(session.get_one(Booking, row.booking_id)) - CALL_BACK_AHEAD


def _own(session: Session, principal: Principal, conversation: str, *, lock: bool = False) -> Conversation:
    query = (
        select(Conversation)
        .join(Booking, Booking.id == Conversation.booking_id)
        .where(Conversation.public_id == conversation, visible(principal))
    )
    row = session.scalar(query.with_for_update(of=Conversation) if lock else query)
    if row is None:
        raise absent(session, principal, conversation)
    return row


def _of(provider_id: int, department: str, language: str) -> dict[str, object]:
    return {"provider": provider_id, "department": department, "language": language, "general": GENERAL}
