"""A conversation and its messages as they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from booking.consultation.summary import Summary
from marketplace.core.text import Text

State = Literal["waiting", "open", "closed"]
Delivery = Literal["", "sent", "delivered", "not_delivered"]


@dataclass(frozen=True)
class Speaker:
    """A clinician by public id, the name that the reader knows her by, and her title (blank before one is known); a
    member, or a doctor of an outside provider."""

    id: str
    name: str
    title: Text = Text("", "")


@dataclass(frozen=True)
class ConversationCard:
    """A conversation in a list, without a word of it. `state`: waiting (nobody has answered yet), open or closed.

    `department_name` is blank where the offer names it no more; `departments` are all that it names, by code.
    `read_seq` is how far the reader has read; `unread` counts what others have said since, and automatic lines count
    for the customer. `reopen_until`: until when the customer may open it again, None where she can't. `outside`: its
    provider's doctors answer in their own system.
    """

    id: str
    booking_id: str
    booking_state: str
    beneficiary_id: str
    beneficiary_name: str = field(repr=False)
    relation: str
    provider_name: Text
    offer_name: Text
    department: str
    department_name: Text
    departments: Mapping[str, Text]
    language: str
    state: State
    clinician: Speaker | None
    last_seq: int
    read_seq: int
    unread: int
    flagged: bool
    opened_at: datetime
    first_message_at: datetime | None
    first_answer_at: datetime | None
    closed_at: datetime | None
    reopen_until: datetime | None
    outside: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class ConversationView(ConversationCard):
    """One conversation. `others_read`: how far the other side has read; `typing`: whether it is typing just now.
    `signs`: the codes of the signs of an emergency that were found in the customer's words
    (booking.consultation.flags). Of an outside one `on_the_way` are the numbers of messages of hers that the provider
    does not have yet, and `not_delivered` of those that it did not take, or that came too late."""

    others_read: int
    typing: bool
    signs: tuple[str, ...] = ()
    on_the_way: tuple[int, ...] = ()
    not_delivered: tuple[int, ...] = ()


@dataclass(frozen=True)
class PictureView:
    """The picture of a message; sides in pixels, size in bytes."""

    id: str
    width: int
    height: int
    size: int


@dataclass(frozen=True)
class MessageView:
    """One message. `mine`: said by the reader, and then `client_message_id` is what she chose, so that a device knows
    what it sent; blank else.

    `text` is None where there are no words: of a picture, a summary, an automatic line, and where their key was
    destroyed. `signs`: the codes of the signs that an automatic line of the kind `emergency` is about. `delivery`: how
    far the reader's own message is: taken here and on the way (sent), with those who answer (delivered), or not taken
    by them (not_delivered); blank of what others said.
    """

    id: str
    seq: int
    client_message_id: str
    author: str
    mine: bool
    clinician: Speaker | None
    kind: str
    text: str | None = field(repr=False)
    summary: Summary | None = field(repr=False)
    picture: PictureView | None
    at: datetime
    signs: tuple[str, ...] = ()
    delivery: Delivery = ""
