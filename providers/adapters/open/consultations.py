"""Consultations in the open protocol: what a customer says goes out, what the provider's doctors say is read.

What an answer means: providers.adapters.open.calls; but for what is said, a key that was used before with another body
is a refusal, since sending it again brings no other answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from providers.adapters import fields
from providers.adapters.http import Reply
from providers.adapters.open.calls import OpenCalls, answer_from, refusal
from providers.adapters.open.lines import (
    close_body,
    message_body,
    open_body,
    read_line,
    read_roster,
)
from providers.adapters.open.numbered import MOST_LINES, fetched, picture_named, read_page
from providers.conversing import CloseConversation, Delivered, OpenConversation, OutgoingMessage, Picture, Posted
from providers.port import Answer, ProviderError, Refused, RetryAfter, Unknown
from providers.reported import MessagePage, RemoteClinician, RemoteMessage

REUSED = Refused("other", "The id was used before with another body")


class OpenConsultations(OpenCalls):
    """`providers.conversing.Converses` for the open protocol."""

    def open(self, command: OpenConversation) -> Answer:
        """POST /consultations."""
        answer = self._command("/consultations", command.key, open_body(command))
        return answer_from(answer, command.our_reference, {201: ("confirmed",), 202: ("requested",)})

    def post(self, message: OutgoingMessage) -> Delivered:
        """POST /consultations/{reference}/messages."""
        answer = self._command(f"{_at(message.reference)}/messages", message.id, message_body(message))
        return _delivered(answer, (200, 201), {"id": message.id, "our_reference": message.our_reference})

    def close(self, command: CloseConversation) -> Delivered:
        """POST /consultations/{reference}/close."""
        answer = self._command(f"{_at(command.reference)}/close", command.key, close_body(command))
        return _delivered(answer, (200,), {"our_reference": command.our_reference})

    def said_after(self, reference: str, seq: int) -> MessagePage:
        """GET /consultations/{reference}/messages, up to 200 lines. Lines up to `seq` that come along are left out, and
        of more than 200 the rest is left for the next page."""
        params = {"after": str(seq), "limit": str(MOST_LINES)}
        body = self._read(f"{_at(reference)}/messages", params, self._http.deadline()).json()
        page = read_page(body, "messages", read_line, reference, seq)
        return MessagePage(page.lines, page.next, page.unreadable)

    def fetch_picture(self, message: RemoteMessage) -> Picture:
        """GET /consultations/{reference}/pictures/{id}."""
        sha256, name = picture_named(message.picture)
        path = f"{_at(message.reference)}/pictures/{quote(name, safe='')}"
        return fetched(self._read(path, {}, self._http.deadline()), sha256)

    def clinicians(self) -> Sequence[RemoteClinician]:
        """GET /clinicians. Who cannot be read is not on it."""
        return read_roster(self._read("/clinicians", {}, self._http.deadline()).json())


def _delivered(answer: Reply | RetryAfter | Unknown, wanted: tuple[int, ...], ours: Mapping[str, str]) -> Delivered:
    """What a reply says of what was sent. `ours`: what the body of one of the `wanted` statuses repeats."""
    if not isinstance(answer, Reply):
        return answer
    if 400 <= answer.status < 500:
        return refusal(answer, reused=REUSED)
    if answer.status == 204:
        return Posted()
    if answer.status not in wanted:
        return Unknown(f"status {answer.status}")
    try:
        body = answer.json()
        told = {name: fields.text(body, name) for name in ours}
    except ProviderError as error:
        return Unknown(str(error))
    return Posted() if told == ours else Unknown("an answer about something else")


def _at(reference: str) -> str:
    return f"/consultations/{quote(reference, safe='')}"
