"""What the marketplace asks of a provider whose own doctors answer consultations, and what they say (plain data).

Such an adapter has these methods beside those of `providers.port.ProviderAdapter`; `conversing_adapter` is how
they are asked. A
consultation is one of its bookings, without a slot: opening it books it, look-ups, lists and booking events are as for
all, and a cancel before the first answer is `ProviderAdapter.cancel`. What is said goes by messages, in both directions
each with an id that its sender chose and keeps.

What its doctors say is numbered by the provider from 1 in each consultation, without a gap: the list is the truth, an
event brings a line of it early.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from providers.port import Answer, Person, Refused, RetryAfter, Unknown
from providers.reported import MessagePage, RemoteClinician, RemoteMessage


@dataclass(frozen=True)
class OpenConversation:
    """Begin a consultation. `key` never changes in the command's life; `our_reference` is the booking's public id.
    `department`: a code of the offer's package. `language`: zh or en. `answers`: what she filled in, blank if nothing.
    `flagged`: an emergency sign was found in it. `answer_seconds`: within how many seconds of her first message a
    doctor's first answer is promised, None where nothing is."""

    key: str
    our_reference: str
    offer: str
    department: str
    language: Literal["zh", "en"]
    person: Person
    answers: Mapping[str, object] = field(default_factory=dict, repr=False)
    flagged: bool = False
    answer_seconds: int | None = None


@dataclass(frozen=True)
class Picture:
    """A JPEG or PNG, at most 5 MiB; `sha256` in hex."""

    content: bytes = field(repr=False)
    content_type: Literal["image/jpeg", "image/png"]
    sha256: str


@dataclass(frozen=True)
class OutgoingMessage:
    """What the customer said, in words or by a picture. `id` is the message's public id and never changes; `seq` its
    place among all that was said in the consultation. `flagged`: an emergency sign was found in it."""

    id: str
    reference: str
    our_reference: str
    seq: int
    sent_at: datetime
    text: str = field(default="", repr=False)
    picture: Picture | None = field(default=None, repr=False)
    flagged: bool = False


@dataclass(frozen=True)
class CloseConversation:
    """It is over here, nothing more is taken in: a doctor closed it, the customer fell silent, or the booking was
    cancelled."""

    key: str
    reference: str
    our_reference: str
    reason: Literal["closed", "idle", "cancelled"]


@dataclass(frozen=True)
class Posted:
    """The provider has it, now or from an earlier try."""


Delivered = Posted | Refused | Unknown | RetryAfter
"""What became of a message or a closing. Unknown: it is sent again under the same id."""


@runtime_checkable
class Converses(Protocol):
    """An adapter of systems whose doctors answer consultations."""

    def open(self, command: OpenConversation) -> Answer:
        """Begin a consultation."""
        ...

    def post(self, message: OutgoingMessage) -> Delivered:
        """Hand on what the customer said."""
        ...

    def close(self, command: CloseConversation) -> Delivered:
        """Say that it is over here; Posted also when it was over there."""
        ...

    def said_after(self, reference: str, seq: int) -> MessagePage:
        """What its doctors said in a consultation after their number `seq` (0: all). Raises ProviderError."""
        ...

    def fetch_picture(self, message: RemoteMessage) -> Picture:
        """The picture of a message. Raises ProviderError, Oversize."""
        ...

    def clinicians(self) -> Sequence[RemoteClinician]:
        """The roster: who may answer. Raises ProviderError."""
        ...


def conversing_adapter(adapter: object) -> Converses:
    """The adapter as one of systems whose doctors answer. Raises TypeError for any other."""
    if not isinstance(adapter, Converses):
        raise TypeError("an adapter that carries no consultations")
    return adapter
